import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { auditOf } from "../../../shared/audit/audit.ts";
import { api, settleBackground, testContext } from "../../testing/api.ts";
import { createProduct, createUser, type TestUser, unique } from "../../testing/factories.ts";
import { order } from "../../testing/orders.ts";
import { finishStoreDeletions } from "../admin/stores.ts";
import { createShop, failure, refusesStrangers, run, versionOf } from "../testing/catalogue.ts";
import { completed, deliver } from "../testing/money.ts";
import { openShop, sell, settle } from "../testing/sales.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

const call = (method: string, path: string, json?: unknown) =>
  api(path, { method, token: admin.token, ...(json === undefined ? {} : { json }) });
const stores = (query: string) => call("GET", `/api/admin/stores?${query}`);
const remove = (id: string, query = "") => call("DELETE", `/api/admin/stores/${id}${query}`);

const missing = [404, failure("Store not found", {})];
const traceOf = async (id: string) =>
  (await testContext().db.run(auditOf({ kind: "market_store", id }))).map(({ action }) => action);

/** A store's front page, as a visitor sees it. */
const visit = (slug: string) => api(`http://${slug}.localhost:8787/`);

describe("GET /api/admin/stores", () => {
  it("shows a store with its owner, found by name, slug and address", async () => {
    const { seller, store } = await createShop();
    await createProduct(store);
    for (const search of [
      store.slug,
      store.slug.toUpperCase(),
      seller.email,
      `toko ${store.slug}`,
    ]) {
      const { status, body } = await stores(`search=${encodeURIComponent(search)}`);
      expect([status, body.data.length], search).toEqual([200, 1]);
      expect(body.data[0]).toMatchObject({
        id: store.id,
        owner: { id: seller.userId, email: seller.email },
        product_count: 1,
        open_orders: 0,
        deletion_pending: false,
      });
      expect(body.meta).toEqual({ page: 1, limit: 20, total: 1 });
    }
    expect((await stores(`search=${encodeURIComponent("%")}`)).body.meta.total).toBe(0);
  });

  it("is filtered, and read a page at a time", async () => {
    const { store } = await createShop();
    const found = async (query: string) =>
      (await stores(`search=${store.slug}&${query}`)).body.meta.total;
    expect(await found("status=active&featured=false&deleted=false")).toBe(1);
    expect(await found("status=suspended")).toBe(0);
    expect(await found("featured=true")).toBe(0);
    expect(await found("deleted=true")).toBe(0);
    expect((await stores("page=0&limit=-3")).body.meta).toMatchObject({ page: 1, limit: 20 });
    expect((await stores("limit=1&page=2")).body.data).toHaveLength(1);
    expect((await stores("status=gone")).status).toBe(400);
  });
});

describe("PUT /api/admin/stores/:id/feature", () => {
  it("features a store, refreshes its pages, and leaves a trace", async () => {
    const { store } = await createShop();
    const before = await versionOf(store.id);
    const path = `/api/admin/stores/${store.id}/feature`;
    const { status, body } = await call("PUT", path, { featured: true, status: "suspended" });
    expect([status, body.error]).toEqual([200, null]);
    expect(body.data).toMatchObject({ id: store.id, is_featured: true, status: "active" });
    expect(await versionOf(store.id)).toBe(before + 1);
    expect(await traceOf(store.id)).toEqual(["market.store.feature"]);
    expect((await call("PUT", path, { featured: "yes" })).status).toBe(400);
  });

  it("knows no store that is missing, and writes nothing down of it", async () => {
    const id = crypto.randomUUID();
    for (const wanted of [id, "x'; --"]) {
      const path = `/api/admin/stores/${encodeURIComponent(wanted)}/feature`;
      const { status, body } = await call("PUT", path, { featured: true });
      expect([status, body]).toEqual(missing);
    }
    expect(await traceOf(id)).toEqual([]);
  });
});

describe("DELETE /api/admin/stores/:id", () => {
  it("hides the store and its products everywhere, once, and keeps the seller's money", async () => {
    const sale = await completed(await sell(await openShop()));
    const { store, product, seller } = sale;
    expect((await visit(store.slug)).status).toBe(200);
    const { status, body } = await remove(store.id);
    expect([status, body.data]).toEqual([200, { id: store.id, deleted: true, open_orders: 0 }]);
    await settleBackground();
    await expect.poll(async () => (await visit(store.slug)).status).toBe(404);
    const search = await api(`/api/buyer/products?search=${encodeURIComponent(product.name)}`);
    expect(search.body.meta.total).toBe(0);
    expect((await remove(store.id)).status).toBe(404);
    expect((await stores(`search=${store.slug}&deleted=true`)).body.meta.total).toBe(1);
    const { body: money } = await api("/api/seller/balance", { token: seller.token });
    expect(money.data.available).toBe(47_500);
    expect(await traceOf(store.id)).toEqual(["market.store.delete"]);
    const placed = await order(sale.buyer, store, [[product, 1]]);
    expect(placed.status).toBe(404);
  });

  it("is refused while orders are open, and says how to go on", async () => {
    const sale = await sell(await openShop());
    const { status, body } = await remove(sale.store.id);
    expect([status, body]).toEqual([
      409,
      failure(expect.stringMatching(/^Toko masih memiliki 1 pesanan berjalan\./), {
        open_orders: 1,
      }),
    ]);
    expect((await visit(sale.store.slug)).status).toBe(200);
    expect(await traceOf(sale.store.id)).toEqual([]);
  });

  it("with defer closes the store at once and deletes it after its last order, paid out", async () => {
    const sale = await sell(await openShop());
    await settle(sale);
    const { body } = await remove(sale.store.id, "?defer=true");
    expect(body.data).toEqual({ id: sale.store.id, deleted: false, open_orders: 1 });
    const another = await order(sale.buyer, sale.store, [[sale.product, 1]]);
    expect(another.status).toBe(404);
    const shown = async () => (await stores(`search=${sale.store.slug}`)).body.data[0];
    expect(await shown()).toMatchObject({ status: "suspended", deletion_pending: true });
    await finishStoreDeletions(testContext());
    expect(await shown()).toMatchObject({ deletion_pending: true });
    await deliver(sale);
    await finishStoreDeletions(testContext());
    expect(await shown()).toBeUndefined();
    const { body: money } = await api("/api/seller/balance", { token: sale.seller.token });
    expect(money.data).toMatchObject({ available: 47_500, held: 0 });
  });

  it("leaves no order behind that was placed meanwhile", async () => {
    for (let round = 0; round < 4; round += 1) {
      const { store, buyer } = await openShop();
      const product = await createProduct(store);
      const [placed, removed] = await Promise.all([
        order(buyer, store, [[product, 1]]),
        remove(store.id),
      ]);
      expect([placed.status, removed.status].sort()).toEqual(
        placed.status === 201 ? [201, 409] : [200, 404],
      );
    }
  });

  it("is called off by opening the store again", async () => {
    const sale = await sell(await openShop());
    await remove(sale.store.id, "?defer=1");
    const path = `/api/admin/stores/${sale.store.id}/status`;
    const opened = await call("PUT", path, { status: "active", reason: "Sudah dijelaskan" });
    expect(opened.body.data).toMatchObject({ status: "active", deletion_pending: false });
    expect((await call("PUT", path, { status: "gone", reason: "Salah ketik" })).status).toBe(400);
    expect((await call("PUT", path, { status: "active" })).status).toBe(400);
  });
});

describe("the features of a store", () => {
  it("are all on, until one is switched off, which a trace tells of", async () => {
    const { seller, store } = await createShop();
    const path = `/api/admin/feature-flags/${store.id}`;
    const all = {
      marketplace_sync: true,
      ai_chat: true,
      instagram: true,
      photo_enhance: true,
      promo_codes: true,
      payouts: true,
    };
    expect((await call("GET", path)).body.data).toEqual(all);
    const changed = await call("PUT", path, { promo_codes: false });
    expect(changed.body.data).toEqual({ ...all, promo_codes: false });
    expect((await call("GET", path)).body.data).toEqual({ ...all, promo_codes: false });
    const json = {
      code: unique("P").slice(0, 12),
      type: "fixed",
      value: 100,
      ends_at: "2090-01-01",
    };
    const promo = () => api("/api/seller/promo", { method: "POST", token: seller.token, json });
    const off = await promo();
    expect([off.status, off.body]).toEqual([
      403,
      failure("Fitur ini sedang dinonaktifkan untuk toko Anda", { feature: "promo_codes" }),
    ]);
    await call("PUT", path, { promo_codes: true });
    expect((await promo()).status).toBe(201);
    const trace = await testContext().db.run(auditOf({ kind: "market_store", id: store.id }));
    expect(trace).toMatchObject([
      {
        action: "market.store.flags",
        before: { promo_codes: false },
        after: { promo_codes: true },
      },
      { action: "market.store.flags", before: {}, after: { promo_codes: false } },
    ]);
  });

  it("have names that the code knows, and stores that are there", async () => {
    const { store } = await createShop();
    const path = `/api/admin/feature-flags/${store.id}`;
    for (const json of [{ teleport: true }, { ai_chat: "no" }, []]) {
      const { status, body } = await call("PUT", path, json);
      expect([status, body], JSON.stringify(json)).toEqual([400, failure(expect.any(String))]);
    }
    await run(
      sql`insert into market_feature_flags (store_id, flag, is_on, updated_by)
        values (${store.id}, 'of_old', true, ${admin.userId})`,
    );
    expect((await call("GET", path)).body.data).not.toHaveProperty("of_old");
    for (const wanted of [crypto.randomUUID(), "none"]) {
      for (const [method, json] of [["GET"], ["PUT", { ai_chat: false }]] as const) {
        const { status, body } = await call(method, `/api/admin/feature-flags/${wanted}`, json);
        expect([status, body]).toEqual(missing);
      }
    }
  });
});

it("the store routes are for admins", async () => {
  const { store } = await createShop();
  const base = `/api/admin/stores/${store.id}`;
  await refusesStrangers("/api/admin/stores", {}, "admin");
  await refusesStrangers(base, { method: "DELETE" }, "admin");
  await refusesStrangers(`${base}/feature`, { method: "PUT", json: { featured: true } }, "admin");
  const closed = { status: "suspended", reason: "Penipuan" };
  await refusesStrangers(`${base}/status`, { method: "PUT", json: closed }, "admin");
  await refusesStrangers(`/api/admin/feature-flags/${store.id}`, {}, "admin");
});
