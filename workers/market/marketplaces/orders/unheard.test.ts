import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { MarketOrder } from "../../../../shared/providers/marketplace.ts";
import { testContext } from "../../../testing/api.ts";
import { unique } from "../../../testing/factories.ts";
import { readStock } from "../../../testing/orders.ts";
import { marketplaceHourlyChores } from "../chores.ts";
import { connectShop, disconnectShop } from "../connections/connect.ts";
import { channelOf, move, ordersOf, place, shelf } from "../testing/channel.ts";
import { change, connect, poll } from "../testing/market-bench.ts";

/** Ten pieces, of which an order that nobody has paid yet holds three. */
async function held() {
  const { market, product } = await shelf(10);
  const made = place(market, [[product, 3]], "unpaid");
  await poll(market);
  return { market, product, made };
}

/** Cron, with the order last heard of so many days ago. */
async function cron({ orderId }: MarketOrder, days = 0): Promise<void> {
  await change(sql`update market_channel_orders set updated_at = updated_at - make_interval(days => ${days})
    where remote_id = ${orderId}`);
  await Promise.all(marketplaceHourlyChores(testContext()));
}

const HELD = { stock: 10, reserved: 3 };
const FREE = { stock: 10, reserved: 0 };

describe("an unpaid order of a marketplace", () => {
  it("whose seller has left holds stock for three days, and takes it where it was paid after all", async () => {
    const { market, product, made } = await held();
    await disconnectShop(market.ctx, "lazada");
    await cron(made);
    expect(await readStock(product)).toEqual(HELD);
    await cron(made, 4);
    expect(await readStock(product)).toEqual(FREE);
    expect(await ordersOf(market)).toMatchObject([{ status: "cancelled" }]);
    await connect(market);
    move(made, "to_ship");
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 7, reserved: 0 });
    expect(await ordersOf(market)).toMatchObject([{ status: "paid" }]);
  });

  it("of a shop whose place another one has taken holds stock for three days", async () => {
    const { market, product, made } = await held();
    await connectShop(market.ctx, {
      platform: "lazada",
      code: market.fake.grant(unique("another")),
    });
    await cron(made);
    expect(await readStock(product)).toEqual(HELD);
    await cron(made, 4);
    expect(await readStock(product)).toEqual(FREE);
  });

  it("of a shop whose place another one took while it was asked for holds stock for three days", async () => {
    const { market, product } = await shelf(10);
    const made = place(market, [[product, 3]], "unpaid");
    market.fake.faults.after = async ({ name }) => {
      if (name !== "getOrders") return;
      market.fake.faults = {};
      await connectShop(market.ctx, {
        platform: "lazada",
        code: market.fake.grant(unique("another")),
      });
    };
    await poll(market);
    expect(await readStock(product)).toEqual(HELD);
    await cron(made, 4);
    expect(await readStock(product)).toEqual(FREE);
  });

  it("of a connected shop holds its stock until the shop tells its end", async () => {
    const { market, product, made } = await held();
    await cron(made, 40);
    expect(await readStock(product)).toEqual(HELD);
    move(made, "cancelled");
    await poll(market);
    expect(await readStock(product)).toEqual(FREE);
  });

  it("that was short takes what came meanwhile once it is paid", async () => {
    const { market, product } = await shelf(1);
    const made = place(market, [[product, 3]], "unpaid");
    await poll(market);
    await change(sql`update market_products set stock = stock + 5 where id = ${product.id}`);
    move(made, "to_ship");
    await poll(market);
    expect(await readStock(product)).toEqual({ stock: 3, reserved: 0 });
    expect(await channelOf(made)).toMatchObject([{ short: 0, problem: null }]);
  });
});
