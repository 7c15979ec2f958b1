import { expect, it } from "vitest";
import { testContext } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { completed, refundOf } from "../testing/money.ts";
import { openShop, sell } from "../testing/sales.ts";
import { orderSummary } from "./order-summary.ts";

it("the revenue that a seller is told of is what his buyers paid for goods, less what went back to them", async () => {
  const shop = await openShop();
  const sale = await completed(await sell(shop));
  await sell(shop);
  const ctx = { ...testContext(), actor: sale.seller };
  expect(await orderSummary(ctx, 7)).toMatchObject({ orders: 2, revenue: 50_000 });
  const admin = await createUser(["admin"]);
  const refund = await refundOf(admin, sale, { amount: 12_000, reason: "Rusak di jalan" });
  expect(refund.status).toBe(200);
  expect((await orderSummary(ctx, 7)).revenue).toBe(38_000);
});
