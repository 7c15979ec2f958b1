import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { api } from "../../testing/api.ts";
import { createProduct, createUser, type TestUser, unique } from "../../testing/factories.ts";
import { createShop, failure, imageUrl, refusesStrangers, run } from "../testing/catalogue.ts";

const path = "/api/seller/products";
const post = (user: TestUser, json: unknown) =>
  api(path, { method: "POST", token: user.token, json });
const get = (user: TestUser, rest = "") => api(path + rest, { token: user.token });
const put = (user: TestUser, id: string, json: unknown) =>
  api(`${path}/${id}`, { method: "PUT", token: user.token, json });
const remove = (user: TestUser, id: string) =>
  api(`${path}/${id}`, { method: "DELETE", token: user.token });

const kopi = { name: "Kopi Hitam", price: 15_000, stock: 4, weight_gram: 250, status: "active" };
const missing = [404, failure("Produk tidak ditemukan", {})];
const firstId = "00000000-0000-7000-8000-000000000000";

describe("every product route", () => {
  it("is for sellers", async () => {
    await refusesStrangers(path, {}, "seller");
    await refusesStrangers(path, { method: "POST", json: kopi }, "seller");
    await refusesStrangers(`${path}/${firstId}`, {}, "seller");
    await refusesStrangers(`${path}/${firstId}`, { method: "PUT", json: {} }, "seller");
    await refusesStrangers(`${path}/${firstId}`, { method: "DELETE" }, "seller");
  });

  it("answers somebody else's product, a missing one and rubbish alike", async () => {
    const { store } = await createShop();
    const product = await createProduct(store);
    const { seller: stranger } = await createShop();
    for (const id of [product.id, firstId, "1 or 1=1", "%00"]) {
      const answers = [
        await get(stranger, `/${encodeURIComponent(id)}`),
        await put(stranger, encodeURIComponent(id), { price: 1 }),
        await remove(stranger, encodeURIComponent(id)),
      ];
      for (const { status, body } of answers) expect([status, body], id).toEqual(missing);
    }
  });

  it("asks a seller without a store to open one", async () => {
    const seller = await createUser(["seller"]);
    for (const answer of [await get(seller), await post(seller, kopi)]) {
      expect([answer.status, answer.body]).toEqual([404, failure("Toko belum dibuat", {})]);
    }
  });
});

describe("POST /api/seller/products", () => {
  it("answers 201 with the product and its images, one of them primary", async () => {
    const { seller, store } = await createShop();
    const images = [
      { url: imageUrl(seller, "a").replace("http://localhost:8787", "") },
      { url: imageUrl(seller, "b"), is_primary: true },
      { url: imageUrl(seller, "c"), is_primary: true, is_ai_enhanced: true },
    ];
    const { status, body } = await post(seller, { ...kopi, images, is_featured: true });
    expect(status).toBe(201);
    expect(body.data).toMatchObject({
      ...kopi,
      store_id: store.id,
      category_id: null,
      description: null,
      reserved: 0,
      is_featured: false,
      deleted_at: null,
    });
    expect(body.data.product_images).toMatchObject([
      { product_id: body.data.id, url: imageUrl(seller, "a"), is_primary: false, sort_order: 0 },
      { url: imageUrl(seller, "b"), is_primary: true, sort_order: 1 },
      { url: imageUrl(seller, "c"), is_primary: false, is_ai_enhanced: true, sort_order: 2 },
    ]);
    expect((await get(seller, `/${body.data.id}`)).body.data).toEqual(body.data);
  });

  it("takes a known category and refuses an unknown one with words", async () => {
    const { seller } = await createShop();
    const [category] = (await api("/api/buyer/categories")).body.data;
    const made = await post(seller, { ...kopi, category_id: category.id });
    expect(made.body.data.category_id).toBe(category.id);
    const refused = await post(seller, { ...kopi, category_id: firstId });
    expect([refused.status, refused.body]).toEqual([400, failure("Kategori tidak ditemukan")]);
  });

  it("needs a weight before it sells, since no courier takes a parcel without", async () => {
    const { seller } = await createShop();
    const refused = await post(seller, { ...kopi, weight_gram: 0 });
    expect([refused.status, refused.body]).toEqual([
      400,
      failure(expect.stringContaining("berat"), { fields: { weight_gram: "Minimal 1 gram" } }),
    ]);
    expect((await post(seller, { ...kopi, weight_gram: 0, status: "draft" })).status).toBe(201);
  });

  it("refuses wrong types, foreign pictures and more than ten", async () => {
    const { seller } = await createShop();
    const stranger = await createUser(["seller"]);
    const wrong = [
      { name: 1 },
      { name: "x" },
      { name: "\u200b\u200b\u202e\u2066" },
      { price: "15000" },
      { price: 0 },
      { price: 1.5 },
      { price: 1e18 },
      { stock: -1 },
      { stock: 1e12 },
      { weight_gram: 0.5 },
      { status: "sold" },
      { category_id: "x" },
      { description: 5 },
      { images: "x" },
      { images: [{ url: imageUrl(stranger) }] },
      { images: [{ url: "http://169.254.169.254/latest" }] },
      { images: Array.from({ length: 11 }, () => ({ url: imageUrl(seller) })) },
    ];
    for (const change of wrong) {
      const { status, body } = await post(seller, { ...kopi, ...change });
      const told = [status, body];
      expect(told, JSON.stringify(change).slice(0, 80)).toEqual([400, failure(expect.any(String))]);
    }
    const broken = await api(path, {
      method: "POST",
      token: seller.token,
      body: "{",
      headers: { "content-type": "application/json" },
    });
    expect([broken.status, broken.body]).toEqual([400, failure(expect.any(String))]);
    expect((await get(seller)).body.meta.total).toBe(0);
  });
});

describe("GET /api/seller/products", () => {
  it("lists newest first, with paging that forgives and the whole total", async () => {
    const { seller, store } = await createShop();
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await createProduct(store)).id);
    const idsOf = async (query: string) => {
      const { body } = await get(seller, query);
      return { ids: body.data.map(({ id }: { id: string }) => id), meta: body.meta };
    };
    expect(await idsOf("?page=2&limit=2")).toEqual({
      ids: made.slice(2, 4),
      meta: { page: 2, limit: 2, total: 5 },
    });
    expect(await idsOf("?page=9&limit=2")).toEqual({
      ids: [],
      meta: { page: 9, limit: 2, total: 5 },
    });
    for (const query of ["?page=NaN&limit=0", "?page=-1&limit=", "?page=1e999&limit=abc"]) {
      expect(await idsOf(query)).toEqual({ ids: made, meta: { page: 1, limit: 20, total: 5 } });
    }
  });

  it("filters by status and by words of the name, where % and _ are letters", async () => {
    const { seller, store } = await createShop();
    await createProduct(store, { name: "Kopi 100% Arabika" });
    await createProduct(store, { name: "Kopi Robusta", status: "draft" });
    const names = async (query: string) =>
      (await get(seller, query)).body.data.map(({ name }: { name: string }) => name);
    expect(await names("?search=arabika%20KOPI")).toEqual(["Kopi 100% Arabika"]);
    expect(await names("?q=100%25")).toEqual(["Kopi 100% Arabika"]);
    expect(await names("?search=_")).toEqual([]);
    expect(await names("?status=draft")).toEqual(["Kopi Robusta"]);
    expect(await names("?search=%00'")).toEqual([]);
    expect((await get(seller, "?status=sold")).status).toBe(400);
  });

  it("shows nobody else's", async () => {
    const { store } = await createShop();
    await createProduct(store);
    const { seller: stranger } = await createShop();
    expect((await get(stranger)).body.data).toEqual([]);
  });
});

describe("PUT /api/seller/products/:id", () => {
  it("changes what is given and keeps the rest, images too", async () => {
    const { seller } = await createShop();
    const images = [{ url: imageUrl(seller) }];
    const made = (await post(seller, { ...kopi, images })).body.data;
    const { status, body } = await put(seller, made.id, { price: 17_000, description: "Baru" });
    expect(status).toBe(200);
    expect(body.data).toEqual({
      ...made,
      price: 17_000,
      description: "Baru",
      updated_at: body.data.updated_at,
    });
  });

  it("replaces all images when some are given, also by none", async () => {
    const { seller } = await createShop();
    const images = [{ url: imageUrl(seller, "a") }, { url: imageUrl(seller, "b") }];
    const { id } = (await post(seller, { ...kopi, images })).body.data;
    const one = await put(seller, id, { images: [{ url: imageUrl(seller, "c") }] });
    expect(one.body.data.product_images).toMatchObject([
      { url: imageUrl(seller, "c"), is_primary: true },
    ]);
    const none = await put(seller, id, { images: [] });
    expect(none.body.data.product_images).toEqual([]);
    expect((await get(seller, `/${id}`)).body.data.product_images).toEqual([]);
  });

  it("keeps the images of one of many saves at once, not of all", async () => {
    const { seller, store } = await createShop();
    const { id } = await createProduct(store);
    const letters = [..."abcdef"];
    await Promise.all(
      letters.map((letter) => put(seller, id, { images: [{ url: imageUrl(seller, letter) }] })),
    );
    expect((await get(seller, `/${id}`)).body.data.product_images).toHaveLength(1);
  });

  it("never lets stock fall below what unpaid orders hold", async () => {
    const { seller, store } = await createShop();
    const { id } = await createProduct(store, { stock: 5 });
    await run(sql`update market_products set reserved = 3 where id = ${id}`);
    const refused = await put(seller, id, { stock: 2, price: 1 });
    expect([refused.status, refused.body]).toEqual([
      409,
      failure("Stok tidak boleh kurang dari 3 yang sedang dipesan pembeli", { reserved: 3 }),
    ]);
    expect((await get(seller, `/${id}`)).body.data).toMatchObject({ stock: 5, price: 25_000 });
    expect((await put(seller, id, { stock: 3 })).body.data).toMatchObject({
      stock: 3,
      reserved: 3,
    });
  });

  it("loses no stock that is sold while the seller edits something else", async () => {
    const { seller, store } = await createShop();
    const { id } = await createProduct(store, { stock: 30 });
    const sell = () => run(sql`update market_products set stock = stock - 1 where id = ${id}`);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const [{ status }] = await Promise.all([put(seller, id, { name: `Kopi ${i}` }), sell()]);
        return status;
      }),
    );
    expect(new Set(answers)).toEqual(new Set([200]));
    expect((await get(seller, `/${id}`)).body.data.stock).toBe(10);
  });

  it("leaves featuring, owner and reservations alone (TB-5)", async () => {
    const { seller, store } = await createShop();
    const { id } = await createProduct(store);
    const given = { is_featured: true, reserved: 9, store_id: firstId, deleted_at: "2020-01-01" };
    const { body } = await put(seller, id, given);
    expect(body.data).toMatchObject({
      is_featured: false,
      reserved: 0,
      store_id: store.id,
      deleted_at: null,
    });
  });
});

describe("DELETE /api/seller/products/:id", () => {
  it("takes the product off for good, once", async () => {
    const { seller, store } = await createShop();
    const { id } = await createProduct(store);
    expect(await remove(seller, id)).toMatchObject({
      status: 200,
      body: { data: { id }, error: null },
    });
    const again = await remove(seller, id);
    expect([again.status, again.body]).toEqual(missing);
    expect((await get(seller)).body.data).toEqual([]);
    const search = await api(`/api/buyer/products?store_id=${store.id}`);
    expect(search.body.data).toEqual([]);
  });
});

it("two products of one name are two products", async () => {
  const { seller } = await createShop();
  const name = unique("Kembar ");
  const [a, b] = [await post(seller, { ...kopi, name }), await post(seller, { ...kopi, name })];
  expect(a.body.data.id).not.toBe(b.body.data.id);
});
