import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { RemoteStatus } from "../../../../shared/providers/marketplace.ts";
import type { TestProduct } from "../../../testing/factories.ts";
import { pushChanges } from "../pushes.ts";
import { push, pushIn } from "../testing/channel.ts";
import {
  beginSync,
  change,
  connectedMarket,
  later,
  listable,
  listingOf,
  type Market,
  pumpDry,
  pumpOnce,
} from "../testing/market-bench.ts";

async function inStep(): Promise<{ market: Market; product: TestProduct }> {
  const market = await connectedMarket("lazada");
  const product = await listable(market, { stock: STOCK });
  await beginSync(market);
  await pumpDry(market);
  return { market, product };
}

/** The platform finds something about the product, and says so. */
async function becomes(market: Market, product: TestProduct, status: RemoteStatus) {
  const item = market.fake.item(product.id);
  if (!item) throw new Error("not there");
  item.status = status;
  return await pushIn(market, push(market, { kind: "listing", itemId: item.itemId }));
}

const BLOCKED = { sync_status: "error", reason: "Produk diblokir oleh marketplace", dirty: false };
const STOCK = 10;
const SHOWN = { sync_status: "synced", reason: null, dirty: false };

describe("a platform that says something of a listing", () => {
  it("has its seller told that it does not show it, and that it does again", async () => {
    const { market, product } = await inStep();
    expect(await becomes(market, product, "blocked")).toEqual(["acked"]);
    expect(await listingOf(market, product)).toMatchObject(BLOCKED);
    await becomes(market, product, "live");
    await later(market);
    expect(await listingOf(market, product)).toMatchObject(SHOWN);
  });

  it("does not have put back what its seller took off the shelf there", async () => {
    const { market, product } = await inStep();
    market.fake.calls.length = 0;
    await becomes(market, product, "unlisted");
    await pumpDry(market);
    expect(market.fake.item(product.id)?.status).toBe("unlisted");
    expect(market.fake.calls.map(({ name }) => name)).toEqual(["findBySku"]);
  });

  it("while the product waits to be worked on has it looked at then, and brought there once it is shown", async () => {
    const { market, product } = await inStep();
    await change(sql`update market_products set price = 31000 where id = ${product.id}`);
    await becomes(market, product, "blocked");
    await later(market);
    expect(await listingOf(market, product)).toMatchObject(BLOCKED);
    expect(market.fake.item(product.id)?.priceIdr).toBe(25_000);
    await becomes(market, product, "live");
    await later(market);
    expect(await listingOf(market, product)).toMatchObject(SHOWN);
    expect(market.fake.item(product.id)?.priceIdr).toBe(31_000);
  });

  it("has what changed meanwhile brought there at once when it is shown again", async () => {
    const { market, product } = await inStep();
    await change(sql`update market_products set stock = 3 where id = ${product.id}`);
    await change(sql`update market_listings set verify = true where product_id = ${product.id}`);
    market.fake.faults.line = () => ({ fault: "rejected", reason: "diblokir" });
    await becomes(market, product, "blocked");
    await later(market);
    market.fake.faults = {};
    await becomes(market, product, "live");
    await pushChanges(market.ctx);
    await pumpOnce(market);
    expect(market.fake.item(product.id)?.stock).toBe(3);
    expect(await listingOf(market, product)).toMatchObject(SHOWN);
  });

  it("keeps its word after the next sale here, and shows what changed once it is shown again", async () => {
    const { market, product } = await inStep();
    await becomes(market, product, "blocked");
    await change(sql`update market_products set stock = stock - 1 where id = ${product.id}`);
    await later(market);
    expect(await listingOf(market, product)).toMatchObject({ ...BLOCKED, dirty: true });
    await becomes(market, product, "live");
    await later(market);
    expect(market.fake.item(product.id)?.stock).toBe(STOCK - 1);
    expect(await listingOf(market, product)).toMatchObject(SHOWN);
  });

  it("while the product is being worked on is heard all the same", async () => {
    const { market, product } = await inStep();
    await change(sql`update market_products set stock = stock - 1 where id = ${product.id}`);
    market.fake.faults.before = async ({ name }) => {
      if (name !== "setStocks") return;
      market.fake.faults = {};
      await becomes(market, product, "blocked");
    };
    await pushChanges(market.ctx);
    await pumpOnce(market);
    await later(market);
    expect(await listingOf(market, product)).toMatchObject({ ...BLOCKED, dirty: true });
  });

  it.each(["by itself", "by a sync"])("is sent a new text of what it blocked, %s", async (how) => {
    const { market, product } = await inStep();
    await becomes(market, product, "blocked");
    await change(sql`update market_products set name = 'Keripik biasa' where id = ${product.id}`);
    if (how === "by a sync") await beginSync(market);
    await later(market);
    expect(market.fake.item(product.id)?.name).toBe("Keripik biasa");
    expect(await listingOf(market, product)).toMatchObject(BLOCKED);
    market.fake.calls.length = 0;
    await later(market);
    expect(market.fake.count("updateListing")).toBe(0);
  });

  it("is left what its seller did there with a thing that it had blocked", async () => {
    const { market, product } = await inStep();
    for (const status of ["unlisted", "deleted"] as const) {
      await becomes(market, product, "blocked");
      Object.assign(market.fake.item(product.id) ?? {}, { status });
      await change(sql`update market_products set price = price + 500 where id = ${product.id}`);
      await later(market);
      const items = [...market.fake.items.values()].map((item) => item.status);
      expect(items).toEqual([status]);
    }
    expect(await listingOf(market, product)).toMatchObject({ item_id: null, sync_status: "error" });
  });

  it("takes a thing that it has blocked off its shelf when it is taken off here", async () => {
    const { market, product } = await inStep();
    await becomes(market, product, "blocked");
    await change(sql`update market_products set status = 'archived' where id = ${product.id}`);
    await later(market);
    expect(market.fake.item(product.id)?.status).toBe("unlisted");
  });

  it("of a thing that is not ours is taken and changes nothing", async () => {
    const { market, product } = await inStep();
    market.fake.calls.length = 0;
    await pushIn(market, push(market, { kind: "listing", itemId: "of somebody else" }));
    expect(market.fake.calls).toEqual([]);
    expect(await listingOf(market, product)).toMatchObject(SHOWN);
  });
});
