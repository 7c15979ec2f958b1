import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { TestProduct } from "../../../testing/factories.ts";
import { pushChanges } from "../pushes.ts";
import { fault } from "../testing/faults.ts";
import {
  change,
  later,
  listed,
  listingOf,
  type Market,
  pumpOnce,
} from "../testing/market-bench.ts";

const set = ({ id }: TestProduct, fields: ReturnType<typeof sql>) =>
  change(sql`update market_products set ${fields} where id = ${id}`);

type Figure = "setPrices" | "setStocks";

/** Of the two calls the one does what it does once, and the other is answered after it. */
function oneBeforeTheOther({ fake }: Market, first: Figure, act: () => void): void {
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  fake.faults.before = async ({ name }) => {
    if (name === first) {
      delete fake.faults.before;
      setTimeout(end);
      act();
    } else if (name === "setPrices" || name === "setStocks") await over;
  };
}

describe("of a price and a stock that change together", () => {
  it.each(["setPrices", "setStocks"] as const)(
    "the one that fails (%s) is sent again although the other arrives after it",
    async (first) => {
      const { market, product } = await listed({ stock: 10 });
      await set(product, sql`price = 31000, stock = 4`);
      oneBeforeTheOther(market, first, () => {
        throw fault("unavailable", "rusak");
      });
      await pushChanges(market.ctx);
      await pumpOnce(market);
      expect(await listingOf(market, product)).toMatchObject({ dirty: true, reason: "rusak" });
      await later(market);
      expect(market.fake.item(product.id)).toMatchObject({ priceIdr: 31_000, stock: 4 });
    },
  );

  it("the price that is refused is told although the stock arrives after it", async () => {
    const { market, product } = await listed({ stock: 10 });
    await set(product, sql`price = 31000, stock = 4`);
    oneBeforeTheOther(market, "setPrices", () => undefined);
    market.fake.faults.line = (name) =>
      name === "setPrices" ? { fault: "rejected", reason: "harga salah" } : null;
    await later(market);
    expect(market.fake.item(product.id)).toMatchObject({ priceIdr: 25_000, stock: 4 });
    expect(await listingOf(market, product)).toMatchObject({
      sync_status: "error",
      reason: "harga salah",
    });
  });
});

describe("what the shop has no longer sells there", () => {
  it.each<[string, (market: Market, product: TestProduct) => Promise<unknown>, string]>([
    [
      "text is refused",
      async ({ fake }, product) => {
        fake.faults.before = ({ name }) => {
          if (name === "updateListing") throw fault("rejected", "nama dilarang");
        };
        await set(product, sql`name = 'Dilarang'`);
      },
      "nama dilarang",
    ],
    [
      "pictures are gone",
      async (_market, { id }) =>
        await change(sql`delete from market_product_images where product_id = ${id}`),
      "foto",
    ],
    [
      "price is below its least",
      async (_market, product) => await set(product, sql`price = 50`),
      "Harga",
    ],
  ])("although its new %s", async (_what, spoil, reason) => {
    const { market, product } = await listed({ stock: 10 });
    await spoil(market, product);
    await set(product, sql`stock = 4`);
    await later(market);
    expect(market.fake.item(product.id)?.stock).toBe(4);
    await set(product, sql`stock = 0`);
    await later(market);
    expect(market.fake.item(product.id)?.stock).toBe(0);
    const found = await listingOf(market, product);
    expect(found).toMatchObject({ sync_status: "error", dirty: false });
    expect(found?.reason).toContain(reason);
  });
});
