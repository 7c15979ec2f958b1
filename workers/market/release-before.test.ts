import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { call } from "../../shared/db/statement.ts";
import { testContext } from "../testing/api.ts";
import { readStock } from "../testing/orders.ts";
import { marketplaceHourlyChores } from "./marketplaces/chores.ts";
import { ordersOf as channelOrdersOf, shelf } from "./marketplaces/testing/channel.ts";
import { change, connectionOf } from "./marketplaces/testing/market-bench.ts";
import { monthPasses } from "./testing/parcel-walks.ts";
import { courierDial, HELD, handedOver, moneyOf, news, parcelOfSale } from "./testing/parcels.ts";
import { openShop, type Sale, sell, settle } from "./testing/sales.ts";

/** Until a release is deployed, and after it is taken back, the Worker of the release before calls the new functions. */

const run = (name: string, input: Record<string, unknown>) =>
  testContext().db.run(call(name, input, z.record(z.string(), z.unknown())));

describe("the Worker of the release before", () => {
  const received = ({ orderId, buyer }: Sale) =>
    run("market_order_received", { order_id: orderId, buyer_id: buyer.userId });

  it("records that a parcel has come which was given up, and not of one that nobody sent", async () => {
    const [waiting, silent] = [await handedOver(), await handedOver()];
    await expect(received(waiting)).rejects.toMatchObject({ code: "conflict" });
    expect(await moneyOf(waiting)).toEqual(HELD);
    await news(silent, "processed", "processed_packages");
    await monthPasses(silent);
    await courierDial(silent.number, { cancelDelayMs: 1 });
    await received(silent);
    expect(await parcelOfSale(silent)).toMatchObject({ order: "delivered" });
  });

  it("finds the key `call_back` in what it is answered", async () => {
    const [refunded, delivered] = [await sell(await openShop()), await handedOver()];
    await settle(refunded);
    const about = { reason: "Habis", actor_id: refunded.seller.userId, audit: {} };
    const given = { order_id: refunded.orderId, seller_id: refunded.seller.userId, restock: true };
    expect(await run("market_order_refund", { ...given, ...about })).toHaveProperty("call_back");
    const { userId } = refunded.buyer;
    const input = { order_id: delivered.orderId, actor_id: userId, reason: "Ada", audit: {} };
    for (let time = 0; time < 2; time += 1) {
      expect(await run("market_order_delivered", input)).toHaveProperty("call_back");
    }
  });

  it("takes a marketplace's order in as the connected shop's, which holds its stock", async () => {
    const { market, product } = await shelf(10);
    const { id } = await connectionOf(market);
    const now = new Date().toISOString();
    const line = { line_id: "1", sku: product.id, item_id: null, sku_id: null, name: "Kopi" };
    const order = {
      ...{ id: `old-${product.id}`, status: "unpaid", status_text: "UNPAID" },
      ...{ created_at: now, updated_at: now },
      lines: [{ ...line, quantity: 3, price: product.price, status: "unpaid" }],
    };
    await run("market_marketplace_order", { connection_id: id, order });
    await change(sql`update market_channel_orders set updated_at = now() - interval '4 days'
      where connection_id = ${id}`);
    await Promise.all(marketplaceHourlyChores(testContext()));
    expect(await readStock(product)).toEqual({ stock: 10, reserved: 3 });
    expect(await channelOrdersOf(market)).toMatchObject([{ status: "pending" }]);
  });
});
