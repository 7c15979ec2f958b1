import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { TestProduct } from "../../../testing/factories.ts";
import { pushChanges } from "../pushes.ts";
import { syncProducts } from "../sync.ts";
import { fault } from "../testing/faults.ts";
import {
  change,
  connectedMarket,
  letTimePass,
  listable,
  listingOf,
  type Market,
  mortal,
  pumpDry,
  pumpOnce,
} from "../testing/market-bench.ts";

async function listed() {
  const market = await connectedMarket();
  const product = await listable(market, { stock: 10 });
  await syncProducts(market.ctx, { platform: "shopee" });
  await pumpDry(market);
  return { market, product, shown: { ...market.fake.item(product.id) } };
}

const set = ({ id }: TestProduct, field: string, value: unknown) =>
  change(sql`update market_products set ${sql.raw(field)} = ${value} where id = ${id}`);

/** What was under way is found again, however long its pause or its claim. */
async function later(market: Market) {
  await letTimePass(market);
  await pushChanges(market.ctx);
  await pumpDry(market);
}

describe("a change that arrived although nobody heard so, and that is taken back here", () => {
  it.each([
    ["setStocks", "stock", 9, 10],
    ["setPrices", "price", 31_000, 25_000],
    ["setListed", "status", "archived", "active"],
    ["updateListing", "description", "Lain", null],
  ] as const)("is taken back there too: %s timed out", async (call, field, changed, before) => {
    const { market, product, shown } = await listed();
    await set(product, field, changed);
    market.fake.faults.after = ({ name }) => {
      if (name !== call) return;
      market.fake.faults = {};
      throw fault("unknown");
    };
    await pushChanges(market.ctx);
    await pumpOnce(market);
    await set(product, field, before);
    await later(market);
    expect(market.fake.item(product.id)).toEqual(shown);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", dirty: false });
  });

  it.each([
    ["stock", 9, 10],
    ["status", "archived", "active"],
  ] as const)(
    "is taken back there too: its worker died behind the call (%s)",
    async (field, changed, before) => {
      const { market, product, shown } = await listed();
      await set(product, field, changed);
      await pushChanges(market.ctx);
      // The tokens, the lease and the claim come before it.
      const dying = mortal(market, 4, "after");
      expect(await Promise.race([pumpOnce(market, dying.ctx), dying.killed])).toBe("killed");
      expect(market.fake.item(product.id)).not.toEqual(shown);
      await set(product, field, before);
      await later(market);
      expect(market.fake.item(product.id)).toEqual(shown);
    },
  );
});
