import { beforeAll, describe, expect, it } from "vitest";
import { confirmCharge } from "../../../shared/payments/index.ts";
import { api, standIns } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import {
  COURIER_AREA,
  orderBody,
  payAtTwin,
  readOrder,
  readStock,
  twin,
} from "../../testing/orders.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import {
  booksOf,
  dyingContext,
  type Kill,
  makePromo,
  openShop,
  paidNotice,
  pickOnPage,
  quietContext,
  type Sale,
  type Shop,
  sell,
  settle,
  takeIn,
  usesOf,
} from "../testing/sales.ts";
import { cancelOrder } from "./cancel.ts";
import { orderSettlement } from "./settlement.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

const pathOf = (id: string) => `/api/buyer/orders/${id}/cancel`;
const cancel = (sale: Sale, token = sale.buyer.token) =>
  api(pathOf(sale.orderId), { method: "POST", token });

/** What an order's product and promo have left: `reserved` and `uses` are what orders hold of them. */
const holdsOf = async (sale: Sale, promoCode: string) => ({
  ...(await readStock(sale.product)),
  uses: await usesOf(promoCode),
});

const sellersView = async (sale: Sale) =>
  (await api(`/api/seller/orders/${sale.orderId}`, { token: shop.seller.token })).body.data;

/** What the cron finds when the time to pay on the hosted page is over. */
async function pageRunsOut(sale: Sale, ctx = quietContext()) {
  const now = () => new Date(Date.now() + 3_600_000);
  await confirmCharge({ ...ctx, now }, sale.snap, [orderSettlement]);
}

async function paymentUrlOf(sale: Sale): Promise<string> {
  const { body } = await api(`/api/buyer/orders/${sale.orderId}`, { token: shop.buyer.token });
  return body.data.payment.payment_url;
}

const dial = (sale: Sale, dials: object) =>
  twin(standIns().midtrans, "/_dials", { match: sale.qris, ...dials }, "PUT");

describe("POST /api/buyer/orders/:id/cancel", () => {
  it("closes the order at once, ends the code at the provider, and may be repeated", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    const { status, body } = await cancel(sale);
    expect([status, body]).toMatchObject([200, { data: { id: sale.orderId }, error: null }]);
    expect((await cancel(sale)).status).toBe(200);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    const charge = await twin(standIns().midtrans, `/_orders/${sale.qris}`, {}, "GET");
    expect(charge).toMatchObject({ status: "expire" });
  });

  it("holds stock and promo use until the payment page that nobody can close runs out, and frees them once", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    await cancel(sale);
    expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 2, uses: 1 });
    expect(await sellersView(sale)).toMatchObject({ status: "cancelled", stock_held: true });
    await confirmCharge(quietContext(), sale.snap, [orderSettlement]);
    expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 2, uses: 1 });
    await Promise.all(Array.from({ length: 20 }, () => pageRunsOut(sale)));
    expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 0, uses: 0 });
    expect(await sellersView(sale)).toMatchObject({ status: "cancelled", stock_held: false });
    expect(await booksOf(sale)).toEqual([]);
  });

  it("frees them at once when the provider closes everything, in the buyer's name and not into his cart", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    await pickOnPage(await paymentUrlOf(sale));
    expect((await cancel(sale)).status).toBe(200);
    expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 0, uses: 0 });
    expect(await sellersView(sale)).toMatchObject({ closed_reason: "Dibatalkan pembeli" });
    const cart = await api("/api/buyer/cart", { token: shop.buyer.token });
    expect(JSON.stringify(cart.body.data)).not.toContain(sale.product.id);
    expect((await cancel(sale)).status).toBe(200);
    expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 0, uses: 0 });
  });

  it("gives the money back once when the page is paid after all, and the stock with it", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    await cancel(sale);
    await payAtTwin(sale.snap);
    const notice = await paidNotice(sale, sale.snap);
    await Promise.all(Array.from({ length: 10 }, () => takeIn("midtrans", notice)));
    await pageRunsOut(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 0, uses: 0 });
    expect(await booksOf(sale)).toEqual([
      { what: "refund", from: "gateway", to: "refund_due", amount: sale.total },
    ]);
  });

  it("finds a payment whose notice is on its way, and keeps the order", async () => {
    const sale = await sell(shop);
    await payAtTwin(sale.qris);
    const { status, body } = await cancel(sale);
    expect([status, body.data]).toEqual([409, null]);
    expect(await readOrder(sale.orderId)).toMatchObject({ intent_state: "paid" });
    expect(await readStock(sale.product)).toEqual({ stock: 8, reserved: 0 });
  });

  it("works while the provider is out of reach, and holds what the code could still pay", async () => {
    const sale = await sell(shop);
    await dial(sale, { refuse: 503 });
    expect((await cancel(sale)).status).toBe(200);
    await pageRunsOut(sale);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 2 });
    await dial(sale, {});
    await settle(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    expect((await booksOf(sale)).map(({ what }) => what)).toEqual(["refund"]);
  });

  it("asks the provider again when it is repeated, and frees what that closes", async () => {
    const sale = await sell(shop);
    await dial(sale, { refuse: 503 });
    await cancel(sale);
    await pageRunsOut(sale);
    await dial(sale, {});
    expect((await cancel(sale)).status).toBe(200);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
  });

  it("is one however often it is clicked at once", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    await pickOnPage(await paymentUrlOf(sale));
    const answers = await Promise.all(Array.from({ length: 20 }, () => cancel(sale)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 0, uses: 0 });
  });

  it("beside a payment leaves the order paid, or cancelled with its money going back once", async () => {
    const rush = async (sale: Sale, promoCode: string) => {
      const [{ status }] = await Promise.all([cancel(sale), settle(sale, sale.snap)]);
      const order = await readOrder(sale.orderId);
      const isPaid = order.status === "paid";
      expect([status, order.status]).toEqual(isPaid ? [409, "paid"] : [200, "cancelled"]);
      expect(await holdsOf(sale, promoCode)).toEqual(
        isPaid ? { stock: 8, reserved: 0, uses: 1 } : { stock: 10, reserved: 0, uses: 0 },
      );
      expect((await booksOf(sale)).map(({ what }) => what)).toEqual([
        isPaid ? "order-paid" : "refund",
      ]);
    };
    for (let n = 0; n < 8; n += 1) {
      const promoCode = await makePromo(shop, { maxUses: 1 });
      await rush(await sell(shop, { promoCode }), promoCode);
    }
  });

  it("opens no new code when the click that placed the order is repeated", async () => {
    const sale = await sell(shop);
    const json = await orderBody(shop.store, [[sale.product, 1]], { originAreaId: COURIER_AREA });
    const click = {
      method: "POST",
      token: shop.buyer.token,
      json,
      headers: { "idempotency-key": crypto.randomUUID() },
    };
    const first = await api("/api/buyer/orders", click);
    await api(pathOf(first.body.data.order_id), { method: "POST", token: shop.buyer.token });
    const again = await api("/api/buyer/orders", click);
    expect([again.status, again.body.error]).toEqual([409, "Pesanan sudah dibatalkan"]);
    const path = `/api/buyer/orders/${first.body.data.order_id}`;
    const { body } = await api(path, { token: shop.buyer.token });
    expect(body.data).toMatchObject({
      status: "cancelled",
      closed_reason: "Dibatalkan pembeli",
      payment: { qr_code: null, payment_url: null },
    });
  });

  it("is the buyer's own: the same 404 for another's, a missing one and what is no id", async () => {
    const sale = await sell(shop);
    const stranger = await createUser(["buyer", "seller"]);
    const foreign = await cancel(sale, stranger.token);
    expect([foreign.status, foreign.body]).toEqual([404, failure("Order not found", {})]);
    for (const id of [crypto.randomUUID(), "x", "1;drop"]) {
      const missing = await api(pathOf(id), { method: "POST", token: stranger.token });
      expect([missing.status, missing.body]).toEqual([foreign.status, foreign.body]);
    }
    const seller = await cancel(sale, shop.seller.token);
    expect(seller.status).toBe(404);
    await refusesStrangers(pathOf(sale.orderId), { method: "POST" }, "buyer");
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "pending" });
  });

  it("is too late once the order is paid", async () => {
    const sale = await sell(shop);
    await settle(sale);
    const { status, body } = await cancel(sale);
    expect([status, body]).toEqual([
      409,
      failure("Pesanan ini tidak dapat dibatalkan lagi", { status: "paid" }),
    ]);
  });
});

describe("a cancel that is killed", () => {
  /** The charges are read, each is found again, the code's end is recorded, the order is closed. */
  const STEPS = 5;
  const deaths = Array.from({ length: STEPS }, (_, at) => at).flatMap((at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]);

  it.each(deaths)(
    "at its call %i of the database, %s it runs, is done by the next, and what it held is free once",
    async (at, kill) => {
      const promoCode = await makePromo(shop, { maxUses: 1 });
      const sale = await sell(shop, { promoCode });
      const ctx = { ...quietContext(), actor: shop.buyer };
      const dying = dyingContext(ctx, at, kill);
      await cancelOrder(dying.ctx, sale.orderId).catch(() => undefined);
      expect(dying.calls()).toBeGreaterThan(at);
      expect(await cancelOrder(ctx, sale.orderId)).toEqual({ id: sale.orderId });
      expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 2, uses: 1 });
      await pageRunsOut(sale);
      expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
      expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 0, uses: 0 });
    },
  );

  it.each<Kill>(["before", "after"])(
    "where its page runs out, %s that is recorded, frees what it held once",
    async (kill) => {
      const promoCode = await makePromo(shop, { maxUses: 1 });
      const sale = await sell(shop, { promoCode });
      await cancel(sale);
      await expect(pageRunsOut(sale, dyingContext(quietContext(), 1, kill).ctx)).rejects.toThrow();
      await pageRunsOut(sale);
      await pageRunsOut(sale);
      expect(await holdsOf(sale, promoCode)).toEqual({ stock: 10, reserved: 0, uses: 0 });
    },
  );
});
