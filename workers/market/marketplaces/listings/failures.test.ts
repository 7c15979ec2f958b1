import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { pushChanges } from "../pushes.ts";
import { getRun, syncProducts } from "../sync.ts";
import { fault } from "../testing/faults.ts";
import {
  beginSync,
  change,
  connectedMarket,
  connectionOf,
  later,
  letTimePass,
  listable,
  listed,
  listedMarket,
  listingOf,
  type Market,
  mortal,
  pumpDry,
  pumpOnce,
} from "../testing/market-bench.ts";

/** The shop's search does not know yet what it has, at the next look. */
function hideOnce({ fake }: Market): void {
  const { findBySku } = fake;
  fake.findBySku = async () => {
    fake.findBySku = findBySku;
    return null;
  };
}

/** The next creation goes through or does not, and nobody hears which. */
function loseCreation({ fake }: Market, at: "before" | "after"): void {
  fake.faults[at] = ({ name }) => {
    if (name !== "createListing") return;
    fake.faults = {};
    throw fault("unknown");
  };
}

const sync = (market: Market, ids?: string[]) =>
  syncProducts(market.ctx, { platform: market.fake.platform, product_ids: ids });

describe("a platform that fails", () => {
  it("after it has created a listing is asked, and no second one is made", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    let lost = 1;
    market.fake.faults.after = ({ name }) => {
      if (name === "createListing" && lost-- > 0) throw fault("unknown");
    };
    expect(await sync(market)).toMatchObject({ synced: 0, failed: 0, pending: 1 });
    await pumpDry(market);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced" });
    expect(market.fake.copiesOf(product.id)).toBe(1);
  });

  it("after a creation that it lists late is asked until it does", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    let hides = 2;
    const real = market.fake.findBySku;
    market.fake.findBySku = async (auth, sku) => {
      const found = await real(auth, sku);
      return found && hides-- > 0 ? null : found;
    };
    let lost = 1;
    market.fake.faults.after = ({ name }) => {
      if (name === "createListing" && lost-- > 0) throw fault("unknown");
    };
    await sync(market);
    for (let look = 0; look < 4; look += 1) {
      await change(
        sql`update market_listings set retry_at = now() where product_id = ${product.id}`,
      );
      await change(
        sql`update jobs set run_at = now() where payload->>'connection_id' = ${(await connectionOf(market)).id} and finished_at is null`,
      );
      await pumpOnce(market);
    }
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced" });
    expect(market.fake.copiesOf(product.id)).toBe(1);
  });

  it("after a second creation in doubt is given as long to list it as after the first", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    loseCreation(market, "before");
    await beginSync(market);
    await pumpOnce(market);
    loseCreation(market, "after");
    await letTimePass(market);
    await pumpOnce(market);
    hideOnce(market);
    await change(sql`update market_listings set retry_at = now() where product_id = ${product.id}`);
    await change(sql`update jobs set run_at = now()
      where payload->>'connection_id' = ${(await connectionOf(market)).id} and finished_at is null`);
    await pumpOnce(market);
    expect(market.fake.copiesOf(product.id)).toBe(1);
    await pumpDry(market);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced" });
    expect(market.fake.copiesOf(product.id)).toBe(1);
  });

  it("at the last try, a creation in doubt, is asked about it when its seller syncs again", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    await beginSync(market);
    await change(sql`update market_listings set attempts = 9 where product_id = ${product.id}`);
    loseCreation(market, "after");
    await pumpOnce(market);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "error" });
    hideOnce(market);
    await sync(market);
    await change(sql`update market_listings set retry_at = now() where product_id = ${product.id}`);
    await change(sql`update jobs set run_at = now()
      where payload->>'connection_id' = ${(await connectionOf(market)).id} and finished_at is null`);
    await pumpOnce(market);
    await pumpDry(market);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced" });
    expect(market.fake.copiesOf(product.id)).toBe(1);
  });

  it("with a storm of complaints about our pace is left alone as long as it asks, and then gets everything", async () => {
    const market = await connectedMarket();
    for (let n = 0; n < 12; n += 1) await listable(market);
    let storm = 15;
    market.fake.faults.before = ({ name }) => {
      if (name === "createListing" && storm-- > 0) throw fault("rate_limited", "pelan", 20);
    };
    await sync(market);
    await pumpDry(market);
    expect(await sync(market)).toMatchObject({ synced: 12, failed: 0 });
    expect(market.fake.items.size).toBe(12);
  });

  it("and wants minutes of silence is not called before they have passed", async () => {
    const market = await connectedMarket();
    await listable(market);
    market.fake.faults.before = ({ name }) => {
      if (name === "createListing") throw fault("rate_limited", "pelan", 600_000);
    };
    await sync(market);
    const calls = market.fake.calls.length;
    await change(
      sql`update jobs set run_at = now() where payload->>'connection_id' = ${(await connectionOf(market)).id} and finished_at is null`,
    );
    await pumpOnce(market);
    expect(market.fake.calls.length).toBe(calls);
    market.fake.faults = {};
    await pumpDry(market);
    expect(market.fake.items.size).toBe(1);
  });

  it("that refuses our own keys is left alone, and costs no listing its tries", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    market.fake.faults.before = ({ name }) => {
      if (name === "findBySku") throw fault("misconfigured");
    };
    await sync(market);
    expect(await listingOf(market, product)).toMatchObject({ attempts: 0, sync_status: "pending" });
    const calls = market.fake.calls.length;
    await pumpOnce(market);
    expect(market.fake.calls.length).toBe(calls);
    market.fake.faults = {};
    await pumpDry(market);
    expect(market.fake.copiesOf(product.id)).toBe(1);
  });

  it("for half of a batch gets the other half, and that half once more", async () => {
    const market = await connectedMarket();
    const products: { id: string }[] = [];
    for (let n = 0; n < 6; n += 1) products.push(await listable(market));
    await sync(market);
    const bad = new Set(products.slice(0, 2).map(({ id }) => id));
    market.fake.faults.line = (name, sku) =>
      name === "setPrices" && bad.has(sku) ? { fault: "locked", reason: "ikut promosi" } : null;
    await change(sql`update market_products set price = 30000 where store_id = ${market.store.id}`);
    await change(
      sql`select market_marketplace_pumps(${JSON.stringify({ store_id: market.store.id })}::jsonb)`,
    );
    await pumpOnce(market);
    const prices = () => products.map(({ id }) => market.fake.item(id)?.priceIdr);
    expect(prices()).toEqual([25_000, 25_000, 30_000, 30_000, 30_000, 30_000]);
    market.fake.faults = {};
    const before = market.fake.count("setPrices");
    await pumpDry(market);
    expect(prices()).toEqual(Array.from({ length: 6 }, () => 30_000));
    expect(market.fake.count("setPrices")).toBe(before + 1);
  });

  it("half-way through a batch leaves what it did in doubt: a price that comes back is sent again", async () => {
    const { market, products } = await listedMarket(2);
    const price = (idr: number) =>
      change(sql`update market_products set price = ${idr} where store_id = ${market.store.id}`);
    const { setPrices } = market.fake;
    market.fake.setPrices = async (auth, changes) => {
      await setPrices(auth, changes.slice(0, 1));
      market.fake.setPrices = setPrices;
      throw fault("rate_limited", "pelan", 1);
    };
    await price(30_000);
    await pushChanges(market.ctx);
    await pumpOnce(market);
    await price(25_000);
    await later(market);
    expect(products.map(({ id }) => market.fake.item(id)?.priceIdr)).toEqual([25_000, 25_000]);
  });

  it("for good with one product fails that one after its tries, and no other", async () => {
    const market = await connectedMarket();
    const [bad, good] = [await listable(market), await listable(market)];
    market.fake.faults.before = ({ name, sku }) => {
      if (name === "createListing" && sku === bad.id) throw fault("unavailable", "rusak");
    };
    const { job_id: job } = await sync(market);
    await pumpDry(market);
    expect(await listingOf(market, good)).toMatchObject({ sync_status: "synced" });
    expect(await listingOf(market, bad)).toMatchObject({ sync_status: "error", reason: "rusak" });
    expect(await getRun(market.ctx, job)).toMatchObject({ synced: 1, failed: 1, pending: 0 });
  });
});

it("a shop that finds a listing and then does not know it is asked with pauses, and in the end its seller", async () => {
  const { market, product } = await listed();
  market.fake.faults.line = () => ({ fault: "not_found", reason: "tidak ada" });
  await change(sql`update market_products set price = 31000 where id = ${product.id}`);
  await sync(market);
  expect(market.fake.count("setPrices")).toBe(2);
  await pumpDry(market);
  expect(market.fake.count("setPrices")).toBe(10);
  expect(await listingOf(market, product)).toMatchObject({ sync_status: "error" });
});

describe("a worker that dies", () => {
  const deaths = Array.from({ length: 24 }, (_, at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]).flat();

  it.each(deaths)(
    "at call %i, %s it acts, leaves one listing of each product",
    async (at, kill) => {
      const market = await connectedMarket();
      const products = [await listable(market)];
      await beginSync(market);
      const dying = mortal(market, at, kill);
      const ended = await Promise.race([pumpOnce(market, dying.ctx), dying.killed]);
      expect([at, ended]).toEqual([at, "killed"]);
      await letTimePass(market);
      await pumpDry(market);
      for (const product of products) {
        expect(market.fake.copiesOf(product.id)).toBe(1);
        expect(await listingOf(market, product)).toMatchObject({
          sync_status: "synced",
          dirty: false,
        });
      }
    },
  );
});
