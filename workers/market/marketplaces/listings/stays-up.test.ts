import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { TestProduct } from "../../../testing/factories.ts";
import { pushChanges } from "../pushes.ts";
import {
  change,
  later,
  listed,
  listingOf,
  type Market,
  pumpOnce,
} from "../testing/market-bench.ts";

const set = ({ id }: TestProduct, status: "archived" | "active") =>
  change(sql`update market_products set status = ${status} where id = ${id}`);

/** A product that is no longer sold, at a shop that does not take it off its shelf. */
async function kept(how: "rejected" | "locked"): Promise<{ market: Market; product: TestProduct }> {
  const { market, product } = await listed({ stock: 10 });
  market.fake.faults.line = (name) =>
    name === "setListed" ? { fault: how, reason: "tidak boleh" } : null;
  await set(product, "archived");
  await pushChanges(market.ctx);
  return { market, product };
}

describe("what a shop does not take off its shelf", () => {
  it.each([
    ["rejected", { sync_status: "error", dirty: false }],
    ["locked", { dirty: true }],
  ] as const)("(%s) sells nothing there, until it is sold here again", async (how, left) => {
    const { market, product } = await kept(how);
    await pumpOnce(market);
    expect(market.fake.item(product.id)).toMatchObject({ status: "live", stock: 0 });
    expect(await listingOf(market, product)).toMatchObject({ ...left, reason: "tidak boleh" });
    market.fake.faults = {};
    await set(product, "active");
    await later(market);
    expect(market.fake.item(product.id)).toMatchObject({ status: "live", stock: 10 });
  });

  it("sells there again, although the worker died that took its stock away", async () => {
    const { market, product } = await kept("rejected");
    const { promise: emptied, resolve: die } = Promise.withResolvers<void>();
    market.fake.faults.after = ({ name }) => {
      if (name !== "setStocks") return;
      market.fake.faults = {};
      die();
      return new Promise(() => undefined);
    };
    void pumpOnce(market);
    await emptied;
    expect(market.fake.item(product.id)?.stock).toBe(0);
    await set(product, "active");
    await later(market);
    expect(market.fake.item(product.id)).toMatchObject({ status: "live", stock: 10 });
  });
});
