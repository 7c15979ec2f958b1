import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { createUser } from "../../testing/factories.ts";
import { setFlags } from "../admin/flags.ts";
import { listListings, syncProducts } from "../marketplaces/sync.ts";
import { fault } from "../marketplaces/testing/faults.ts";
import {
  change,
  connectedMarket,
  connectionOf,
  contextWith,
  later,
  listable,
  listingOf,
  type Market,
  pumpDry,
  settleBackground,
} from "../marketplaces/testing/market-bench.ts";
import { undoAction } from "./sessions.ts";
import { actOutside, refusedAfterADay } from "./testing/outside.ts";

/** The assistant brings all products to Shopee; answers the act. */
async function sync(market: Market): Promise<string> {
  const call: [string, Record<string, unknown>] = ["sync_to_marketplace", { platform: "shopee" }];
  const id = await actOutside(market.ctx, market.seller, call);
  await pumpDry(market);
  return id;
}

async function undo(market: Market, id: string): Promise<string> {
  const { message } = await undoAction(market.ctx, id);
  await pumpDry(market);
  return message;
}

/** A product that was on sale there until somebody took it off by hand. */
async function hiddenByHand(market: Market) {
  const product = await listable(market);
  await syncProducts(market.ctx, { platform: "shopee" });
  await pumpDry(market);
  const item = market.fake.item(product.id);
  if (item) item.status = "unlisted";
  return product;
}

const statusOf = ({ fake }: Market, { id }: { id: string }) => fake.item(id)?.status;
const price = ({ id }: { id: string }, amount: number) =>
  change(sql`update market_products set price = ${amount} where id = ${id}`);

describe("undoing a sync", () => {
  it("takes what it put on sale off the shelf there, keeps it off, and leaves alone what was there", async () => {
    const market = await connectedMarket();
    const there = await listable(market);
    await syncProducts(market.ctx, { platform: "shopee", product_ids: [there.id] });
    await pumpDry(market);
    const [first, second] = [await listable(market), await listable(market)];
    const id = await sync(market);
    expect(statusOf(market, first)).toBe("live");
    await undo(market, id);
    expect([there, first, second].map((one) => statusOf(market, one))).toEqual([
      "live",
      "unlisted",
      "unlisted",
    ]);
    market.fake.calls.length = 0;
    for (const product of [there, first]) await price(product, 31_000);
    await syncProducts(market.ctx, { platform: "shopee", product_ids: [there.id] });
    await pumpDry(market);
    expect(market.fake.item(there.id)?.priceIdr).toBe(31_000);
    expect(market.fake.item(first.id)?.priceIdr).not.toBe(31_000);
    expect(statusOf(market, first)).toBe("unlisted");
    await expect(undoAction(market.ctx, id)).rejects.toMatchObject({ code: "conflict" });
  });

  it("puts what had been taken off there by hand back to that, and lets the seller sync it again", async () => {
    const market = await connectedMarket();
    const product = await hiddenByHand(market);
    const id = await sync(market);
    expect(statusOf(market, product)).toBe("live");
    await undo(market, id);
    expect(statusOf(market, product)).toBe("unlisted");
    await syncProducts(market.ctx, { platform: "shopee" });
    await pumpDry(market);
    expect(statusOf(market, product)).toBe("live");
  });

  it("leaves on sale what a shop that came back had on sale all along", async () => {
    const market = await connectedMarket();
    const [there, added] = [await listable(market), await listable(market)];
    await syncProducts(market.ctx, { platform: "shopee", product_ids: [there.id] });
    await pumpDry(market);
    // Another shop was connected, and then this one again.
    const { id: connection } = await connectionOf(market);
    await change(sql`delete from market_listings where connection_id = ${connection}`);
    await undo(market, await sync(market));
    expect([there, added].map((one) => statusOf(market, one))).toEqual(["live", "unlisted"]);
    await price(there, 31_000);
    await syncProducts(market.ctx, { platform: "shopee", product_ids: [there.id] });
    await pumpDry(market);
    expect(market.fake.item(there.id)?.priceIdr).toBe(31_000);
  });

  it("calls off what was not there yet, also where its creation went through unheard", async () => {
    const market = await connectedMarket();
    const [waiting, unheard] = [await listable(market), await listable(market)];
    const call: [string, Record<string, unknown>] = [
      "sync_to_marketplace",
      { platform: "shopee", product_ids: [unheard.id] },
    ];
    market.fake.faults.after = ({ name }) => {
      if (name === "createListing") throw fault("unknown");
    };
    const lost = await actOutside(market.ctx, market.seller, call);
    market.fake.faults = {};
    await undo(market, lost);
    expect(statusOf(market, unheard)).toBe("unlisted");
    await change(sql`update market_connections set blocked_until = now() + interval '1 hour'
      where store_id = ${market.store.id}`);
    const later = await actOutside(market.ctx, market.seller, [
      "sync_to_marketplace",
      { platform: "shopee", product_ids: [waiting.id] },
    ]);
    await undo(market, later);
    expect(statusOf(market, waiting)).toBeUndefined();
    expect(await listingOf(market, waiting)).toMatchObject({ dirty: false, sync_status: "synced" });
    const { rows: listings } = await listListings(market.ctx, { page: 1, limit: 10 });
    expect(listings.map(({ reason }) => reason)).toEqual(
      Array(2).fill(expect.stringContaining("dibatalkan")),
    );
  });

  it("says what the shop says that does not take it off, and leaves it nothing to sell", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    const id = await sync(market);
    market.fake.faults.line = (name) =>
      name === "setListed" ? { fault: "rejected", reason: "tidak boleh" } : null;
    await undo(market, id);
    expect(market.fake.item(product.id)).toMatchObject({ status: "live", stock: 0 });
    const { rows: listings } = await listListings(market.ctx, { page: 1, limit: 10 });
    expect(listings).toMatchObject([{ sync_status: "error", reason: "tidak boleh" }]);
  });

  it("leaves alone what it has not looked at yet", async () => {
    const market = await connectedMarket();
    const product = await hiddenByHand(market);
    await change(sql`update market_connections set blocked_until = now() + interval '1 hour'
      where store_id = ${market.store.id}`);
    const call: [string, Record<string, unknown>] = ["sync_to_marketplace", { platform: "shopee" }];
    await undo(market, await actOutside(market.ctx, market.seller, call));
    expect(statusOf(market, product)).toBe("unlisted");
  });

  it("waits for what is being looked at there just now, and then puts that back too", async () => {
    const market = await connectedMarket();
    const product = await hiddenByHand(market);
    const blocked = (until: string) =>
      change(sql`update market_connections set blocked_until = now() + ${until}::interval
        where store_id = ${market.store.id}`);
    await blocked("1 hour");
    const call: [string, Record<string, unknown>] = ["sync_to_marketplace", { platform: "shopee" }];
    const id = await actOutside(market.ctx, market.seller, call);
    await blocked("-1 hour");
    const early: unknown[] = [];
    market.fake.faults.after = async ({ name }) => {
      if (name !== "findBySku") return;
      market.fake.faults = {};
      early.push(await undoAction(market.ctx, id).catch((error: unknown) => error));
    };
    await pumpDry(market);
    expect(early).toMatchObject([
      { code: "conflict", message: expect.stringContaining("sedang berjalan") },
    ]);
    await undo(market, id);
    expect(statusOf(market, product)).toBe("unlisted");
  });

  it("leaves what its seller has synced by himself since, and says so; of what was there before it changes nothing", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    const first = await sync(market);
    const again = await sync(market);
    await syncProducts(market.ctx, { platform: "shopee" });
    await pumpDry(market);
    expect([await undo(market, again), await undo(market, first)]).toEqual([
      expect.stringContaining("tidak menayangkan produk baru"),
      expect.stringContaining("disinkronkan lagi sejak itu"),
    ]);
    expect(statusOf(market, product)).toBe("live");
  });

  it("comes off the shelf once both of two syncs are undone, in either order", async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const market = await connectedMarket();
      const product = await listable(market);
      const acts = [await sync(market), await sync(market)];
      const told: string[] = [];
      for (const which of order) told.push(await undo(market, acts[which] ?? ""));
      expect(told[0]).toMatch(
        order[0] === 0 ? /disinkronkan lagi sejak itu/ : /tidak menayangkan produk baru/,
      );
      expect(statusOf(market, product)).toBe("unlisted");
    }
  });

  it("goes back step by step, the latest first", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    const first = await sync(market);
    await undo(market, first);
    const second = await sync(market);
    expect(statusOf(market, product)).toBe("live");
    await undo(market, second);
    expect(statusOf(market, product)).toBe("unlisted");
  });

  it.each([
    ["syncing is switched off", /^Sinkronisasi sedang dinonaktifkan/],
    ["the shop must be connected again", /^Shopee tidak terhubung/],
  ])("while %s is done as soon as that has passed", async (what, words) => {
    const market = await connectedMarket();
    const product = await listable(market);
    const id = await sync(market);
    const admin = await createUser(["admin"]);
    const isFlag = what.startsWith("syncing");
    const set = async (isOn: boolean) => {
      const { id: store } = market.store;
      if (isFlag)
        await setFlags({ ...market.ctx, actor: admin }, store, { marketplace_sync: isOn });
      else
        await change(sql`update market_connections set status = ${isOn ? "connected" : "error"}
          where store_id = ${store}`);
    };
    await set(false);
    expect(await undo(market, id)).toMatch(words);
    expect(statusOf(market, product)).toBe("live");
    await set(true);
    await later(market);
    expect(statusOf(market, product)).toBe("unlisted");
  });

  it("says where to look once another shop was connected there", async () => {
    const market = await connectedMarket();
    await listable(market);
    const id = await sync(market);
    const { id: connection } = await connectionOf(market);
    await change(sql`delete from market_listings where connection_id = ${connection}`);
    expect(await undo(market, id)).toContain("turunkan di sana");
  });

  it("is refused after a day and to others, and leaves a trace", async () => {
    const market = await connectedMarket();
    const product = await listable(market);
    const id = await sync(market);
    const stranger = contextWith(await createUser(["buyer", "seller"]), market.fake);
    await expect(undoAction(stranger, id)).rejects.toMatchObject({ code: "not_found" });
    await refusedAfterADay(market.ctx, id);
    await settleBackground();
    expect(statusOf(market, product)).toBe("live");
    await undo(market, id);
    expect(statusOf(market, product)).toBe("unlisted");
    const told = await market.ctx.db.run(
      rows(
        sql`select action from audit_entries where subject_id = ${id} or reason = 'sync_to_marketplace'
          and actor_id = ${market.seller.userId}`,
        z.object({ action: z.string() }),
      ),
    );
    expect(told).toEqual([{ action: "market.assistant.undo" }]);
  });
});
