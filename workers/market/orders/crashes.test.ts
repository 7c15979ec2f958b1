import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { reconcileCharges } from "../../../shared/payments/index.ts";
import { settleBackground, testContext } from "../../testing/api.ts";
import { createProduct, type TestProduct } from "../../testing/factories.ts";
import { COURIER_AREA, orderBody, payAtTwin, readOrder, readStock } from "../../testing/orders.ts";
import { CheckoutInput } from "../schemas/orders.ts";
import {
  booksOf,
  dyingContext,
  jobsOf,
  type Kill,
  openShop,
  paidNotice,
  quietContext,
  type Shop,
  sell,
  takeIn,
} from "../testing/sales.ts";
import { getOrder } from "./buyer.ts";
import { placeOrder } from "./checkout.ts";
import { orderSettlement } from "./settlement.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

const buyerContext = () => ({ ...quietContext(), actor: shop.buyer });

const orderInput = async (product: TestProduct) =>
  CheckoutInput.parse(await orderBody(shop.store, [[product, 2]], { originAreaId: COURIER_AREA }));

async function ordersOf(product: TestProduct): Promise<string[]> {
  const found = await testContext().db.run(
    rows(
      sql`select order_id as id from market_order_items where product_id = ${product.id}`,
      z.object({ id: z.string() }),
    ),
  );
  return found.map(({ id }) => id);
}

/** The minute cron's look at this order's charges, a while later: first of all that other tests left open. */
async function reconcile(orderId: string): Promise<void> {
  await testContext().db.run(
    rows(
      sql`update payments_charges c set check_at = '2000-01-01' from market_orders o
        where o.id = ${orderId} and c.intent_id = o.payment_id and c.check_at is not null`,
      z.unknown(),
    ),
  );
  await reconcileCharges(quietContext(), [orderSettlement]);
}

describe("a checkout that is killed", () => {
  const key = () => crypto.randomUUID();

  it.each<Kill>(["before", "after"])(
    "%s its order is written is one order when it is clicked again",
    async (kill) => {
      const product = await createProduct(shop.store);
      const input = await orderInput(product);
      const one = key();
      const dying = dyingContext(buyerContext(), 0, kill);
      await expect(placeOrder(dying.ctx, input, one)).rejects.toMatchObject({
        code: "unavailable",
      });
      expect(await ordersOf(product)).toHaveLength(kill === "before" ? 0 : 1);
      const placed = await placeOrder(buyerContext(), input, one);
      expect(placed).toMatchObject({ qr_code: expect.any(String) });
      expect(await ordersOf(product)).toEqual([placed.order_id]);
      expect(await readStock(product)).toEqual({ stock: 10, reserved: 2 });
    },
  );

  it("after its order is written can be paid without another click: cron asks for the code", async () => {
    const product = await createProduct(shop.store);
    const dying = dyingContext(buyerContext(), 0, "after");
    await expect(placeOrder(dying.ctx, await orderInput(product), key())).rejects.toThrow();
    const [orderId = ""] = await ordersOf(product);
    await reconcile(orderId);
    const { payment } = await getOrder(buyerContext(), orderId);
    expect(payment).toMatchObject({ qr_code: expect.any(String), payment_url: expect.any(String) });
  });

  it.each<Kill>(["before", "after"])(
    "%s its code is recorded shows the same code again, and its payment arrives",
    async (kill) => {
      const product = await createProduct(shop.store);
      const input = await orderInput(product);
      const one = key();
      const first = await placeOrder(dyingContext(buyerContext(), 1, kill).ctx, input, one);
      await settleBackground();
      expect(await placeOrder(buyerContext(), input, one)).toEqual(first);
      await settleBackground();
      const { provider_ref, total } = await readOrder(first.order_id);
      await payAtTwin(provider_ref);
      await reconcile(first.order_id);
      expect(await readOrder(first.order_id)).toMatchObject({ status: "paid", total });
      expect(await readStock(product)).toEqual({ stock: 8, reserved: 0 });
    },
  );
});

describe("a settlement that is killed", () => {
  /** The inbox takes it in, the charge is read, the batch settles, the inbox is done with it. */
  const STEPS = 4;
  const deaths = Array.from({ length: STEPS }, (_, at) => at).flatMap((at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]);

  it.each(deaths)(
    "at its call %i of the database, %s it runs, is done once by the next",
    async (at, kill) => {
      const sale = await sell(shop);
      await payAtTwin(sale.qris);
      const body = await paidNotice(sale);
      const dying = dyingContext(quietContext(), at, kill);
      const fate = await takeIn("midtrans", body, dying.ctx);
      expect([dying.calls(), fate]).toEqual([at + 1, expect.any(Number)]);
      expect(await takeIn("midtrans", body)).toBe("acked");
      expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid" });
      expect(await readStock(sale.product)).toEqual({ stock: 8, reserved: 0 });
      expect((await booksOf(sale)).map(({ what }) => what)).toEqual(["order-paid"]);
      expect(await jobsOf(sale)).toEqual([
        "mail/order_paid/*",
        "mail/order_received/*",
        "market.shipment/*",
      ]);
    },
  );

  it("and never delivered again is found by the cron", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    await takeIn("midtrans", await paidNotice(sale), dyingContext(quietContext(), 1, "before").ctx);
    await reconcile(sale.orderId);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "paid" });
    expect(await readStock(sale.product)).toEqual({ stock: 8, reserved: 0 });
  });
});
