import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { readStock } from "../../../testing/orders.ts";
import { disconnectShop } from "../connections/connect.ts";
import { pushChanges } from "../pushes.ts";
import { place } from "../testing/channel.ts";
import { fault } from "../testing/faults.ts";
import {
  change,
  connect,
  connectionOf,
  later,
  listed,
  type Market,
  pumpDry,
} from "../testing/market-bench.ts";

/** How many the shop was told that there are, each time. */
function tellsOf(market: Market): number[] {
  const told: number[] = [];
  const { setStocks } = market.fake;
  market.fake.setStocks = (auth, changes) => {
    told.push(...changes.map(({ stock }) => stock));
    return setStocks(auth, changes);
  };
  return told;
}

/** Ten pieces, of which the shop sold four while nobody asked it for an hour, and three more were found here. */
async function soldWhileAway() {
  const { market, product } = await listed({ stock: 10 });
  const told = tellsOf(market);
  const { id } = await connectionOf(market);
  await change(
    sql`update market_connections set orders_since = now() - interval '1 hour' where id = ${id}`,
  );
  place(market, [[product, 4]]);
  Object.assign(market.fake.item(product.id) ?? {}, { stock: 6 });
  return { market, product, told };
}

it("a shop that comes back is asked what it sold before it is told how many there are", async () => {
  const { market, product, told } = await soldWhileAway();
  await disconnectShop(market.ctx, "shopee");
  await change(sql`update market_products set stock = 13 where id = ${product.id}`);
  await connect(market);
  await pumpDry(market);
  expect(told).toEqual([9]);
  expect(await readStock(product)).toEqual({ stock: 9, reserved: 0 });
  expect(market.fake.item(product.id)?.stock).toBe(9);
});

it("so is one whose platform was away, and one that tells no orders is told all the same", async () => {
  const { market, product, told } = await soldWhileAway();
  await change(sql`update market_products set stock = 13 where id = ${product.id}`);
  market.fake.faults.before = ({ name }) => {
    if (name === "listOrders") throw fault("unavailable", "gangguan");
  };
  await pushChanges(market.ctx);
  await pumpDry(market);
  expect(told).toEqual([13]);
  market.fake.faults = {};
  await change(sql`update market_products set stock = 14 where id = ${product.id}`);
  await later(market);
  expect(told.slice(1)).toEqual([10]);
});

it("one that was asked a while ago is not asked at every change", async () => {
  const { market, product } = await listed({ stock: 10 });
  await change(sql`update market_products set stock = 13 where id = ${product.id}`);
  await later(market);
  expect(market.fake.count("listOrders")).toBe(0);
  expect(market.fake.item(product.id)?.stock).toBe(13);
});
