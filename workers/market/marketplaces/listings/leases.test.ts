import { sql } from "drizzle-orm";
import { expect, it, vi } from "vitest";
import { pushChanges } from "../pushes.ts";
import { fault } from "../testing/faults.ts";
import { change, letTimePass, listedMarket, pumpOnce } from "../testing/market-bench.ts";

it("a pump that is slower than its claim is silent before another one takes over: no late call brings an old stock back", async () => {
  const { market, products } = await listedMarket(3);
  market.fake.limits.stockBatch = 1;
  const stocks = (stock: number) =>
    change(sql`update market_products set stock = ${stock} where store_id = ${market.store.id}`);
  await stocks(4);
  await pushChanges(market.ctx);
  let lateMs = 0;
  const slow = { ...market.ctx, now: () => new Date(Date.now() + lateMs) };
  const { promise: taken, resolve: over } = Promise.withResolvers<void>();
  const { setStocks } = market.fake;
  let calls = 0;
  vi.spyOn(market.fake, "setStocks").mockImplementation(async (...given) => {
    calls += 1;
    if (calls === 1) {
      lateMs = 200_000;
      await stocks(7);
      await letTimePass(market);
      await pumpOnce(market);
      over();
      throw fault("unknown");
    }
    if (calls <= products.length) await taken;
    return await setStocks(...given);
  });
  expect(await pumpOnce(market, slow)).toBe("lease_lost");
  expect(products.map(({ id }) => market.fake.item(id)?.stock)).toEqual([7, 7, 7]);
});
