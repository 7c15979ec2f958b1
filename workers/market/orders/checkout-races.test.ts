import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { api, settleBackground, standIns } from "../../testing/api.ts";
import {
  createProduct,
  createStore,
  createUser,
  type TestStore,
  type TestUser,
  unique,
} from "../../testing/factories.ts";
import { order, orderBody, readStock, twin } from "../../testing/orders.ts";
import { failure, run } from "../testing/catalogue.ts";
import { pickOnPage } from "../testing/sales.ts";

let seller: TestUser;
let buyer: TestUser;
let store: TestStore;

beforeAll(async () => {
  seller = await createUser(["buyer", "seller"]);
  buyer = await createUser();
  store = await createStore(seller);
});

describe("an Idempotency-Key", () => {
  it("makes 20 parallel clicks one order with one answer", async () => {
    const product = await createProduct(store);
    const key = crypto.randomUUID();
    const json = await orderBody(store, [[product, 1]]);
    const call = { method: "POST", token: buyer.token, json, headers: { "idempotency-key": key } };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api("/api/buyer/orders", call)),
    );
    const done = answers.filter(({ status }) => status === 201);
    expect(done.length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    const again = await api("/api/buyer/orders", call);
    expect(new Set([...done, again].map(({ body }) => body.data.order_id)).size).toBe(1);
    expect(again.body.data).toEqual(done[0]?.body.data);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 1 });
  });

  it("is refused with other input, and belongs to one user", async () => {
    const product = await createProduct(store);
    const key = crypto.randomUUID();
    expect((await order(buyer, store, [[product, 1]], { key })).status).toBe(201);
    const other = await order(buyer, store, [[product, 2]], { key });
    expect([other.status, other.body.data]).toEqual([422, null]);
    expect((await order(await createUser(), store, [[product, 2]], { key })).status).toBe(201);
  });
});

describe("a payment provider in trouble", () => {
  const dial = (match: string, dials: object) =>
    twin(standIns().midtrans, "/_dials", { ...dials, match }, "PUT");

  it("leaves an order whose charge may exist to be checked, and a repeat of the click finds it", async () => {
    const product = await createProduct(store, { name: unique("Macet ") });
    await dial(product.name, { refuse: 503 });
    const key = crypto.randomUUID();
    const json = await orderBody(store, [[product, 1]]);
    const call = { method: "POST", token: buyer.token, json, headers: { "idempotency-key": key } };
    const first = await api("/api/buyer/orders", call);
    expect(first.status).toBe(503);
    expect(first.body).toMatchObject({ data: null, meta: { order_id: expect.any(String) } });
    await settleBackground();
    await dial(product.name, {});
    const again = await api("/api/buyer/orders", call);
    expect([again.status, again.body.data?.order_id]).toEqual([201, first.body.meta.order_id]);
  });
});

describe("carts that hold the same goods", () => {
  it("never wait for each other in a circle, beside sellers who change those goods", async () => {
    const goods = await Promise.all(
      Array.from({ length: 4 }, () => createProduct(store, { stock: 60 })),
    );
    const buyers = await Promise.all(Array.from({ length: 30 }, () => createUser()));
    const shuffled = () => goods.toSorted(() => Math.random() - 0.5);
    const orders = buyers.map((one) =>
      order(
        one,
        store,
        shuffled().map((product) => [product, 1]),
      ),
    );
    const changes = goods.map((product) =>
      api(`/api/seller/products/${product.id}`, {
        method: "PUT",
        token: seller.token,
        json: { description: unique("Baru ") },
      }),
    );
    const answers = await Promise.all([...orders, ...changes]);
    expect(answers.map(({ status }) => status).filter((status) => status >= 300)).toEqual([]);
    const placed = await Promise.all(orders);
    for (const product of goods)
      expect(await readStock(product)).toEqual({ stock: 60, reserved: 30 });
    await Promise.all(placed.map(({ body }) => pickOnPage(body.data.payment_url)));
    const ended = await Promise.all(
      placed.map(({ body }, n) =>
        api(`/api/buyer/orders/${body.data.order_id}/cancel`, {
          method: "POST",
          token: buyers[n]?.token ?? "",
        }),
      ),
    );
    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set([200]));
    for (const product of goods)
      expect(await readStock(product)).toEqual({ stock: 60, reserved: 0 });
  });
});

describe("a checkout's input", () => {
  const place = async (changes: object) => {
    const product = await createProduct(store);
    const json = { ...(await orderBody(store, [[product, 1]])), ...changes };
    return await api("/api/buyer/orders", { method: "POST", token: buyer.token, json });
  };
  const line = (fields: object) => ({
    items: [{ product_id: "018f0000-0000-7000-8000-000000000000", quantity: 1, ...fields }],
  });
  const to = (fields: object) => ({
    shipping_address: {
      name: "Pembeli",
      phone: "081298765432",
      street: "Jl. Tebet Raya No. 5",
      area_id: "1141",
      ...fields,
    },
  });

  it.each([
    ["no items", { items: [] }],
    ["items that are no list", { items: { product_id: "x" } }],
    ["too many lines", { items: Array.from({ length: 51 }, () => line({}).items[0]) }],
    ["half a piece", line({ quantity: 0.5 })],
    ["minus one", line({ quantity: -1 })],
    ["a million", line({ quantity: 1_000_000 })],
    ["a number in words", line({ quantity: "1" })],
    ["a product that is no id", line({ product_id: "1 or 1=1" })],
    ["a store that is no id", { store_id: "x" }],
    ["a promo code of numbers", { promo_code: 5 }],
    ["a promo code as long as a novel", { promo_code: "X".repeat(21) }],
    ["a promo code with a NUL", { promo_code: "A\u0000B" }],
    ["no address", { shipping_address: null }],
    ["an address without a district", to({ area_id: "" })],
    ["a street that no courier takes", to({ street: "Jl. A" })],
    ["a phone of another country", to({ phone: "+14155550100" })],
    ["half a surrogate pair", to({ name: "\ud83d" })],
    ["a post code of letters", to({ postal_code: "ABCDE" })],
  ])("of %s is refused with words, in the market's envelope", async (_, changes) => {
    const { status, body } = await place(changes);
    expect([status, body]).toEqual([400, failure(expect.any(String))]);
  });

  it("with SQL and HTML in its texts is kept as it was typed", async () => {
    const name = `Robert'); drop table market_orders;--`;
    const street = "<script>alert(1)</script> No. 5";
    const placed = await place(to({ name, street }));
    const path = `/api/buyer/orders/${placed.body.data.order_id}`;
    const { body: read } = await api(path, { token: buyer.token });
    expect(read.data.shipping_address).toMatchObject({ name, street });
  });

  it("with an unknown or spent promo code costs nothing: neither stock nor a use", async () => {
    const product = await createProduct(store);
    const code = unique("P").slice(0, 18).toUpperCase();
    await run(sql`insert into market_promo_codes (store_id, created_by, code, type, value, max_uses, used_count, starts_at, ends_at)
      values (${store.id}, ${seller.userId}, ${code}, 'fixed', 1000, 1, 1, now() - interval '1 day', now() + interval '1 day')`);
    const { status } = await order(buyer, store, [[product, 1]], { promoCode: code });
    expect(status).toBe(400);
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 0 });
  });
});
