import { expect, it } from "vitest";
import { readStock } from "../../../testing/orders.ts";
import { getRun, syncProducts } from "../sync.ts";
import { place } from "../testing/channel.ts";
import { fault } from "../testing/faults.ts";
import { later, listed, listingOf, pumpDry } from "../testing/market-bench.ts";

const shopee = { platform: "shopee" as const };

/** How many the shop was told that there are, each time. */
function tellsOf(market: Awaited<ReturnType<typeof listed>>["market"]): number[] {
  const told: number[] = [];
  const { setStocks } = market.fake;
  market.fake.setStocks = (auth, changes) => {
    told.push(...changes.map(({ stock }) => stock));
    return setStocks(auth, changes);
  };
  return told;
}

it("a sync does not give back to a shop what it has just sold and nobody has told us of", async () => {
  const { market, product } = await listed({ stock: 10 });
  const told = tellsOf(market);
  place(market, [[product, 4]]);
  Object.assign(market.fake.item(product.id) ?? {}, { stock: 6 });
  const { job_id: job } = await syncProducts(market.ctx, shopee);
  await pumpDry(market);
  expect(told).not.toContain(10);
  expect(await readStock(product)).toEqual({ stock: 6, reserved: 0 });
  expect(market.fake.item(product.id)?.stock).toBe(6);
  expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", dirty: false });
  expect(await getRun(market.ctx, job)).toMatchObject({ synced: 1, failed: 0, pending: 0 });
});

it("a stock that was lowered there by hand, and is no sale, is what it is here after a look at the orders", async () => {
  const { market, product } = await listed({ stock: 10 });
  Object.assign(market.fake.item(product.id) ?? {}, { stock: 6 });
  await syncProducts(market.ctx, shopee);
  await pumpDry(market);
  expect(market.fake.count("listOrders")).toBe(1);
  expect(market.fake.item(product.id)?.stock).toBe(10);
});

it("a shop that refuses to tell its orders is told all the same, and one that cannot tell them now waits", async () => {
  const { market, product } = await listed({ stock: 10 });
  const lower = () => Object.assign(market.fake.item(product.id) ?? {}, { stock: 6 });
  const refuse = (how: "rejected" | "unavailable") => {
    market.fake.faults.before = ({ name }) => {
      if (name === "listOrders") throw fault(how);
    };
  };
  lower();
  refuse("rejected");
  await syncProducts(market.ctx, shopee);
  await pumpDry(market);
  expect(market.fake.item(product.id)?.stock).toBe(10);
  expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", dirty: false });
  lower();
  refuse("unavailable");
  await syncProducts(market.ctx, shopee);
  await later(market);
  expect(market.fake.item(product.id)?.stock).toBe(6);
  market.fake.faults = {};
  await later(market);
  expect(market.fake.item(product.id)?.stock).toBe(10);
});
