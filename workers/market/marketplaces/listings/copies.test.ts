import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { syncProducts } from "../sync.ts";
import { change, later, listed, listingOf, pumpDry } from "../testing/market-bench.ts";

/** A product in step, and beside it a copy that its seller has made there. */
async function copied() {
  const { market, product } = await listed();
  const known = market.fake.item(product.id);
  if (!known) throw new Error("not listed");
  market.fake.items.clear();
  // The shop's search may name the copy first.
  market.fake.items.set("I-copy", { ...known, itemId: "I-copy" });
  market.fake.items.set(known.itemId, known);
  await syncProducts(market.ctx, { platform: "shopee" });
  await pumpDry(market);
  return { market, product, known };
}

describe("a second item of a product's SKU, which is not kept in step", () => {
  it("is told to its seller until it is gone", async () => {
    const { market, product, known } = await copied();
    const told = await listingOf(market, product);
    expect(told).toMatchObject({ sync_status: "synced", item_id: known.itemId });
    expect(told?.reason).toContain("I-copy");
    market.fake.items.delete("I-copy");
    await syncProducts(market.ctx, { platform: "shopee" });
    await later(market);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", reason: null });
  });

  it("is told on after the next sale, for which nobody asks the shop", async () => {
    const { market, product } = await copied();
    await change(sql`update market_products set stock = stock - 1 where id = ${product.id}`);
    await later(market);
    const told = await listingOf(market, product);
    expect([told?.sync_status, told?.reason]).toEqual([
      "synced",
      expect.stringContaining("I-copy"),
    ]);
  });

  it("takes the place of one that was blocked when its seller syncs", async () => {
    const { market, product, known } = await copied();
    known.status = "blocked";
    await syncProducts(market.ctx, { platform: "shopee" });
    await later(market);
    expect(await listingOf(market, product)).toMatchObject({
      sync_status: "synced",
      item_id: "I-copy",
    });
  });
});
