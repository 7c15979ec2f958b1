import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { call, rows } from "../../../../shared/db/statement.ts";
import { extendLease, type JobHandler, wake, wakeSchema } from "../../../../shared/jobs/jobs.ts";
import { describeError } from "../../../../shared/log.ts";
import { contradiction } from "../../../../shared/providers/marketplace/call.ts";
import { MarketplaceError, type OrderPage } from "../../../../shared/providers/marketplace.ts";
import { ShopPausedError } from "../connections/pace.ts";
import { Shop } from "../connections/shop.ts";
import { RenewalBusyError, ShopClosedError } from "../connections/tokens.ts";
import { newsAmong, takeOrders } from "./take.ts";

/** Lazada may not reach us with its pushes; the other two are asked too, because no push is promised. */
const EVERY_SECONDS = { lazada: 60, tokopedia: 300, shopee: 300 };
const AT_ONCE = 200;
/** Orders that a platform lists late are still found. */
const OVERLAP_MS = 10 * 60 * 1000;
/** The platform's clock may be ahead of ours, and tells whole seconds. */
const AHEAD_MS = 60 * 1000;
/** After a long absence the way is made in days, each of which is kept. */
const SPAN_MS = 24 * 60 * 60 * 1000;
/** So long nobody asks a shop only where it was not connected, or its platform away. */
const AWAY_MS = 15 * 60 * 1000;
const LEASE_SECONDS = 180;
const PAUSE_MS = 60_000;

/** For the minute cron: asks the shops whose turn it is for orders that changed. */
export async function pollOrders(ctx: Ctx): Promise<void> {
  const input = { every: EVERY_SECONDS, most: AT_ONCE };
  const due = await ctx.db.run(
    call("market_marketplace_polls", input, z.object({ wake: wakeSchema })),
  );
  wake(ctx, due.wake);
}

/** One look at a shop's orders since the last complete one. What was taken in before a crash is known the next time. */
export const ordersJob: JobHandler = {
  kind: "market.orders",
  queue: "marketplace-sync",
  async run(ctx, job) {
    const { connection_id: id } = z.object({ connection_id: z.uuid() }).parse(job.payload);
    try {
      const shop = await Shop.open(ctx, id);
      await takeNews(ctx, shop, async () => await extendLease(ctx, job, LEASE_SECONDS));
      return { state: "success" };
    } catch (error) {
      return heed(error);
    }
  },
};

/** Takes in every order of a shop that has changed until now, a day at a time while `goesOn` says so. */
async function takeNews(ctx: Ctx, shop: Shop, goesOn: () => Promise<boolean>): Promise<void> {
  const { id } = shop.row;
  let since = await readSince(ctx, id);
  const now = ctx.now();
  while (since < now) {
    const until = new Date(Math.min(now.getTime(), since.getTime() + SPAN_MS));
    await takeSpan(ctx, shop, {
      since: new Date(since.getTime() - OVERLAP_MS),
      until: new Date(until.getTime() + AHEAD_MS),
    });
    await keepSince(ctx, id, until);
    if (!(await goesOn())) break;
    since = until;
  }
}

/** Asks a shop for news that somebody has a sign of. Any number of askers share the look that begins after them. */
export class OrderNews {
  readonly #ctx: Ctx;
  readonly #shop: Shop;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(ctx: Ctx, shop: Shop) {
    this.#ctx = ctx;
    this.#shop = shop;
  }

  hear(): Promise<void> {
    const look = async () => {
      this.#next = null;
      await takeNews(this.#ctx, this.#shop, async () => true);
    };
    this.#next ??= this.#running = this.#running.then(look, look);
    return this.#next;
  }

  /**
   * Hears what a shop sold while nobody asked it, before it is told how many there are. One that tells its orders to
   * nobody is told all the same: else nothing would ever change there.
   */
  async catchUp(goesOn: () => Promise<boolean>): Promise<void> {
    const { id, orders_since: since } = this.#shop.row;
    if (since === null || this.#ctx.now().getTime() - since.getTime() < AWAY_MS) return;
    try {
      await takeNews(this.#ctx, this.#shop, goesOn);
    } catch (error) {
      if (!(error instanceof MarketplaceError || error instanceof RenewalBusyError)) throw error;
      this.#ctx.log.warn("marketplace orders not heard", {
        connectionId: id,
        ...describeError(error),
      });
    }
  }
}

/** What the next poll will do as well is no failed job; a bug is. */
function heed(error: unknown): Awaited<ReturnType<JobHandler["run"]>> {
  if (error instanceof ShopClosedError) return { state: "success", result: { closed: true } };
  if (error instanceof ShopPausedError) {
    return { state: "success", result: { pausedMs: error.afterMs } };
  }
  if (error instanceof MarketplaceError || error instanceof RenewalBusyError) {
    const fault = error instanceof MarketplaceError ? error.fault : "busy";
    return { state: "success", result: { postponed: fault, afterMs: PAUSE_MS } };
  }
  throw error;
}

async function takeSpan(ctx: Ctx, shop: Shop, span: { since: Date; until: Date }): Promise<void> {
  let cursor: string | null = null;
  const seen = new Set<string | null>();
  do {
    const at = cursor;
    if (seen.has(at)) {
      throw contradiction(shop.row.platform, "a page of orders leads back to an earlier one");
    }
    seen.add(at);
    const page: OrderPage = await shop.call((auth) =>
      shop.client.listOrders(auth, { ...span, cursor: at }),
    );
    const news = await newsAmong(ctx, shop, page.orders);
    if (news.length > 0) tellMissing(ctx, shop, await takeOrders(ctx, shop, news));
    cursor = page.cursor;
  } while (cursor !== null);
}

/** Orders that a platform lists and does not show in a way that we can read: their stock is sold and still here. */
function tellMissing(ctx: Ctx, { row }: Shop, missing: string[]): void {
  if (missing.length === 0) return;
  const what = { connectionId: row.id, orderIds: missing.join(", "), alert: true };
  ctx.log.error("marketplace orders cannot be read", what);
}

async function readSince(ctx: Ctx, id: string): Promise<Date> {
  const query = sql`select coalesce(orders_since, now()) as since from market_connections where id = ${id}`;
  const [found] = await ctx.db.run(rows(query, z.object({ since: z.coerce.date() })));
  return found?.since ?? ctx.now();
}

/** Only forward: a slower look that ends later takes nothing back. */
async function keepSince(ctx: Ctx, id: string, until: Date): Promise<void> {
  const query = sql`update market_connections
    set orders_since = greatest(orders_since, ${until.toISOString()}::timestamptz) where id = ${id}`;
  await ctx.db.run(rows(query, z.unknown()));
}
