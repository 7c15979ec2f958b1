import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { confirmCharge, reconcileCharges } from "../../../shared/payments/index.ts";
import { api, standIns, testContext } from "../../testing/api.ts";
import { createProduct, createUser, type TestProduct } from "../../testing/factories.ts";
import {
  COURIER_AREA,
  order,
  payAtTwin,
  readOrder,
  readStock,
  twin,
} from "../../testing/orders.ts";
import { failure, run } from "../testing/catalogue.ts";
import {
  booksOf,
  makePromo,
  openShop,
  paidNotice,
  pickOnPage,
  quietContext,
  type Shop,
  sell,
  takeIn,
  usesOf,
} from "../testing/sales.ts";
import { orderSettlement } from "./settlement.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

/** A fault of the payment provider for the orders of one product, or of one reference. */
const dial = (match: string, dials: object = {}) =>
  twin(standIns().midtrans, "/_dials", { match, ...dials }, "PUT");

async function atTwin(ref: string): Promise<string> {
  const found = await twin(standIns().midtrans, `/_orders/${ref}`, {}, "GET");
  return z.object({ status: z.string() }).parse(found).status;
}

const cancel = (orderId: string, { token } = shop.buyer) =>
  api(`/api/buyer/orders/${orderId}/cancel`, { method: "POST", token });

const place = (product: TestProduct, options: object = {}, buyer = shop.buyer) =>
  order(buyer, shop.store, [[product, 1]], { originAreaId: COURIER_AREA, ...options });

async function newestOrderOf({ userId }: { userId: number }): Promise<string> {
  const newest = rows(
    sql`select id from market_orders where buyer_id = ${userId} order by created_at desc limit 1`,
    z.object({ id: z.string() }),
  );
  return await vi.waitFor(async () => {
    const [row] = await testContext().db.run(newest);
    if (!row) throw new Error("no order yet");
    return row.id;
  });
}

async function chargesOf(orderId: string): Promise<string[]> {
  const found = await testContext().db.run(
    rows(
      sql`select c.channel || ' ' || c.state as charge from payments_charges c
        join market_orders o on o.payment_id = c.intent_id where o.id = ${orderId} order by 1`,
      z.object({ charge: z.string() }),
    ),
  );
  return found.map(({ charge }) => charge);
}

/** A run of the minute cron, so many minutes on, that finds this order's charges due. */
async function cron(orderId: string, minutes = 0) {
  await run(sql`update payments_charges c set check_at = now() - interval '1 day' from market_orders o
    where o.id = ${orderId} and o.payment_id = c.intent_id and c.check_at is not null`);
  const now = () => new Date(Date.now() + minutes * 60_000);
  await reconcileCharges({ ...quietContext(), now }, [orderSettlement]);
}

/** What the cron finds when the time to pay on the hosted page is over. */
async function runsOut(orderId: string) {
  const { snap_ref: snap } = await readOrder(orderId);
  const now = () => new Date(Date.now() + 3_600_000);
  await confirmCharge({ ...quietContext(), now }, snap, [orderSettlement]);
}

describe("an order whose payment the provider did not open, cancelled by its buyer", () => {
  it("is opened no more, and its stock and promo use are free minutes later, once", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const product = await createProduct(shop.store, { stock: 1 });
    const buyer = await createUser();
    await dial(product.id, { down: true });
    const placed = await place(product, { promoCode }, buyer);
    expect(placed.status).toBe(503);
    await dial(product.id);
    const orderId = await newestOrderOf(buyer);
    expect((await cancel(orderId, buyer)).status).toBe(200);
    await cron(orderId, 1);
    const { provider_ref: qris, snap_ref: snap } = await readOrder(orderId);
    await expect(atTwin(qris)).rejects.toThrow("404");
    await expect(atTwin(snap)).rejects.toThrow("404");
    await Promise.all(Array.from({ length: 10 }, () => cron(orderId, 3)));
    expect(await chargesOf(orderId)).toEqual(["qris cancelled", "snap cancelled"]);
    expect(await readOrder(orderId)).toMatchObject({
      status: "cancelled",
      intent_state: "expired",
    });
    expect(await readStock(product)).toEqual({ stock: 1, reserved: 0 });
    expect(await usesOf(promoCode)).toBe(0);
    const rival = await place(product, {}, await createUser());
    expect([rival.status, rival.body.error]).toEqual([201, null]);
  });
});

describe("a cancel that the provider did not hear of", () => {
  it("is told to it by the cron, which frees stock and promo use once", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    const { body } = await api(`/api/buyer/orders/${sale.orderId}`, { token: shop.buyer.token });
    await pickOnPage(body.data.payment.payment_url);
    const both = sale.qris.slice(0, -2);
    await dial(both, { refuse: 503 });
    expect((await cancel(sale.orderId)).status).toBe(200);
    await cron(sale.orderId);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 2 });
    await dial(both);
    await Promise.all(Array.from({ length: 5 }, () => cron(sale.orderId)));
    expect([await atTwin(sale.qris), await atTwin(sale.snap)]).toEqual(["expire", "expire"]);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    expect(await usesOf(promoCode)).toBe(0);
  });

  it("leaves a payment that came meanwhile to go back once", async () => {
    const sale = await sell(shop);
    await dial(sale.qris, { refuse: 503 });
    await cancel(sale.orderId);
    await dial(sale.qris);
    await payAtTwin(sale.qris);
    const notice = await paidNotice(sale);
    const runs = Array.from({ length: 5 }, () => cron(sale.orderId));
    await Promise.all([takeIn("midtrans", notice), ...runs]);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    expect(await booksOf(sale)).toEqual([
      { what: "refund", from: "gateway", to: "refund_due", amount: sale.total },
    ]);
  });
});

describe("a cancel in the middle of a checkout", () => {
  it("leaves no code that can be paid, and the checkout says so", async () => {
    const product = await createProduct(shop.store);
    const buyer = await createUser();
    await dial(product.id, { delayMs: 2_500 });
    const slow = place(product, { key: crypto.randomUUID() }, buyer);
    const orderId = await newestOrderOf(buyer);
    expect((await cancel(orderId, buyer)).status).toBe(200);
    const answer = await slow;
    await dial(product.id);
    expect([answer.status, answer.body]).toEqual([
      409,
      failure("Pesanan sudah dibatalkan", { order_id: orderId }),
    ]);
    const { provider_ref: qris } = await readOrder(orderId);
    await vi.waitFor(async () => expect(await atTwin(qris)).toBe("expire"));
    await vi.waitFor(async () =>
      expect(await chargesOf(orderId)).toEqual(["qris expired", "snap pending"]),
    );
    await runsOut(orderId);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
  });

  it("at any moment of it leaves a cancelled order without an open code", async () => {
    const rush = async (pauseMs: number) => {
      const product = await createProduct(shop.store);
      const buyer = await createUser();
      await dial(product.id, { delayMs: 100 });
      const checkout = place(product, {}, buyer);
      const orderId = await newestOrderOf(buyer);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      expect((await cancel(orderId, buyer)).status).toBe(200);
      expect([201, 409]).toContain((await checkout).status);
      const { provider_ref: qris } = await readOrder(orderId);
      await vi.waitFor(async () => {
        await cron(orderId);
        expect(await atTwin(qris)).toBe("expire");
      });
      await runsOut(orderId);
      expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
    };
    await Promise.all([0, 40, 80, 100, 120, 160].map(rush));
  });

  it("is the answer of every repeat of its key", async () => {
    const product = await createProduct(shop.store);
    const key = crypto.randomUUID();
    // One and the same body: a rate's id carries its time.
    const courier = { courier_code: "jne", courier_service_code: "REG23" };
    const first = await place(product, { key, courier });
    const orderId = first.body.data.order_id;
    await cancel(orderId);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => place(product, { key, courier })),
    );
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([
        409,
        failure("Pesanan sudah dibatalkan", { order_id: orderId }),
      ]);
    }
  });
});
