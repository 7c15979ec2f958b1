import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { api } from "../testing/api.ts";
import { createShop, run } from "./testing/catalogue.ts";

const COUNT = 6000;

/** Each word begins as none of the other tests does, whose products lie beside these. */
interface Made {
  name: string;
  price: number;
  stock: number;
}

/** The same as the statement below makes; the first is the newest. */
function made(n: number): Made {
  const color = ["xqjingga", "xqnila", "xqkelabu"][n % 3] ?? "";
  const old = n > COUNT / 2 ? " xqlawas" : "";
  return {
    name: `${color} xqmerek${(n * 7919) % 300} xqno${n}${n % 5 ? " xqtulen" : ""}${old}`,
    price: 1000 + ((n * 7907) % 5987) * 160,
    stock: n % 4,
  };
}

const pick = <T>(from: readonly [T, ...T[]]): T =>
  from[Math.floor(Math.random() * from.length)] ?? from[0];

/** So many that the first rows of an order are asked how much fits, which no other test has. */
it("beginnings of many words, and words that are never together, find just what a look at every row finds", async () => {
  const { store } = await createShop();
  await run(sql`insert into market_products (store_id, name, price, stock, weight_gram, status, created_at)
    select ${store.id}, (array['xqjingga', 'xqnila', 'xqkelabu'])[1 + n % 3] || ' xqmerek' || (n * 7919) % 300 || ' xqno' || n
        || case when n % 5 > 0 then ' xqtulen' else '' end || case when n > ${COUNT / 2}::int then ' xqlawas' else '' end,
      1000 + ((n * 7907) % 5987) * 160, n % 4, 100, 'active', now() - n * interval '20 minutes'
    from generate_series(1, ${COUNT}::int) n`);
  await run(sql`analyze market_search_entries`);
  const all = Array.from({ length: COUNT }, (_, i) => made(i + 1));
  const newest = new Map(all.map(({ name }, i) => [name, i]));

  for (let round = 0; round < 50; round += 1) {
    const words = [
      pick(["xqmerek", "xqmerek1", "xqmerek2", "xq", "xqm", "xqjingga", "xqnila"]),
      pick(["", "", "xqmerek1", "xqtulen", "xqnila", "xqlawas"]),
    ].filter(Boolean);
    const [low, high] = [pick([0, 0, 20_000, 700_000]), pick([1e9, 1e9, 60_000, 900_000])];
    const inStock = Math.random() < 0.2;
    const sort = pick(["newest", "cheapest", "dearest"]);
    const page = pick([1, 1, 3, 10]);
    const query = {
      ...{ q: words.join(" "), sort, page: `${page}`, limit: "50" },
      ...(low ? { price_min: `${low}` } : {}),
      ...(high < 1e9 ? { price_max: `${high}` } : {}),
      ...(inStock ? { in_stock: "true" } : {}),
    };
    const found = (await api(`/api/buyer/products?${new URLSearchParams(query)}`)).body;
    const wanted = all.filter(
      ({ name, price, stock }) =>
        words.every((word) => name.split(" ").some((own) => own.startsWith(word))) &&
        price >= low &&
        price <= high &&
        (!inStock || stock > 0),
    );
    const sign = sort === "dearest" ? -1 : 1;
    if (sort !== "newest") wanted.sort((a, b) => sign * (a.price - b.price));
    const rows = wanted.slice((page - 1) * 50, page * 50);
    // Of one price the order is by id, which tells nothing here.
    const key = (row: Made) => (sort === "newest" ? newest.get(row.name) : row.price);
    expect([found.meta.total, found.data.map(key)], JSON.stringify(query)).toEqual([
      Math.min(wanted.length, 1000),
      rows.map(key),
    ]);
  }
  await run(sql`update market_stores set deleted_at = now() where id = ${store.id}`);
}, 60_000);
