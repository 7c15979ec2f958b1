import { beforeAll, describe, expect, it } from "vitest";
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
  makePromo,
  openShop,
  paidNotice,
  type Sale,
  type Shop,
  sell,
  settle,
  takeIn,
  usesOf,
} from "../testing/sales.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

const pathOf = (id: string) => `/api/buyer/orders/${id}/cancel`;
const cancel = (sale: Sale, token = sale.buyer.token) =>
  api(pathOf(sale.orderId), { method: "POST", token });
const dial = (sale: Sale, dials: object) =>
  twin(standIns().midtrans, "/_dials", { match: sale.qris, ...dials }, "PUT");

describe("POST /api/buyer/orders/:id/cancel", () => {
  it("frees stock and promo use at once, ends the code at the provider, and may be repeated", async () => {
    const promoCode = await makePromo(shop, { maxUses: 1 });
    const sale = await sell(shop, { promoCode });
    const { status, body } = await cancel(sale);
    expect([status, body]).toMatchObject([200, { data: { id: sale.orderId }, error: null }]);
    expect((await cancel(sale)).status).toBe(200);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    expect(await usesOf(promoCode)).toBe(0);
    const charge = await twin(standIns().midtrans, `/_orders/${sale.qris}`, {}, "GET");
    expect(charge).toMatchObject({ status: "expire" });
  });

  it("gives the money back when the order is paid after all", async () => {
    const sale = await sell(shop);
    await cancel(sale);
    await settle(sale, sale.snap);
    await takeIn("midtrans", await paidNotice(sale, sale.snap));
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
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

  it("works while the provider is out of reach", async () => {
    const sale = await sell(shop);
    await dial(sale, { refuse: 503 });
    expect((await cancel(sale)).status).toBe(200);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 0 });
    await dial(sale, {});
    await settle(sale);
    expect(await readOrder(sale.orderId)).toMatchObject({ status: "cancelled" });
    expect((await booksOf(sale)).map(({ what }) => what)).toEqual(["refund"]);
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
    expect([201, 409]).toContain(again.status);
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
