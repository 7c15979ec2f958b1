import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { pushChanges } from "../pushes.ts";
import { getRun, syncProducts } from "../sync.ts";
import { fault } from "../testing/faults.ts";
import {
  beginSync,
  change,
  connectedMarket,
  later,
  listable,
  listed,
  listingOf,
  pumpOnce,
} from "../testing/market-bench.ts";

const shopee = { platform: "shopee" as const };

it("a creation in doubt of which its seller has been told is looked for a minute later when he syncs", async () => {
  const market = await connectedMarket();
  const product = await listable(market);
  await beginSync(market);
  await change(sql`update market_listings set attempts = 9 where product_id = ${product.id}`);
  market.fake.faults.after = ({ name }) => {
    if (name !== "createListing") return;
    market.fake.faults = {};
    throw fault("unknown");
  };
  await pumpOnce(market);
  await change(
    sql`update market_listings set doubt_at = now() - interval '1 minute' where product_id = ${product.id}`,
  );
  expect(await syncProducts(market.ctx, shopee)).toMatchObject({ synced: 1, pending: 0 });
  expect(market.fake.copiesOf(product.id)).toBe(1);
});

describe("what was not heard of for hours", () => {
  it("has its stock brought there once the platform is back, and its seller knows until then", async () => {
    const { market, product } = await listed({ stock: 10 });
    market.fake.faults.before = ({ name }) => {
      if (name === "setStocks") throw fault("unavailable", "gangguan");
    };
    await change(sql`update market_products set stock = 1 where id = ${product.id}`);
    for (let hour = 0; hour < 12; hour += 1) await later(market);
    const told = { sync_status: "error", reason: "gangguan" };
    expect(await listingOf(market, product)).toMatchObject(told);
    expect(market.fake.item(product.id)?.stock).toBe(10);
    market.fake.faults = {};
    await later(market);
    expect(market.fake.item(product.id)?.stock).toBe(1);
    const found = await listingOf(market, product);
    expect(found).toMatchObject({ sync_status: "synced", reason: null, dirty: false, attempts: 0 });
  });

  it("and was refused, sells no more than there is once it is not refused any more", async () => {
    const { market, product } = await listed({ stock: 10 });
    market.fake.faults.line = (name) =>
      name === "setStocks" ? { fault: "rejected", reason: "toko libur" } : null;
    await change(sql`update market_products set stock = 1 where id = ${product.id}`);
    await later(market);
    const told = { sync_status: "error", reason: "toko libur" };
    expect(await listingOf(market, product)).toMatchObject(told);
    market.fake.faults = {};
    await later(market);
    expect(market.fake.item(product.id)?.stock).toBe(1);
  });

  it("is counted as failed in its run, and the run ends", async () => {
    const { market } = await listed({ stock: 10 });
    market.fake.faults.before = ({ name }) => {
      if (name === "findBySku") throw fault("unavailable", "gangguan");
    };
    const { job_id: job } = await syncProducts(market.ctx, shopee);
    for (let hour = 0; hour < 12; hour += 1) await later(market);
    const told = { synced: 0, failed: 1, pending: 0, total: 1 };
    expect(await getRun(market.ctx, job)).toMatchObject(told);
    market.fake.faults = {};
    await later(market);
    expect(await getRun(market.ctx, job)).toMatchObject(told);
  });
});

it("a sale while a push waits for a promotion to end does not wait with it", async () => {
  const { market, product } = await listed({ stock: 10 });
  await change(sql`update market_products set price = 31000, stock = 9 where id = ${product.id}`);
  market.fake.faults.before = async ({ name }) => {
    if (name !== "setStocks") return;
    delete market.fake.faults.before;
    await change(sql`update market_products set stock = 1 where id = ${product.id}`);
  };
  market.fake.faults.line = (name) =>
    name === "setPrices" ? { fault: "locked", reason: "ikut promosi" } : null;
  await pushChanges(market.ctx);
  await pumpOnce(market);
  expect(market.fake.item(product.id)).toMatchObject({ priceIdr: 25_000, stock: 1 });
});
