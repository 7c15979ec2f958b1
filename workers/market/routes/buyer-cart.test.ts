import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createProduct, createUser, type TestUser } from "../../testing/factories.ts";
import { createShop, failure, refusesStrangers, run } from "../testing/catalogue.ts";

const path = "/api/buyer/cart";
const cartOf = async (user: TestUser) => (await api(path, { token: user.token })).body.data;
const set = (user: TestUser, product_id: unknown, quantity: unknown) =>
  api(path, { method: "POST", token: user.token, json: { product_id, quantity } });
const remove = (user: TestUser, query = "") =>
  api(path + query, { method: "DELETE", token: user.token });

const empty = { items: [], stores: [], subtotal: 0, count: 0 };
const firstId = "00000000-0000-7000-8000-000000000000";

describe("every cart route", () => {
  it("is for buyers", async () => {
    await refusesStrangers(path, {}, "buyer");
    await refusesStrangers(path, { method: "POST", json: {} }, "buyer");
    await refusesStrangers(path, { method: "DELETE" }, "buyer");
  });

  it("touches the actor's own cart only", async () => {
    const { store } = await createShop();
    const product = await createProduct(store);
    const [buyer, other] = [await createUser(), await createUser()];
    await set(buyer, product.id, 1);
    expect(await cartOf(other)).toEqual(empty);
    await remove(other, `?product_id=${product.id}`);
    await remove(other);
    expect((await cartOf(buyer)).count).toBe(1);
  });
});

describe("POST /api/buyer/cart", () => {
  it("answers 201 for a new line, then sets its quantity, and 0 takes it out", async () => {
    const { store } = await createShop();
    const product = await createProduct(store, { price: 12_000, weightGram: 300 });
    const buyer = await createUser();
    const added = await set(buyer, product.id, 2);
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      error: null,
      data: {
        subtotal: 24_000,
        count: 1,
        items: [
          {
            product_id: product.id,
            store_id: store.id,
            name: product.name,
            price: 12_000,
            quantity: 2,
            subtotal: 24_000,
            weight_gram: 300,
            image_url: null,
            stock: 10,
            available: true,
            price_changed: false,
            message: null,
            stores: { id: store.id, slug: store.slug },
          },
        ],
        stores: [{ id: store.id, subtotal: 24_000, weight_gram: 600, product_ids: [product.id] }],
      },
    });
    const changed = await set(buyer, product.id, 5);
    expect([changed.status, changed.body.data.items[0].quantity]).toEqual([200, 5]);
    const gone = await set(buyer, product.id, 0);
    expect([gone.status, gone.body.data]).toEqual([200, empty]);
  });

  it("refuses more than there is, what is not sold, and what is no line", async () => {
    const { store } = await createShop();
    const product = await createProduct(store, { stock: 3 });
    const draft = await createProduct(store, { status: "draft" });
    const buyer = await createUser();
    const much = await set(buyer, product.id, 4);
    expect([much.status, much.body]).toEqual([409, failure("Stok tersisa 3", { available: 3 })]);
    for (const id of [draft.id, firstId]) {
      const { status, body } = await set(buyer, id, 1);
      expect([status, body]).toEqual([404, failure("Produk tidak ditemukan", {})]);
    }
    const wrong = [
      [product.id, -1],
      [product.id, 1.5],
      [product.id, "1"],
      [product.id, 1000],
      [product.id, null],
      ["x", 1],
      [5, 1],
    ];
    for (const [id, quantity] of wrong) {
      const { status, body } = await set(buyer, id, quantity);
      expect([status, body]).toEqual([400, failure(expect.any(String))]);
    }
    expect(await cartOf(buyer)).toEqual(empty);
  });

  it("never holds more than a hundred lines, also when they come at once", async () => {
    const { store } = await createShop();
    const buyer = await createUser();
    await run(sql`with p as (
        insert into market_products (store_id, name, price, stock, weight_gram, status)
        select ${store.id}, 'Baris ' || g, 1000, 5, 100, 'active' from generate_series(1, 99) g returning id)
      insert into market_cart_items (user_id, product_id, quantity, seen_price)
      select ${buyer.userId}, id, 1, 1000 from p`);
    const more = await Promise.all([1, 2, 3].map(() => createProduct(store)));
    const answers = await Promise.all(more.map(({ id }) => set(buyer, id, 1)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body).toEqual(failure("Keranjang penuh: maksimal 100 produk", {}));
    expect((await cartOf(buyer)).count).toBe(100);
  });
});

describe("GET /api/buyer/cart", () => {
  it("shows what has become of each product meanwhile", async () => {
    const { store } = await createShop();
    const buyer = await createUser();
    const fields = { price: 10_000, stock: 5 };
    const changes = {
      dearer: sql`price = 12000`,
      fewer: sql`reserved = 4`,
      deleted: sql`deleted_at = now()`,
      archived: sql`status = 'archived'`,
      same: sql`name = name`,
    };
    const ids: Record<string, string> = {};
    for (const [what, change] of Object.entries(changes)) {
      const { id } = await createProduct(store, fields);
      ids[what] = id;
      await set(buyer, id, 2);
      await run(sql`update market_products set ${change} where id = ${id}`);
    }
    const cart = await cartOf(buyer);
    const told = (what: string) =>
      cart.items.find((item: { product_id: string }) => item.product_id === ids[what]);
    expect(told("dearer")).toMatchObject({
      available: true,
      price: 12_000,
      price_changed: true,
      previous_price: 10_000,
      message: "Harga berubah dari Rp10.000 menjadi Rp12.000",
    });
    expect(told("fewer")).toMatchObject({ available: false, stock: 1, message: "Stok tersisa 1" });
    for (const what of ["deleted", "archived"]) {
      expect(told(what)).toMatchObject({ available: false, message: "Produk sudah tidak dijual" });
    }
    expect(told("same")).toMatchObject({ available: true, message: null });
    expect(cart.subtotal).toBe(44_000);
  });

  it("groups by store, since one order is one store", async () => {
    const [a, b] = [await createShop(), await createShop()];
    const buyer = await createUser();
    await set(buyer, (await createProduct(a.store)).id, 1);
    await set(buyer, (await createProduct(b.store)).id, 2);
    const { stores, subtotal } = await cartOf(buyer);
    expect(stores).toMatchObject([
      { id: b.store.id, subtotal: 50_000 },
      { id: a.store.id, subtotal: 25_000 },
    ]);
    expect(subtotal).toBe(75_000);
  });
});

describe("DELETE /api/buyer/cart", () => {
  it("takes one product out, or all, and is content when there is none", async () => {
    const { store } = await createShop();
    const buyer = await createUser();
    const [kept, gone] = [await createProduct(store), await createProduct(store)];
    await set(buyer, kept.id, 1);
    await set(buyer, gone.id, 1);
    for (let times = 0; times < 2; times++) {
      const { status, body } = await remove(buyer, `?product_id=${gone.id}`);
      expect([
        status,
        body.data.items.map((item: { product_id: string }) => item.product_id),
      ]).toEqual([200, [kept.id]]);
    }
    expect((await remove(buyer, "?product_id=x")).status).toBe(400);
    expect((await remove(buyer)).body.data).toEqual(empty);
  });
});
