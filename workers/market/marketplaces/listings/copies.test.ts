import { expect, it } from "vitest";
import { syncProducts } from "../sync.ts";
import { later, listed, listingOf, pumpDry } from "../testing/market-bench.ts";

it("a second item of a product's SKU, which is not kept in step, is told to its seller until it is gone", async () => {
  const { market, product } = await listed();
  const known = market.fake.item(product.id);
  if (!known) throw new Error("not listed");
  market.fake.items.set("I-copy", { ...known, itemId: "I-copy" });
  await syncProducts(market.ctx, { platform: "shopee" });
  await pumpDry(market);
  const told = await listingOf(market, product);
  expect(told).toMatchObject({ sync_status: "synced", item_id: known.itemId });
  expect(told?.reason).toContain("I-copy");
  market.fake.items.delete("I-copy");
  await syncProducts(market.ctx, { platform: "shopee" });
  await later(market);
  expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", reason: null });
});
