import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import type { MarketOrder } from "../../../../shared/providers/marketplace.ts";
import { testContext } from "../../../testing/api.ts";
import { unique } from "../../../testing/factories.ts";
import { readStock } from "../../../testing/orders.ts";
import { place, push, pushIn, pushOrder, shelf } from "../testing/channel.ts";
import { change, connectionOf } from "../testing/market-bench.ts";

describe("a push", () => {
  it("of an order has it asked for and taken in, once however often it comes", async () => {
    const { market, product } = await shelf();
    const made = place(market, [[product, 2]]);
    const key = unique("k");
    expect(await pushOrder(market, made, key)).toEqual(["acked"]);
    expect(await pushOrder(market, made, key)).toEqual(["acked"]);
    expect(await readStock(product)).toEqual({ stock: 8, reserved: 0 });
    expect(market.fake.count("getOrders")).toBe(1);
  });

  it("that is not the platform's is refused at the door", async () => {
    const { market } = await shelf();
    const forged = {
      ...push(market, { kind: "order", orderId: "x", status: "" }),
      authorization: "?",
    };
    await expect(pushIn(market, forged)).rejects.toMatchObject({ code: "unauthenticated" });
  });

  it("about a shop of nobody is kept and changes nothing", async () => {
    const { market } = await shelf();
    await change(
      sql`update market_connections set status = 'disconnected' where store_id = ${market.store.id}`,
    );
    expect(await pushOrder(market, { orderId: "x" } as MarketOrder, unique("k"))).toEqual([
      "acked",
    ]);
    expect(market.fake.count("getOrders")).toBe(0);
  });

  it("that access was taken away is believed when the platform itself refuses us", async () => {
    const { market } = await shelf();
    await pushIn(market, push(market, { kind: "deauthorised" }));
    expect((await connectionOf(market)).status).toBe("connected");
    market.fake.revokeAll();
    await pushIn(market, push(market, { kind: "deauthorised" }));
    expect(await connectionOf(market)).toMatchObject({
      status: "error",
      status_reason: "Izin dicabut",
    });
  });

  it("that the grant ends soon is told to the seller, once a week, with a day that is not later", async () => {
    const { market } = await shelf();
    const { id } = await connectionOf(market);
    // Renewed every few hours, a refresh token is good for a month: the grant behind it is not.
    await change(sql`update market_connections set refresh_expires_at = now() + interval '30 days'
      where id = ${id}`);
    for (let n = 0; n < 2; n += 1) {
      await pushIn(market, push(market, { kind: "expiring", shopIds: [market.fake.shopId] }));
    }
    const mails = sql`select (payload->'data'->>'ends_at')::timestamptz
        between now() + interval '6 days' and now() + interval '7 days' as is_in_a_week
      from jobs where dedupe_key like ${`mail/marketplace_ending/${id}/%`}`;
    const told = await testContext().db.run(rows(mails, z.unknown()));
    expect(told).toEqual([{ is_in_a_week: true }]);
  });

  it("to test the address is answered and forgotten", async () => {
    const { market } = await shelf();
    expect(await pushIn(market, push(market, { kind: "ping" }))).toEqual([]);
  });
});
