import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { createProduct, type TestStore, unique } from "../../testing/factories.ts";
import { createShop, run } from "../testing/catalogue.ts";
import { FRESH_MS, HEAL_MS } from "./freshness.ts";
import { PER_PAGE } from "./shelf.ts";
import { MAX_PRODUCTS } from "./snapshot.ts";
import { databaseAway } from "./testing/visitor.ts";

const routerOf = (slug: string) => env.STORE_ROUTER.get(env.STORE_ROUTER.idFromName(slug));
const FIRST = { search: "", category: null, page: 1 };

async function namesAt(slug: string, query: Partial<typeof FIRST> = {}): Promise<string[]> {
  const answer = await routerOf(slug).home({ ...FIRST, ...query }, crypto.randomUUID());
  if (answer.kind !== "store") throw new Error(`the slug is ${answer.kind}`);
  return answer.products.map(({ name }) => name);
}

/** Makes what the object keeps older, as time would; eviction drops what it remembers of it. */
async function age(slug: string, ms: number): Promise<void> {
  const stub = routerOf(slug);
  await runInDurableObject(stub, (_, state) => {
    state.storage.sql.exec("update front set checked_at = checked_at - ?", ms);
  });
  await evictDurableObject(stub);
}

const tablesOf = (slug: string) =>
  runInDurableObject(routerOf(slug), (_, state) =>
    state.storage.sql
      .exec("select name from sqlite_master where name in ('front', 'products', 'schema_version')")
      .toArray(),
  );

async function shopWithProduct() {
  const { store, seller } = await createShop();
  const product = await createProduct(store);
  return { store, seller, product };
}

afterEach(() => databaseAway(false));

describe("a store's object", () => {
  it("shows the store's active products and nothing else", async () => {
    const { store, product } = await shopWithProduct();
    await createProduct(store, { status: "draft" });
    await createProduct((await createShop()).store);
    expect(await namesAt(store.slug)).toEqual([product.name]);
  });

  it("shows after a refresh what was written, and before it what it has", async () => {
    const { store, product } = await shopWithProduct();
    await namesAt(store.slug);
    await run(sql`update market_products set name = 'Nama Baru' where id = ${product.id}`);
    expect(await namesAt(store.slug)).toEqual([product.name]);
    await routerOf(store.slug).refresh();
    expect(await namesAt(store.slug)).toEqual(["Nama Baru"]);
  });

  it("heals a lost refresh by the store's version once it is 60 s old", async () => {
    const { store, product } = await shopWithProduct();
    await namesAt(store.slug);
    await run(sql`update market_products set name = 'Nama Baru' where id = ${product.id}`);
    await age(store.slug, FRESH_MS - 5_000);
    expect(await namesAt(store.slug)).toEqual([product.name]);
    await age(store.slug, HEAL_MS);
    expect(await namesAt(store.slug)).toEqual(["Nama Baru"]);
  });

  it("shows that a product sold out, and lists it last", async () => {
    const { store, product } = await shopWithProduct();
    const newer = await createProduct(store);
    expect(await namesAt(store.slug)).toEqual([newer.name, product.name]);
    await run(sql`update market_products set reserved = stock where id = ${newer.id}`);
    await age(store.slug, HEAL_MS);
    expect(await namesAt(store.slug)).toEqual([product.name, newer.name]);
    const answer = await routerOf(store.slug).product(newer.id, "t");
    expect(answer).toMatchObject({ product: { stock: 0 } });
  });

  it("takes away what is no longer sold", async () => {
    const { store, product } = await shopWithProduct();
    await namesAt(store.slug);
    await run(sql`update market_products set deleted_at = now() where id = ${product.id}`);
    await routerOf(store.slug).refresh();
    expect(await namesAt(store.slug)).toEqual([]);
    expect(await routerOf(store.slug).product(product.id, "t")).toMatchObject({ product: null });
  });

  it("keeps its pages through an eviction and a database outage", async () => {
    const { store, product } = await shopWithProduct();
    await namesAt(store.slug);
    await databaseAway(true);
    await age(store.slug, 10 * HEAL_MS);
    expect(await namesAt(store.slug)).toEqual([product.name]);
  });

  it("is unavailable, not unknown, when it was never read and the database is down", async () => {
    const { store } = await shopWithProduct();
    await databaseAway(true);
    expect(await routerOf(store.slug).home(FIRST, "t")).toEqual({ kind: "unavailable" });
  });

  it("searches all words in any order, whatever the case and the accents", async () => {
    const { store } = await createShop();
    await createProduct(store, { name: "Kopi Susu Gula Aren" });
    await createProduct(store, { name: "Café 100% Arabika" });
    expect(await namesAt(store.slug, { search: "AREN kopi" })).toEqual(["Kopi Susu Gula Aren"]);
    expect(await namesAt(store.slug, { search: "cafe" })).toEqual(["Café 100% Arabika"]);
    expect(await namesAt(store.slug, { search: "100%" })).toEqual(["Café 100% Arabika"]);
    expect(await namesAt(store.slug, { search: "%" })).toEqual(["Café 100% Arabika"]);
    expect(await namesAt(store.slug, { search: "teh" })).toEqual([]);
    expect(await namesAt(store.slug, { search: "'; drop table products; --" })).toEqual([]);
  });

  it("pages its shelf, each product once, and answers a page too far with the last", async () => {
    const { store } = await createShop();
    await run(sql`insert into market_products (store_id, name, price, stock, weight_gram, status)
      select ${store.id}, 'P' || n, 1000, 5, 100, 'active' from generate_series(1, ${PER_PAGE + 3}) n`);
    const first = await namesAt(store.slug);
    const second = await namesAt(store.slug, { page: 2 });
    expect(new Set([...first, ...second]).size).toBe(PER_PAGE + 3);
    expect(await namesAt(store.slug, { page: 99 })).toEqual(second);
  });
});

describe("a very large store", () => {
  it("shows its newest products up to the limit, says that there are more, and stays small enough to keep", async () => {
    const { store } = await createShop();
    await run(sql`insert into market_products (store_id, name, description, price, stock, weight_gram, status, created_at)
      select ${store.id}, 'P' || n, repeat('x', 9000), 1000, 5, 100, 'active', now() + n * interval '1 second'
      from generate_series(1, ${MAX_PRODUCTS + 1}) n`);
    const answer = await routerOf(store.slug).home(FIRST, "t");
    if (answer.kind !== "store") throw new Error(answer.kind);
    expect([answer.total, answer.more]).toEqual([MAX_PRODUCTS, true]);
    expect(answer.products[0]?.name).toBe(`P${MAX_PRODUCTS + 1}`);
    const last = await namesAt(store.slug, { page: 999 });
    expect([last.includes("P2"), last.includes("P1")]).toEqual([true, false]);
    const bytes = await runInDurableObject(
      routerOf(store.slug),
      (_, state) => state.storage.sql.databaseSize,
    );
    expect(bytes).toBeLessThan(16 * 1024 * 1024);
  });
});

describe("a slug that shows no store", () => {
  const standing = async (slug: string) => await routerOf(slug).facts("t");
  const set = (store: TestStore, fields: ReturnType<typeof sql>) =>
    run(sql`update market_stores set ${fields} where id = ${store.id}`);

  it("is unknown where no store ever was, and stores nothing", async () => {
    const slug = unique("kosong");
    expect(await standing(slug)).toEqual({ kind: "unknown" });
    expect(await tablesOf(slug)).toEqual([]);
  });

  it("leads to the store's new name after a rename, also when the refresh was lost", async () => {
    const { store } = await shopWithProduct();
    await standing(store.slug);
    const slug = unique("baru");
    await run(sql`with s as (update market_stores set slug = ${slug} where id = ${store.id} returning id)
      insert into market_store_slugs (slug, store_id) select ${slug}, id from s`);
    await age(store.slug, HEAL_MS);
    expect(await standing(store.slug)).toEqual({ kind: "moved", slug });
    expect(await standing(slug)).toMatchObject({ kind: "store", store: { id: store.id } });
  });

  it("is closed while its store is suspended or inactive, and opens again", async () => {
    const { store } = await shopWithProduct();
    for (const status of ["suspended", "inactive"]) {
      await set(store, sql`status = ${status}`);
      await routerOf(store.slug).refresh();
      expect(await standing(store.slug)).toEqual({ kind: "closed" });
    }
    await set(store, sql`status = 'active'`);
    await routerOf(store.slug).refresh();
    expect(await standing(store.slug)).toMatchObject({ kind: "store" });
  });

  it("is unknown once its store is deleted, and its products are gone from the object", async () => {
    const { store } = await shopWithProduct();
    await standing(store.slug);
    await set(store, sql`deleted_at = now()`);
    await routerOf(store.slug).refresh();
    expect(await standing(store.slug)).toEqual({ kind: "unknown" });
    const left = await runInDurableObject(routerOf(store.slug), (_, state) =>
      state.storage.sql.exec("select count(*) as n from products").one(),
    );
    expect(left).toEqual({ n: 0 });
  });
});
