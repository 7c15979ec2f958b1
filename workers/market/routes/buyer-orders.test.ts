import { beforeAll, describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createProduct, createUser } from "../../testing/factories.ts";
import { balance, order } from "../../testing/orders.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import { handOver, moveParcel } from "../testing/parcels.ts";
import { openShop, type Sale, type Shop, sell, settle, takeIn } from "../testing/sales.ts";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

async function shipped(shop: Shop): Promise<Sale> {
  const sale = await sell(shop);
  await handOver(sale);
  await moveParcel(sale, "shipped");
  const body = JSON.stringify({ method: "shipped_packages", data: [{ order_id: sale.number }] });
  await takeIn("kiriminaja", body);
  return sale;
}

describe("GET /api/buyer/orders/:id", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  const read = (sale: Sale, path = "") =>
    api(`/api/buyer/orders/${sale.orderId}${path}`, { token: sale.buyer.token });

  it("shows how to pay while it can be paid, and not after", async () => {
    const sale = await sell(shop);
    expect((await read(sale)).body.data.payment).toEqual({
      state: "pending",
      expires_at: expect.stringMatching(ISO),
      qr_code: expect.any(String),
      qr_image_url: expect.any(String),
      payment_url: expect.stringMatching(/^http/),
    });
    await settle(sale);
    expect((await read(sale)).body.data).toMatchObject({
      status: "paid",
      payment: { state: "paid", qr_code: null, qr_image_url: null, payment_url: null },
    });
  });

  it("has the contract's order, with dates in ISO and UTC", async () => {
    const { body } = await read(await shipped(shop));
    const order = body.data;
    for (const date of [order.created_at, order.updated_at, order.expires_at, order.paid_at]) {
      expect(date).toMatch(ISO);
    }
    expect(order.shipments.shipped_at).toMatch(ISO);
    expect(order).toMatchObject({
      buyer_id: shop.buyer.userId,
      store_id: shop.store.id,
      status: "shipped",
      source: "web",
      discount_amount: 0,
      delivered_at: null,
      shipping_tracking_code: order.shipments.tracking_code,
      stores: { slug: shop.store.slug },
    });
    expect(order).not.toHaveProperty("commission_amount");
  });

  it("is tracked with what happened, newest first", async () => {
    const { status, body } = await read(await shipped(shop), "/track");
    expect(status).toBe(200);
    const dates = body.data.timeline.map((line: { occurred_at: string }) => line.occurred_at);
    for (const date of dates) expect(date).toMatch(ISO);
    expect(body.data).toMatchObject({
      status: "shipped",
      timeline: [
        { status: "in_transit", description: "Paket dalam perjalanan" },
        { status: "pending" },
        { status: "paid" },
        { status: "ordered" },
      ],
    });
  });

  it("refuses strangers", async () => {
    const sale = await sell(shop);
    await refusesStrangers(`/api/buyer/orders/${sale.orderId}`, {}, "buyer");
    await refusesStrangers(`/api/buyer/orders/${sale.orderId}/track`, {}, "buyer");
    await refusesStrangers("/api/buyer/orders", {}, "buyer");
    const json = { items: [] };
    await refusesStrangers("/api/buyer/orders", { method: "POST", json }, "buyer");
  });
});

describe("GET /api/buyer/orders", () => {
  it("counts all orders of a status, also past the last page", async () => {
    const shop = await openShop();
    await settle(await sell(shop));
    await sell(shop);
    await sell(shop);
    const list = async (query: string) =>
      (await api(`/api/buyer/orders?${query}`, { token: shop.buyer.token })).body;
    expect((await list("")).meta).toEqual({ page: 1, limit: 20, total: 3 });
    expect(await list("status=pending&page=7")).toMatchObject({
      data: [],
      meta: { page: 7, limit: 20, total: 2 },
    });
    expect((await list("status=paid")).data).toHaveLength(1);
    expect((await list("limit=0&page=x")).meta).toEqual({ page: 1, limit: 20, total: 3 });
    expect(await list("status=lunas")).toEqual(failure(expect.any(String)));
  });
});

describe("POST /api/buyer/orders/:id/received", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  const received = (sale: Sale, token = sale.buyer.token) =>
    api(`/api/buyer/orders/${sale.orderId}/received`, { method: "POST", token });

  it("delivers a sent parcel and pays the seller, once, also when pressed twenty times", async () => {
    const own = await openShop();
    const sale = await shipped(own);
    const answers = await Promise.all(Array.from({ length: 20 }, () => received(sale)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers[0]?.body).toMatchObject({ data: { id: sale.orderId }, error: null });
    expect(await balance("wallet", own.seller.userId)).toBe(47_500);
    expect(await balance("escrow", own.store.id)).toBe(0);
  });

  it("answers an Idempotency-Key again, and refuses it for another order", async () => {
    const own = await openShop();
    const sale = await shipped(own);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const call = { method: "POST", token: sale.buyer.token, headers };
    const path = (orderId: string) => `/api/buyer/orders/${orderId}/received`;
    expect((await api(path(sale.orderId), call)).status).toBe(200);
    expect((await api(path(sale.orderId), call)).status).toBe(200);
    const product = await createProduct(own.store);
    const other = await order(sale.buyer, own.store, [[product, 1]]);
    expect((await api(path(other.body.data.order_id), call)).status).toBe(422);
  });

  it("is too early before the parcel was sent", async () => {
    const open = await sell(shop);
    expect((await received(open)).body).toEqual(
      failure("Pesanan ini belum dikirim", { status: "pending" }),
    );
    await handOver(open);
    const { status, body } = await received(open);
    expect([status, body.meta]).toEqual([409, { status: "processing" }]);
    expect(await balance("wallet", shop.seller.userId)).toBe(0);
  });

  it("is the buyer's to say: nobody else, not even the seller", async () => {
    const sale = await shipped(shop);
    const stranger = await createUser();
    const foreign = await received(sale, stranger.token);
    expect([foreign.status, foreign.body]).toEqual([404, failure("Order not found", {})]);
    expect((await received(sale, sale.seller.token)).status).toBe(404);
    const path = `/api/buyer/orders/${sale.orderId}/received`;
    await refusesStrangers(path, { method: "POST" }, "buyer");
    expect(await balance("wallet", shop.seller.userId)).toBe(0);
  });
});
