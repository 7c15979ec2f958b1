import { beforeAll, describe, expect, it } from "vitest";
import { api, standIns } from "../../testing/api.ts";
import { createUser } from "../../testing/factories.ts";
import { twin } from "../../testing/orders.ts";
import { failure, refusesStrangers } from "../testing/catalogue.ts";
import { handOver, moveParcel, parcelOfSale } from "../testing/parcels.ts";
import { jobsOf, openShop, type Sale, type Shop, sell, settle, takeIn } from "../testing/sales.ts";

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Every date in an answer, wherever it lies. */
function datesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === "string" && /(_at|_delivery|timestamp)$/.test(key) ? [inner] : datesIn(inner),
  );
}

async function expectMoved(sale: Sale, to: string, method: string): Promise<void> {
  await moveParcel(sale, to);
  await takeIn("kiriminaja", JSON.stringify({ method, data: [{ order_id: sale.number }] }));
}

describe("a seller's orders", () => {
  let shop: Shop;
  let paid: Sale;
  let open: Sale;
  beforeAll(async () => {
    shop = await openShop();
    paid = await sell(shop);
    await handOver(paid);
    open = await sell(shop);
  });
  const get = (path: string, token = shop.seller.token) => api(path, { token });

  it("are listed newest first, with buyer, lines and parcel, every date in ISO and UTC", async () => {
    const { status, body } = await get("/api/seller/orders");
    expect(status).toBe(200);
    expect(body.meta).toEqual({ page: 1, limit: 20, total: 2 });
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual([open.orderId, paid.orderId]);
    expect(body.data[1]).toMatchObject({
      number: paid.number,
      status: "processing",
      total_amount: 68_000,
      subtotal_amount: 50_000,
      shipping_amount: 18_000,
      commission_amount: 2_500,
      payment_method: "qris",
      payment_gateway_id: paid.qris,
      buyer: { id: shop.buyer.userId, full_name: expect.any(String) },
      order_items: [{ product_id: paid.product.id, quantity: 2, unit_price: 25_000 }],
      shipments: { order_id: paid.orderId, status: "pending", courier: "jne", service: "REG23" },
    });
    expect(body.data[0].shipments).toBeNull();
    const dates = datesIn(body.data);
    expect(dates.length).toBeGreaterThan(6);
    for (const date of dates) expect(date).toMatch(ISO);
    expect(JSON.stringify(body)).not.toContain("qr_code");
  });

  it("are found by status, number and buyer's name, with letters as letters", async () => {
    const totals = async (query: string) =>
      (await get(`/api/seller/orders?${query}`)).body.meta.total;
    expect(await totals("status=processing")).toBe(1);
    expect(await totals("status=delivered")).toBe(0);
    expect(await totals(`search=${paid.number.toLowerCase()}`)).toBe(1);
    expect(await totals("search=Uji")).toBe(2);
    expect(await totals("search=%25")).toBe(0);
    expect(await totals("search=_")).toBe(0);
    expect(await totals("limit=1&page=2")).toBe(2);
    expect(await totals("page=99")).toBe(2);
    expect((await get("/api/seller/orders?limit=0&page=-1")).body.meta).toMatchObject({
      limit: 20,
    });
    const wrong = await get("/api/seller/orders?status=lunas");
    expect([wrong.status, wrong.body]).toEqual([400, failure(expect.any(String))]);
  });

  it("are seen one by one with what happened", async () => {
    const { status, body } = await get(`/api/seller/orders/${paid.orderId}`);
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      id: paid.orderId,
      shipping_address: { phone: "081298765432" },
    });
    expect(body.data.timeline.map((line: { status: string }) => line.status)).toEqual([
      "pending",
      "paid",
      "ordered",
    ]);
    for (const date of datesIn(body.data)) expect(date).toMatch(ISO);
  });

  it("belong to their store: the same 404 for another's, a missing one and what is no id", async () => {
    const other = (await openShop()).seller;
    const foreign = await get(`/api/seller/orders/${paid.orderId}`, other.token);
    expect([foreign.status, foreign.body]).toEqual([404, failure("Order not found", {})]);
    for (const id of [crypto.randomUUID(), "x", "'--"]) {
      const missing = await get(`/api/seller/orders/${encodeURIComponent(id)}`, other.token);
      expect([missing.status, missing.body]).toEqual([404, foreign.body]);
    }
    expect((await get("/api/seller/orders", other.token)).body).toMatchObject({ data: [] });
    expect((await get("/api/seller/shipping", other.token)).body).toMatchObject({ data: [] });
    await refusesStrangers(`/api/seller/orders/${paid.orderId}`, {}, "seller");
    await refusesStrangers("/api/seller/orders", {}, "seller");
    await refusesStrangers("/api/seller/shipping", {}, "seller");
  });

  it("have their parcels listed", async () => {
    const { body } = await get("/api/seller/shipping?status=pending");
    expect(body).toMatchObject({
      data: [{ order_id: paid.orderId, status: "pending", kiriminaja_order_id: paid.number }],
      meta: { page: 1, limit: 20, total: 1 },
    });
    expect(Object.keys(body.data[0]).toSorted()).toEqual([
      "courier",
      "delivered_at",
      "estimated_delivery",
      "id",
      "kiriminaja_order_id",
      "order_id",
      "service",
      "shipped_at",
      "status",
      "tracking_code",
    ]);
  });
});

describe("PUT /api/seller/shipping", () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop();
  });
  const put = (sale: Sale, changes: object = {}, token = sale.seller.token) =>
    api("/api/seller/shipping", {
      method: "PUT",
      token,
      json: { order_id: sale.orderId, courier: "pos", tracking_code: "POS998877", ...changes },
    });

  it("records the seller's own parcel, tells the buyer once, and may mend a mistyped number", async () => {
    const sale = await sell(shop);
    await settle(sale);
    const { status, body } = await put(sale);
    expect([status, body.error]).toEqual([200, null]);
    expect(body.data).toMatchObject({
      courier: "pos",
      tracking_code: "POS998877",
      status: "in_transit",
      shipped_at: expect.stringMatching(ISO),
      kiriminaja_order_id: null,
    });
    expect((await put(sale)).status).toBe(200);
    expect((await put(sale, { tracking_code: "POS998878" })).body.data.tracking_code).toBe(
      "POS998878",
    );
    expect(await parcelOfSale(sale)).toMatchObject({ order: "shipped", tracking: "POS998878" });
    const shipped = (await jobsOf(sale)).filter((key) => key.includes("order_shipped"));
    expect(shipped).toEqual(["mail/order_shipped/*/POS998877"]);
  });

  it("never goes back", async () => {
    const sale = await sell(shop);
    await settle(sale);
    expect((await put(sale, { status: "picked_up" })).body.data.status).toBe("picked_up");
    expect((await put(sale, { status: "in_transit" })).body.data.status).toBe("in_transit");
    const back = await put(sale, { status: "picked_up" });
    expect([back.status, back.body]).toEqual([
      409,
      failure("Status pengiriman tidak dapat mundur", { status: "in_transit" }),
    ]);
  });

  it("does not take a parcel out of the courier's hands", async () => {
    const sale = await sell(shop);
    await handOver(sale);
    await expectMoved(sale, "shipped", "shipped_packages");
    const before = await parcelOfSale(sale);
    const { status, body } = await put(sale);
    expect([status, body]).toEqual([
      409,
      failure("Paket sedang dibawa kurir", { status: "in_transit" }),
    ]);
    expect(await parcelOfSale(sale)).toEqual(before);
    const same = await put(sale, { tracking_code: before.tracking });
    expect([same.status, same.body.data.kiriminaja_order_id]).toEqual([200, sale.number]);
  });

  it.each(["delivered", "returned", "cancelled", "pending", "failed", "lunas", 1])(
    "does not let the seller say %s (TB-3)",
    async (said) => {
      const sale = await sell(shop);
      await settle(sale);
      const { status, body } = await put(sale, { status: said });
      expect([status, body]).toEqual([400, failure(expect.any(String))]);
      expect(await parcelOfSale(sale)).toMatchObject({ order: "paid", status: "pending" });
    },
  );

  it.each([
    { tracking_code: "" },
    { tracking_code: "a b c d e" },
    { tracking_code: "x".repeat(41) },
    { tracking_code: "<script>" },
    { courier: "" },
    { courier: "x".repeat(31) },
    { courier: null },
    { order_id: "x" },
    { order_id: undefined },
  ])("refuses %o", async (changes) => {
    const sale = await sell(shop);
    await settle(sale);
    const { status, body } = await put(sale, changes);
    expect([status, body]).toEqual([400, failure(expect.any(String))]);
  });

  it("is only for paid orders that are not over", async () => {
    const open = await sell(shop);
    const unpaid = await put(open);
    expect([unpaid.status, unpaid.body]).toEqual([
      409,
      failure("Pesanan ini tidak dapat dikirim", { status: "pending" }),
    ]);
    const sale = await sell(shop);
    await handOver(sale);
    await expectMoved(sale, "finished", "finished_packages");
    expect((await put(sale)).body.meta).toEqual({ status: "delivered" });
  });

  it("is the store's own: 404 for another seller, 403 for the buyer (TB-3)", async () => {
    const sale = await sell(shop);
    await settle(sale);
    const other = (await openShop()).seller;
    const foreign = await put(sale, {}, other.token);
    expect([foreign.status, foreign.body]).toEqual([404, failure("Order not found", {})]);
    const missing = await put(sale, { order_id: crypto.randomUUID() });
    expect([missing.status, missing.body]).toEqual([404, foreign.body]);
    expect((await put(sale, {}, sale.buyer.token)).status).toBe(403);
    const nobody = await createUser(["seller"]);
    expect((await put(sale, {}, nobody.token)).status).toBe(404);
    await refusesStrangers(
      "/api/seller/shipping",
      {
        method: "PUT",
        json: { order_id: sale.orderId, courier: "pos", tracking_code: "POS12345" },
      },
      "seller",
    );
    expect(await parcelOfSale(sale)).toMatchObject({ order: "paid", status: "pending" });
  });

  it("is not stopped by a courier that is out of reach", async () => {
    const sale = await sell(shop);
    await handOver(sale);
    await expectMoved(sale, "processed", "processed_packages");
    const dials = { match: sale.number, refuse: 503 };
    await twin(standIns().kiriminaja, "/_dials", dials, "PUT");
    expect((await put(sale)).status).toBe(200);
  });
});
