import { beforeAll, describe, expect, it } from "vitest";
import { auditOf } from "../../../shared/audit/audit.ts";
import { PHONE_JPEG } from "../../../shared/files/image-samples.ts";
import { api, testContext } from "../../testing/api.ts";
import { createProduct, createUser, type TestUser, unique } from "../../testing/factories.ts";
import {
  createShop,
  failure,
  imageUrl,
  refusesStrangers,
  versionOf,
} from "../testing/catalogue.ts";
import { completed } from "../testing/money.ts";
import { booksOf, makePromo, openShop, sell, usesOf } from "../testing/sales.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const call = (method: string, path: string, json?: unknown) =>
  api(path, { method, token: admin.token, ...(json === undefined ? {} : { json }) });

describe("an admin's product routes", () => {
  it("feature a product, which its store's pages then show", async () => {
    const { store } = await createShop();
    const { id } = await createProduct(store);
    const before = await versionOf(store.id);
    const path = `/api/admin/products/${id}/feature`;
    const { body } = await call("PUT", path, { featured: true, price: 1 });
    expect(body.data).toMatchObject({ id, is_featured: true, price: 25_000 });
    expect(await versionOf(store.id)).toBe(before + 1);
    const featured = await api(`/api/buyer/products?featured=true&store_id=${store.id}`);
    expect(featured.body.data).toMatchObject([{ id }]);
    const trace = await testContext().db.run(auditOf({ kind: "market_product", id }));
    expect(trace).toMatchObject([{ action: "market.product.feature", actorId: admin.userId }]);
  });

  it("delete a product of any store, softly, once", async () => {
    const { store } = await createShop();
    const { id } = await createProduct(store);
    const path = `/api/admin/products/${id}`;
    expect((await call("DELETE", path)).body).toMatchObject({ data: { id }, error: null });
    const gone = await call("DELETE", path);
    expect([gone.status, gone.body]).toEqual([404, failure("Produk tidak ditemukan", {})]);
    expect((await api(`/api/buyer/products?store_id=${store.id}`)).body.data).toEqual([]);
    for (const wanted of [crypto.randomUUID(), "rubbish"]) {
      const feature = `/api/admin/products/${wanted}/feature`;
      expect((await call("PUT", feature, { featured: true })).status).toBe(404);
    }
    await refusesStrangers(path, { method: "DELETE" }, "admin");
    await refusesStrangers(`${path}/feature`, { method: "PUT", json: { featured: true } }, "admin");
  });
});

describe("an admin's promo codes", () => {
  const path = "/api/admin/promo";
  const promo = (changes: object = {}) => ({
    code: unique("p"),
    type: "percentage",
    value: 20,
    starts_at: "2026-01-01",
    ends_at: "2090-01-01",
    ...changes,
  });

  it("count in every store at the market's cost: the books of an order add up", async () => {
    const made = await call("POST", path, promo({ max_uses: 5, store_id: crypto.randomUUID() }));
    expect(made.status).toBe(201);
    expect(made.body.data).toMatchObject({
      store_id: null,
      created_by: admin.userId,
      used_count: 0,
    });
    const { code } = made.body.data;
    const sale = await completed(await sell(await openShop(), { promoCode: code }));
    expect(await usesOf(code)).toBe(1);
    expect(sale.total).toBe(58_000);
    expect(await booksOf(sale)).toEqual([
      { what: "order-commission", from: "escrow", to: "commission", amount: 2_500 },
      { what: "order-courier", from: "escrow", to: "courier", amount: 18_000 },
      { what: "order-paid", from: "gateway", to: "escrow", amount: 58_000 },
      { what: "order-promo", from: "promo", to: "escrow", amount: 10_000 },
      { what: "order-sale", from: "escrow", to: "wallet", amount: 47_500 },
    ]);
  });

  it("are listed, changed and ended; a store's code is only looked at and ended", async () => {
    const shop = await openShop();
    const own = await makePromo(shop);
    const { id } = (await call("POST", path, promo())).body.data;
    const changed = await call("PUT", path, {
      id,
      value: 30,
      used_count: 9,
      store_id: shop.store.id,
    });
    expect(changed.body.data).toMatchObject({ id, value: 30, used_count: 0, store_id: null });
    const codes = await call("GET", `${path}?limit=1`);
    expect(codes.body.meta).toMatchObject({ page: 1, limit: 1 });
    const ofStore = (await call("GET", `${path}?store_id=${shop.store.id}`)).body;
    expect(ofStore).toMatchObject({ data: [{ code: own }], meta: { total: 1 } });
    const found = await call("GET", `${path}?search=${changed.body.data.code.toLowerCase()}`);
    expect(found.body.data).toMatchObject([{ id }]);
    const foreign = await call("PUT", path, { id: ofStore.data[0].id, value: 1 });
    expect([foreign.status, foreign.body]).toEqual([404, failure("Promo tidak ditemukan", {})]);
    for (const ended of [ofStore.data[0].id, id]) {
      expect((await call("DELETE", `${path}?id=${ended}`)).body.data).toEqual({ id: ended });
      expect((await call("DELETE", path, { id: ended })).status).toBe(404);
    }
    const trace = await testContext().db.run(auditOf({ kind: "market_promo", id }));
    expect(trace.map(({ action }) => action)).toEqual([
      "market.promo.delete",
      "market.promo.update",
      "market.promo.create",
    ]);
  });

  it("are refused when they make no sense, and for everybody else", async () => {
    const taken = (await call("POST", path, promo())).body.data.code;
    const again = await call("POST", path, promo({ code: taken }));
    expect([again.status, again.body]).toEqual([409, failure("Kode promo sudah dipakai", {})]);
    for (const wrong of [
      { value: 101 },
      { type: "free" },
      { ends_at: "2025-01-01" },
      { code: "a b" },
    ]) {
      const { status, body } = await call("POST", path, promo(wrong));
      expect([status, body], JSON.stringify(wrong)).toEqual([400, failure(expect.any(String))]);
    }
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      const json = method === "GET" ? undefined : { ...promo(), id: "x" };
      await refusesStrangers(path, { method, json }, "admin");
    }
  });
});

describe("banners", () => {
  const path = "/api/admin/banners";

  async function upload(user: TestUser = admin): Promise<string> {
    const form = new FormData();
    form.set("file", new File([PHONE_JPEG], "a.jpg", { type: "image/jpeg" }));
    const { status, body } = await api("/api/admin/uploads", {
      method: "POST",
      token: user.token,
      body: form,
    });
    expect(status).toBe(201);
    return body.data.url;
  }

  const shownIds = async () =>
    (await api("/api/buyer/banners")).body.data.map(({ id }: { id: string }) => id);

  it("are shown to everybody in their order, within their time, while they are active", async () => {
    const image_url = await upload();
    expect(image_url).toContain(`/uploads/banners/${admin.userId}/`);
    const make = async (fields: object) =>
      (await call("POST", path, { image_url, ...fields })).body.data.id;
    const now = await make({ sort_order: 2, cta_link: "/promo?kode=HEMAT" });
    const first = await make({ sort_order: 1, starts_at: "2026-01-01", ends_at: "2090-12-31" });
    const hidden = [
      await make({ is_active: false }),
      await make({ starts_at: "2089-01-01" }),
      await make({ ends_at: "2026-01-01T00:00:00Z" }),
    ];
    const shown = await shownIds();
    expect(shown.indexOf(first)).toBeLessThan(shown.indexOf(now));
    expect(shown).toEqual(expect.arrayContaining([first, now]));
    for (const id of hidden) expect(shown).not.toContain(id);
    const moved = await call("PUT", path, { id: now, sort_order: 0, cta_link: null });
    expect(moved.body.data).toMatchObject({ id: now, sort_order: 0, cta_link: null, image_url });
    expect((await shownIds()).indexOf(now)).toBeLessThan((await shownIds()).indexOf(first));
    for (const id of [now, first, ...hidden]) {
      expect((await call("DELETE", `${path}?id=${id}`)).body.data).toEqual({ id });
    }
    expect(await shownIds()).not.toContain(first);
    const trace = await testContext().db.run(auditOf({ kind: "market_banner", id: now }));
    expect(trace.map(({ action }) => action)).toEqual([
      "market.banner.delete",
      "market.banner.update",
      "market.banner.create",
    ]);
  });

  it("take only pictures that this admin uploaded here, and links that run nothing", async () => {
    const image_url = await upload();
    const other = await createUser(["admin"]);
    for (const wrong of [
      { image_url: "https://evil.example/a.jpg" },
      { image_url: "blob:http://localhost/1" },
      { image_url: await upload(other) },
      { image_url: imageUrl(admin) },
      { cta_link: "javascript:alert(1)" },
      { cta_link: "//evil.example" },
      { cta_link: "/\\evil.example" },
      { cta_link: "http://evil.example" },
      { sort_order: -1 },
      { starts_at: "2027-01-01", ends_at: "2026-01-01" },
    ]) {
      const { status, body } = await call("POST", path, { image_url, ...wrong });
      expect([status, body], JSON.stringify(wrong)).toEqual([400, failure(expect.any(String))]);
    }
  });

  it("keep their picture where another admin's form says it again, and take no other than his own", async () => {
    const { id, image_url } = (await call("POST", path, { image_url: await upload() })).body.data;
    const other = await createUser(["admin"]);
    const put = (json: object) =>
      api(path, { method: "PUT", token: other.token, json: { id, ...json } });
    const moved = await put({ image_url, cta_link: "/promo" });
    expect([moved.status, moved.body.data]).toEqual([
      200,
      expect.objectContaining({ image_url, cta_link: "/promo" }),
    ]);
    expect((await put({ image_url: await upload() })).status).toBe(400);
    const own = await upload(other);
    expect((await put({ image_url: own })).body.data.image_url).toBe(own);
    await call("DELETE", `${path}?id=${id}`);
  });

  it("are for admins to change, and missing ones are missing", async () => {
    const missing = [404, failure("Banner tidak ditemukan", {})];
    for (const id of [crypto.randomUUID(), "x'; --", ""]) {
      const changed = await call("PUT", path, { id, sort_order: 1 });
      expect([changed.status, changed.body]).toEqual(missing);
      const ended = await call("DELETE", path, { id });
      expect([ended.status, ended.body]).toEqual(missing);
    }
    expect((await call("GET", `${path}?limit=1`)).body.meta).toMatchObject({ page: 1, limit: 1 });
    const json = { image_url: "/uploads/banners/1/a.jpg", id: "x" };
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      await refusesStrangers(path, { method, ...(method === "GET" ? {} : { json }) }, "admin");
    }
    await refusesStrangers("/api/admin/uploads", { method: "POST" }, "admin");
  });
});
