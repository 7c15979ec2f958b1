import { sql } from "drizzle-orm";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { settleBackground, testContext } from "../../testing/api.ts";
import { createProduct } from "../../testing/factories.ts";
import { freeze } from "../../testing/frost.ts";
import { COURIER_AREA, orderBody, payAtTwin, readOrder, readStock } from "../../testing/orders.ts";
import { CheckoutInput } from "../schemas/orders.ts";
import {
  booksOf,
  jobsOf,
  openShop,
  paidNotice,
  type Shop,
  sell,
  takeIn,
} from "../testing/sales.ts";
import { placeOrder } from "./checkout.ts";

const PATIENCE_MS = 200;
let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

const hurried = () => testContext(shop.buyer, PATIENCE_MS);
const stockOf = ({ id }: { id: string }) =>
  sql`select from market_products where id = ${id} for update`;
const away = { code: "unavailable" };

it("a checkout that is not answered, and repeated meanwhile, is one order when Postgres goes on", async () => {
  const product = await createProduct(shop.store);
  const body = await orderBody(shop.store, [[product, 2]], { originAreaId: COURIER_AREA });
  const [input, key] = [CheckoutInput.parse(body), crypto.randomUUID()];
  const frost = await freeze(stockOf(product));
  await expect(placeOrder(hurried(), input, key)).rejects.toMatchObject(away);
  await expect(placeOrder(hurried(), input, key)).rejects.toMatchObject(away);
  const patient = placeOrder(testContext(shop.buyer), input, key);
  await frost.thaw();
  const placed = await patient;
  expect(await placeOrder(testContext(shop.buyer), input, key)).toEqual(placed);
  await settleBackground();
  const orders = await testContext().db.run(
    rows(
      sql`select order_id as id from market_order_items where product_id = ${product.id}`,
      z.object({ id: z.string() }),
    ),
  );
  expect(orders).toEqual([{ id: placed.order_id }]);
  expect(await readStock(product)).toEqual({ stock: 10, reserved: 2 });
});

it("a payment notice that is not answered is booked once, though it comes again meanwhile", async () => {
  const sale = await sell(shop);
  await payAtTwin(sale.qris);
  const notice = await paidNotice(sale);
  const frost = await freeze(stockOf(sale.product));
  for (let n = 0; n < 2; n += 1) {
    expect(await takeIn("midtrans", notice, testContext(null, PATIENCE_MS))).toBe(2);
  }
  const again = takeIn("midtrans", notice, testContext());
  await frost.thaw();
  expect(await again).toBe("acked");
  await settleBackground();
  expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid", intent_state: "paid" });
  expect(await readStock(sale.product)).toEqual({ stock: 8, reserved: 0 });
  expect(await booksOf(sale)).toEqual([
    { what: "order-paid", from: "gateway", to: "escrow", amount: sale.total },
  ]);
  expect(await jobsOf(sale)).toHaveLength(3);
});
