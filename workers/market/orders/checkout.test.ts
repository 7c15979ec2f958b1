import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestProduct,
  type TestStore,
  type TestUser,
  unique,
} from "../../testing/factories.ts";
import { order, orderBody, readOrder, readStock } from "../../testing/orders.ts";

let seller: TestUser;
let buyer: TestUser;
let store: TestStore;

beforeAll(async () => {
  seller = await createUser(["buyer", "seller"]);
  buyer = await createUser();
  store = await createStore(seller);
});

async function makePromo(fields: {
  value?: number;
  maxUses?: number;
  minPurchase?: number;
  platform?: boolean;
}) {
  const code = unique("P").slice(0, 18).toUpperCase();
  await testContext().db.run(
    rows(
      sql`insert into market_promo_codes (store_id, created_by, code, type, value, max_uses, min_purchase, starts_at, ends_at)
        values (${fields.platform ? null : store.id}, ${seller.userId}, ${code}, 'percentage', ${fields.value ?? 10},
          ${fields.maxUses ?? null}, ${fields.minPurchase ?? 0}, now() - interval '1 hour', now() + interval '1 hour')
        returning code`,
      z.object({ code: z.string() }),
    ),
  );
  return code;
}

async function usesOf(code: string): Promise<number> {
  const [row] = await testContext().db.run(
    rows(
      sql`select used_count from market_promo_codes where code = ${code}`,
      z.object({ used_count: z.number() }),
    ),
  );
  return row?.used_count ?? -1;
}

describe("placing an order", () => {
  it("answers with the order, a QRIS code and a payment link, and reserves the stock without taking it", async () => {
    const product = await createProduct(store);
    const { status, body } = await order(buyer, store, [[product, 2]]);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      error: null,
      data: { qr_code: expect.any(String), payment_url: expect.stringMatching(/^http/) },
    });
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 2 });
    expect(await readOrder(body.data.order_id)).toMatchObject({ status: "pending", total: 68_000 });
  });

  it("computes every amount itself, whatever the body claims (TB-2)", async () => {
    const product = await createProduct(store);
    const claim = {
      ...(await orderBody(store, [[product, 1]])),
      total_amount: 1,
      shipping_amount: 0,
      price: 1,
    };
    const { body } = await api("/api/buyer/orders", {
      method: "POST",
      token: buyer.token,
      json: claim,
    });
    expect(await readOrder(body.data.order_id)).toMatchObject({ total: 43_000 });
  });

  it("refuses a shipping rate that was not shown by us", async () => {
    const product = await createProduct(store);
    const { status, body } = await order(buyer, store, [[product, 1]], {
      courier: "eyJwcmljZUlkciI6MH0.forged",
    });
    expect([status, body.data]).toEqual([400, null]);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
  });

  it("refuses a rate for a lighter parcel", async () => {
    const product = await createProduct(store);
    const { status, body } = await order(buyer, store, [[product, 5]], { weightGram: 400 });
    expect([status, body.error]).toEqual([
      409,
      "Berat pesanan berubah. Silakan hitung ulang ongkos kirim.",
    ]);
  });

  it("merges lines of one product and refuses items of another store (TB-6)", async () => {
    const product = await createProduct(store);
    const merged = await order(buyer, store, [
      [product, 1],
      [product, 2],
    ]);
    expect(merged.status).toBe(201);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 3 });
    const other = await createStore(await createUser(["buyer", "seller"]));
    const foreign = await createProduct(other);
    const mixed = await order(buyer, store, [
      [product, 1],
      [foreign, 1],
    ]);
    expect([mixed.status, mixed.body.error]).toEqual([404, "Produk tidak ditemukan di toko ini"]);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 3 });
  });

  it("sells the last unit to one of 50 buyers", async () => {
    const product = await createProduct(store, { stock: 1 });
    const buyers = await Promise.all(Array.from({ length: 50 }, () => createUser()));
    const answers = await Promise.all(buyers.map((one) => order(one, store, [[product, 1]])));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 49 }, () => 409)]);
    expect(await readStock(product)).toEqual({ stock: 1, reserved: 1 });
  });

  it("gives the last use of a promo to one of 50 buyers", async () => {
    const code = await makePromo({ maxUses: 1 });
    const product = await createProduct(store, { stock: 500 });
    const buyers = await Promise.all(Array.from({ length: 50 }, () => createUser()));
    const answers = await Promise.all(
      buyers.map((one) => order(one, store, [[product, 1]], { promoCode: code })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(
      answers.filter(
        ({ status, body }) => status === 400 && body.error === "Kode promo sudah habis digunakan",
      ),
    ).toHaveLength(49);
    expect(await usesOf(code)).toBe(1);
    expect(await readStock(product)).toEqual({ stock: 500, reserved: 1 });
  });

  it("says that a promo leaves nothing to pay, and takes nothing", async () => {
    const product = await createProduct(store);
    const code = await makePromo({ value: 100 });
    const free = await order(buyer, store, [[product, 1]], { promoCode: code, priceIdr: 0 });
    expect([free.status, free.body.error]).toEqual([400, expect.stringContaining("untuk dibayar")]);
    expect([await usesOf(code), await readStock(product)]).toMatchObject([0, { reserved: 0 }]);
  });

  it("says why a promo does not apply", async () => {
    const product = await createProduct(store);
    const minimum = await makePromo({ minPurchase: 1_000_000 });
    const low = await order(buyer, store, [[product, 1]], { promoCode: minimum });
    expect(low.body.error).toBe("Belanja minimal Rp 1.000.000 untuk kode promo ini");
    const unknown = await order(buyer, store, [[product, 1]], { promoCode: "TIDAKADA" });
    expect([unknown.status, unknown.body.error]).toEqual([
      400,
      "Kode promo tidak berlaku di toko ini",
    ]);
  });

  it("takes the promo of the store or of the platform from the goods, not from the shipping", async () => {
    const product = await createProduct(store);
    const code = await makePromo({ value: 100, platform: true });
    const { body } = await order(buyer, store, [[product, 2]], { promoCode: code.toLowerCase() });
    expect(await readOrder(body.data.order_id)).toMatchObject({ total: 18_000 });
  });

  it("sells at today's price, and not at all what was deleted or archived", async () => {
    const product = await createProduct(store);
    const set = (change: ReturnType<typeof sql>) =>
      testContext().db.run(
        rows(
          sql`update market_products set ${change} where id = ${product.id} returning id`,
          z.unknown(),
        ),
      );
    await set(sql`price = 99000`);
    const dearer = await order(buyer, store, [[product, 1]]);
    expect(await readOrder(dearer.body.data.order_id)).toMatchObject({ total: 117_000 });
    await set(sql`status = 'archived'`);
    expect((await order(buyer, store, [[product, 1]])).status).toBe(404);
    await set(sql`status = 'active', deleted_at = now()`);
    expect((await order(buyer, store, [[product, 1]])).status).toBe(404);
  });

  it("refuses a suspended store and one's own", async () => {
    const other = await createUser(["buyer", "seller"]);
    const shop = await createStore(other);
    const product = await createProduct(shop);
    expect((await order(other, shop, [[product, 1]])).status).toBe(409);
    await testContext().db.run(
      rows(
        sql`update market_stores set status = 'suspended' where id = ${shop.id} returning id`,
        z.unknown(),
      ),
    );
    expect((await order(buyer, shop, [[product, 1]])).body).toMatchObject({
      error: "Toko tidak ditemukan",
    });
  });
});

describe("who may place and see orders", () => {
  let product: TestProduct;
  let orderId: string;
  beforeAll(async () => {
    product = await createProduct(store);
    orderId = (await order(buyer, store, [[product, 1]])).body.data.order_id;
  });

  it("is 401 without a token and 400 for a body that does not fit, in the market's envelope", async () => {
    const anonymous = await api("/api/buyer/orders", { method: "POST", json: {} });
    expect([anonymous.status, anonymous.body]).toEqual([
      401,
      { data: null, error: "Unauthorized", meta: {} },
    ]);
    const empty = await api("/api/buyer/orders", {
      method: "POST",
      token: buyer.token,
      json: { items: [] },
    });
    expect(empty.status).toBe(400);
    expect(empty.body).toMatchObject({ data: null, error: expect.any(String) });
  });

  it("shows an order to its buyer with lines, store and payment", async () => {
    const { status, body } = await vi.waitFor(async () => {
      const answer = await api(`/api/buyer/orders/${orderId}`, { token: buyer.token });
      // What the provider answered is recorded behind our own answer.
      expect(answer.body.data.payment.qr_code).not.toBeNull();
      return answer;
    });
    expect(status).toBe(200);
    expect(body.data).toMatchObject({
      id: orderId,
      status: "pending",
      total_amount: 43_000,
      stores: { slug: store.slug },
      order_items: [{ product_id: product.id, quantity: 1, unit_price: 25_000 }],
      shipments: null,
      payment: { state: "pending", qr_code: expect.any(String) },
    });
  });

  it.each(["", "/track"])(
    "hides another's order%s behind the same 404 as a missing one",
    async (path) => {
      const stranger = await createUser();
      const foreign = await api(`/api/buyer/orders/${orderId}${path}`, { token: stranger.token });
      const missing = await api(`/api/buyer/orders/${crypto.randomUUID()}${path}`, {
        token: stranger.token,
      });
      expect([foreign.status, foreign.body]).toEqual([404, missing.body]);
    },
  );

  it("lists only the buyer's own orders, a page at a time", async () => {
    const own = await createUser();
    for (let n = 0; n < 3; n += 1) await order(own, store, [[product, 1]]);
    const { body } = await api("/api/buyer/orders?limit=2&page=2", { token: own.token });
    expect(body.meta).toEqual({ page: 2, limit: 2, total: 3 });
    expect(body.data).toHaveLength(1);
  });
});
