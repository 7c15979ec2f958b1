import { sql } from "drizzle-orm";
import { expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import { marketplaceHourlyChores } from "../chores.ts";
import { place, shelf } from "../testing/channel.ts";
import { fault } from "../testing/faults.ts";
import { change, connectionOf, type Market, poll } from "../testing/market-bench.ts";

const mailsAbout = async (market: Market) => {
  const { id } = await connectionOf(market);
  const found = sql`select dedupe_key as key from jobs where dedupe_key like ${`%marketplace_silent/${id}/%`}`;
  return await testContext().db.run(rows(found, z.object({ key: z.string() })));
};

const hoursPass = async (market: Market, hours: number): Promise<void> => {
  const { id } = await connectionOf(market);
  const ago = sql`make_interval(hours => ${hours})`;
  await change(sql`update market_connections set orders_since = orders_since - ${ago},
    connected_at = connected_at - ${ago} where id = ${id}`);
};

const cron = () => Promise.all(marketplaceHourlyChores(testContext()));

it("a shop that cannot be asked for its orders for hours is told to its seller, once until it can be again", async () => {
  const { market, product } = await shelf();
  place(market, [[product, 1]]);
  market.fake.faults.before = ({ name }) => {
    if (name === "listOrders") throw fault("unavailable");
  };
  await hoursPass(market, 5);
  await poll(market);
  await cron();
  expect(await mailsAbout(market)).toHaveLength(0);
  await hoursPass(market, 2);
  for (let hour = 0; hour < 2; hour += 1) {
    await poll(market);
    await cron();
    expect(await mailsAbout(market)).toHaveLength(1);
  }
  market.fake.faults = {};
  await poll(market);
  await hoursPass(market, 7);
  await cron();
  expect(await mailsAbout(market)).toHaveLength(2);
});

it("a shop that was connected again a moment ago has time to tell", async () => {
  const { market } = await shelf();
  await hoursPass(market, 48);
  const { id } = await connectionOf(market);
  await change(sql`update market_connections set connected_at = now() where id = ${id}`);
  await cron();
  expect(await mailsAbout(market)).toHaveLength(0);
});
