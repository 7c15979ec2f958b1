import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import { pushChanges } from "../pushes.ts";
import { getRun, syncProducts } from "../sync.ts";
import {
  change,
  connectedMarket,
  contextWith,
  type Market,
  poll,
  pumpOnce,
} from "../testing/market-bench.ts";

const MANY = 5_000;

/** Products as a shop of five thousand has them, made in one statement; the shop knows their one picture. */
async function stocked(market: Market, count: number): Promise<void> {
  await change(sql`insert into market_products (store_id, name, price, stock, weight_gram, status)
    select ${market.store.id}, 'Produk ' || n, 10000 + n, 5, 300, 'active' from generate_series(1, ${count}::int) n`);
  await change(sql`insert into market_product_images (product_id, url, is_primary)
    select id, 'https://x.example/uploads/a.jpg', true from market_products where store_id = ${market.store.id}`);
  await change(sql`insert into market_listing_images (connection_id, url, ref)
    select id, 'https://x.example/uploads/a.jpg', 'ref' from market_connections where store_id = ${market.store.id}`);
}

const timed = async <T>(act: () => Promise<T>): Promise<[T, number]> => {
  const began = Date.now();
  return [await act(), Date.now() - began];
};

/** How many calls too early the worst of them is for a shop that allows so many a second: its bucket's lowest level. */
function mostOver({ fake }: Market, kind: "read" | "write", perSecond: number): number {
  const times = fake.calls.filter((call) => call.kind === kind).map(({ at }) => at);
  let [level, most, before] = [0, 0, 0];
  for (const at of times.sort((a, b) => a - b)) {
    level = Math.max(0, level - ((at - before) / 1_000) * perSecond) + 1;
    most = Math.max(most, level);
    before = at;
  }
  return most;
}

describe("five thousand products", () => {
  it("are taken to work at once, and their changes are pushed by the batch", {
    timeout: 120_000,
  }, async () => {
    const market = await connectedMarket();
    await stocked(market, MANY);
    const [begun, beganMs] = await timed(() => syncProducts(market.ctx, { platform: "shopee" }));
    expect(begun).toMatchObject({ pending: MANY });
    expect(beganMs).toBeLessThan(10_000);
    // As if all had been listed: a first sync of so many takes as long as the shop's pace allows.
    await change(sql`update market_listings l set item_id = 'I' || l.id, sku_id = 'K', shown = true, verify = false,
        pushed_price = p.price, pushed_stock = p.stock, pushed_content = market_marketplace_work(l.id)->>'content'
      from market_products p where p.id = l.product_id and p.store_id = ${market.store.id}`);
    market.fake.limits = { ...market.fake.limits, priceBatch: 50, stockBatch: 50 };
    market.fake.setPrices = async (_auth, changes) =>
      changes.map(({ ref }) => ({ sku: ref.sku, ok: true }));
    await pumpOnce(market);
    expect(await getRun(market.ctx, begun.job_id)).toMatchObject({
      synced: MANY,
      pending: 0,
      failed: 0,
    });
    await change(
      sql`update market_products set price = price + 500 where store_id = ${market.store.id}`,
    );
    await pushChanges(market.ctx);
    const [, pushedMs] = await timed(() => pumpOnce(market));
    const left = sql`select count(*)::int as n from market_listings l join market_products p on p.id = l.product_id
      where p.store_id = ${market.store.id} and (l.dirty or l.pushed_price <> p.price)`;
    expect(await testContext().db.run(rows(left, z.object({ n: z.number() })))).toEqual([{ n: 0 }]);
    expect(pushedMs).toBeLessThan(60_000);
  });

  it("keep a shop busy as far as its pace allows, and no further, whoever else calls it", {
    timeout: 60_000,
  }, async () => {
    const market = await connectedMarket();
    await stocked(market, 100);
    const answerMs = 100;
    market.fake.limits = { ...market.fake.limits, readsPerSecond: 100, writesPerSecond: 50 };
    market.fake.faults.before = ({ name }) =>
      name === "createListing" || name === "findBySku"
        ? new Promise((resolve) => setTimeout(resolve, answerMs))
        : undefined;
    await syncProducts(market.ctx, { platform: "shopee" });
    const others = Array.from({ length: 4 }, () => contextWith(market.seller, market.fake));
    const meanwhile = others.map(async (ctx) => {
      for (let n = 0; n < 20; n += 1) await poll(market, ctx);
    });
    const [[, ms]] = await Promise.all([timed(() => pumpOnce(market)), ...meanwhile]);
    const perSecond = (market.fake.count("createListing") / ms) * 1_000;
    // A busy machine is slower than the shop.
    expect(perSecond).toBeGreaterThan(5);
    expect(market.fake.items.size).toBe(100);
    expect(market.fake.count("listOrders")).toBe(80);
    expect(mostOver(market, "read", 100)).toBeLessThan(100);
    expect(mostOver(market, "write", 50)).toBeLessThan(50);
  });
});
