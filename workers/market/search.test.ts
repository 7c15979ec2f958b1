import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { api } from "../testing/api.ts";
import { createProduct, type TestStore, unique } from "../testing/factories.ts";
import { createShop, failure, run } from "./testing/catalogue.ts";

const search = async (query: Record<string, string>) =>
  await api(`/api/buyer/products?${new URLSearchParams(query)}`);
const namesOf = async (query: Record<string, string>): Promise<string[]> =>
  (await search(query)).body.data.map(({ name }: { name: string }) => name);

/** Every page of a search, by the cursor that leads to the next. */
async function pagesOf(query: Record<string, string>): Promise<{ name: string }[][]> {
  const pages: { name: string }[][] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const { body } = await search({ ...query, limit: "25", ...(cursor ? { cursor } : {}) });
    pages.push(body.data);
    cursor = body.meta.next_cursor;
  }
  return pages;
}

/** A word that nobody else sells. */
const ownWord = () => unique("w").replace(/[^a-z0-9]/g, "");

async function many(store: TestStore, word: string, count: number): Promise<void> {
  await run(sql`insert into market_products (store_id, name, price, weight_gram, status, created_at)
    select ${store.id}, ${word} || ' nomor ' || g, 1000 + g, 100, 'active', now() - g * interval '1 second'
    from generate_series(1, ${count}::int) g`);
}

describe("words of a search", () => {
  it("are found whole, by their beginning, from inside, and in any order", async () => {
    const { store } = await createShop();
    const word = ownWord();
    await createProduct(store, { name: `Keripik Tempe ${word}` });
    for (const q of [word, word.slice(0, 6), word.slice(2), `${word} KERIPIK`, `${word} ke`]) {
      expect(await namesOf({ q }), q).toEqual([`Keripik Tempe ${word}`]);
    }
    expect(await namesOf({ q: `${word} qzvwxj` })).toEqual([]);
  });

  it.each(["2m²", "½", "١٢٣", "हिन्दी", "Café"])(
    "are found with signs of every script (%s)",
    async (q) => {
      const { store } = await createShop();
      const name = `Karpet ${q} ${ownWord()}`;
      await createProduct(store, { name });
      expect(await namesOf({ q: name })).toEqual([name]);
      expect(await namesOf({ q, store_id: store.id })).toEqual([name]);
    },
  );

  it("of a letter or two find nothing but what has a word that begins so", async () => {
    const { store } = await createShop();
    await createProduct(store, { name: `Qq ${ownWord()}` });
    for (const q of ["c", "s", "p", "t", "t1", "t2"]) {
      expect(await namesOf({ q, store_id: store.id }), q).toEqual([]);
    }
    expect(await namesOf({ q: "qq", store_id: store.id })).toHaveLength(1);
  });

  it("are mended where nothing holds them as typed, and the answer says so", async () => {
    const { store } = await createShop();
    const word = `${ownWord()}selendang`;
    await createProduct(store, { name: `Batik ${word}` });
    const wrong = `${word.slice(0, -4)}x${word.slice(-4)}`;
    const { body } = await search({ q: wrong });
    expect([body.data[0]?.name, body.meta.mended]).toEqual([`Batik ${word}`, true]);
    expect((await search({ q: word })).body.meta.mended).toBe(false);
  });

  it("rank names that hold them whole, and that say little else, first", async () => {
    const { store } = await createShop();
    const word = ownWord();
    await createProduct(store, { name: `${word}` });
    await createProduct(store, { name: `${word} dengan banyak kata lain di belakang` });
    await createProduct(store, { name: `${word}nya` });
    expect(await namesOf({ q: word })).toEqual([
      word,
      `${word} dengan banyak kata lain di belakang`,
      `${word}nya`,
    ]);
  });
});

describe("orders and pages of a search", () => {
  it("go by time and by price, and leave out what is sold out", async () => {
    const { store } = await createShop();
    const of = { store_id: store.id };
    const b = await createProduct(store, { price: 2000 });
    const c = await createProduct(store, { price: 3000, stock: 0 });
    const a = await createProduct(store, { price: 1000 });
    await run(
      sql`update market_products set created_at = now() - interval '1 day' where id = ${b.id}`,
    );
    expect(await namesOf(of)).toEqual([a.name, c.name, b.name]);
    expect(await namesOf({ ...of, sort: "cheapest" })).toEqual([a.name, b.name, c.name]);
    expect(await namesOf({ ...of, sort: "dearest" })).toEqual([c.name, b.name, a.name]);
    expect(await namesOf({ ...of, in_stock: "true" })).toEqual([a.name, b.name]);
    expect((await search({ ...of, sort: "random" })).status).toBe(400);
  });

  it.each(["newest", "cheapest", "dearest"])(
    "lead on by cursor behind the thousandth, each product once (%s)",
    async (sort) => {
      const { store } = await createShop();
      const word = ownWord();
      await many(store, word, 1150);
      const seen: string[] = [];
      let cursor = "";
      for (let page = 1; page <= 12; page += 1) {
        const { body } = await search({ q: word, sort, limit: "100", ...(cursor && { cursor }) });
        expect(body.meta).toMatchObject({ total: 1000, capped: true });
        seen.push(...body.data.map(({ id }: { id: string }) => id));
        cursor = body.meta.next_cursor;
      }
      expect([seen.length, new Set(seen).size, cursor]).toEqual([1150, 1150, null]);
    },
  );

  it("refuse a cursor of another order, or none at all", async () => {
    const { store } = await createShop();
    await many(store, ownWord(), 3);
    const of = { store_id: store.id, limit: "1" };
    const cursor: string = (await search(of)).body.meta.next_cursor;
    expect(cursor).toEqual(expect.any(String));
    const wrong = [
      { ...of, cursor, sort: "cheapest" },
      { ...of, cursor: "rubbish" },
      { ...of, cursor: btoa('{"sort":"newest","value":1,"id":"x"}') },
    ];
    for (const query of wrong) {
      const { status, body } = await search(query);
      expect([status, body]).toEqual([400, failure(expect.stringContaining("cursor"))]);
    }
  });
});

describe("what can be found", () => {
  it("follows a new name, price, stock, and the store's fate at once", async () => {
    const { store } = await createShop();
    const [word, other] = [ownWord(), ownWord()];
    const { id } = await createProduct(store, { name: word, stock: 1, price: 1000 });
    expect(await namesOf({ q: word, in_stock: "true" })).toEqual([word]);
    await run(sql`update market_products set reserved = 1 where id = ${id}`);
    expect(await namesOf({ q: word, in_stock: "true" })).toEqual([]);
    await run(sql`update market_products set name = ${other}, price = 5000 where id = ${id}`);
    expect(await namesOf({ q: word })).toEqual([]);
    expect(await namesOf({ q: other, price_min: "5000" })).toEqual([other]);
    for (const price of [5100, 90_000, 700]) {
      await run(sql`update market_products set price = ${price} where id = ${id}`);
      const range = { price_min: `${price - 50}`, price_max: `${price + 50}` };
      expect(await namesOf({ q: other, ...range }), `${price}`).toEqual([other]);
      const below = { price_min: "1", price_max: `${price - 1}` };
      expect(await namesOf({ q: other, ...below })).toEqual([]);
    }
    await run(sql`update market_stores set status = 'suspended' where id = ${store.id}`);
    expect(await namesOf({ q: other })).toEqual([]);
    await run(sql`update market_stores set status = 'active' where id = ${store.id}`);
    expect(await namesOf({ q: other })).toEqual([other]);
    await run(sql`update market_products set status = 'archived' where id = ${id}`);
    expect(await namesOf({ q: other })).toEqual([]);
  });
});

describe("a cursor made by hand", () => {
  it.each(["0000-01-01T00:00:00Z", "2026-01-01T00:00:00+23:59", "kemarin", -1, 1e300])(
    "that points to %s is refused in words",
    async (value) => {
      const made = { sort: "newest", value, id: crypto.randomUUID(), total: 1, capped: false };
      const cursor = btoa(JSON.stringify(made)).replaceAll("+", "-").replaceAll("/", "_");
      expect(await search({ cursor: cursor.replaceAll("=", "") })).toMatchObject({
        status: 400,
        body: { data: null, error: "cursor: tidak berlaku untuk pencarian ini" },
      });
    },
  );
});

describe("any words, prices and stock together", () => {
  it("find just what a look at every row finds, page after page", async () => {
    const { store } = await createShop();
    const words = [ownWord(), ownWord(), ownWord()];
    await run(sql`insert into market_products (store_id, name, price, stock, weight_gram, status, is_featured, created_at)
      select ${store.id}, (${sql.param(words)}::text[])[1 + g % 3] || ' ' || (${sql.param(words)}::text[])[1 + (g / 3) % 3] || ' no' || g,
        round(500 * pow(1.08, g))::bigint, g % 4, 100, 'active', g % 5 < 2, now() - g * interval '9 hours'
      from generate_series(1, 120) g`);
    const all = z
      .array(
        z.object({
          name: z.string(),
          price: z.number(),
          stock: z.number(),
          is_featured: z.boolean(),
        }),
      )
      .parse((await pagesOf({ store_id: store.id })).flat());
    expect(all).toHaveLength(120);

    const pick = <T>(from: readonly T[]) => from[Math.floor(Math.random() * from.length)];
    for (let round = 0; round < 40; round += 1) {
      const [first, second] = [pick(words), pick([...words, undefined])];
      const priceOf = () => pick([pick(all)?.price ?? 0, 1, 90_000_000]);
      const [low, high] = [priceOf() ?? 0, priceOf() ?? 0].sort((a, b) => a - b);
      const [from, to, inStock, featured] = [0.7, 0.7, 0.5, 0.3].map(
        (odds) => Math.random() < odds,
      );
      const query = {
        q: [first, second].filter(Boolean).join(" "),
        ...(from ? { price_min: String(low) } : {}),
        ...(to ? { price_max: String(high) } : {}),
        ...(featured ? { featured: "true" } : {}),
        sort: pick(["newest", "cheapest", "dearest"]) ?? "newest",
        ...(inStock ? { in_stock: "true" } : {}),
      };
      const found = (await pagesOf(query)).flat().map(({ name }) => name);
      const wanted = all.filter(
        ({ name, price, stock, is_featured }) =>
          [first, second].every((word) => !word || name.includes(word)) &&
          (!from || price >= (low ?? 0)) &&
          (!to || price <= (high ?? 0)) &&
          (!featured || is_featured) &&
          (!inStock || stock > 0),
      );
      expect([found.length, found.sort()], JSON.stringify(query)).toEqual([
        wanted.length,
        wanted.map(({ name }) => name).sort(),
      ]);
    }
  });
});
