import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../../shared/context.ts";
import { call, rows } from "../../../../shared/db/statement.ts";
import {
  enqueue,
  extendLease,
  type JobHandler,
  type JobOutcome,
  wake,
  wakeSchema,
} from "../../../../shared/jobs/jobs.ts";
import { MarketplaceError } from "../../../../shared/providers/marketplace.ts";
import { ShopPausedError } from "../connections/pace.ts";
import { Shop } from "../connections/shop.ts";
import { RenewalBusyError, ShopClosedError } from "../connections/tokens.ts";
import { BLOCKED } from "./not-listable.ts";
import { look } from "./seen.ts";

/** Listings of one job, one after another: what is being brought there goes first, as far as the shop's pace allows. */
const AT_ONCE = 50;
const LEASE_SECONDS = 300;
/** A shop that cannot be asked is asked from the same listing on, and no more than so often until tomorrow. */
const PAUSE_MS = 600_000;
const MOST_ATTEMPTS = 12;

const Payload = z.object({ connection_id: z.uuid(), day: z.string(), after: z.uuid().nullish() });
const Listed = z.object({ id: z.uuid(), product_id: z.uuid(), item_id: z.string() });

/** For the hourly cron: every shop is looked at once a day, at an hour of its own. */
export async function beginLooks(ctx: Ctx, hour = ctx.now().getUTCHours()): Promise<void> {
  const begun = await ctx.db.run(
    call("market_marketplace_looks", { hour }, z.object({ wake: wakeSchema })),
  );
  wake(ctx, begun.wake);
}

/**
 * Asks a shop for what it has of ours, whether buyers see it: not every platform tells when it takes something off, and
 * no push is promised to come. It sends nothing; see `seeListing`.
 */
export const dailyLookJob: JobHandler = {
  kind: "market.look",
  queue: "marketplace-sync",
  async run(ctx, job) {
    const { connection_id: id, day, after } = Payload.parse(job.payload);
    if (!(await extendLease(ctx, job, LEASE_SECONDS))) return { state: "success" };
    const listings = await readListings(ctx, id, after ?? null);
    try {
      await lookAtAll(ctx, await Shop.open(ctx, id), listings);
    } catch (error) {
      return heed(error, job.attempts);
    }
    const last = listings.at(-1);
    if (last && listings.length === AT_ONCE) {
      const payload = { connection_id: id, day, after: last.id };
      const next = enqueue({
        kind: "market.look",
        queue: "marketplace-sync",
        dedupeKey: `market.look/${id}/${day}/${last.id}`,
        payload,
      });
      const woken = await ctx.db.run(next);
      if (woken) wake(ctx, [woken]);
    }
    return { state: "success", result: { seen: listings.length } };
  },
};

/** One that cannot be asked about is passed over until tomorrow, where the shop answers about the next. */
async function lookAtAll(ctx: Ctx, shop: Shop, listings: z.output<typeof Listed>[]) {
  let failed: MarketplaceError | null = null;
  for (const { item_id: itemId, product_id: productId } of listings) {
    try {
      await look(ctx, shop, { itemId, productId });
      failed = null;
    } catch (error) {
      if (failed || !(error instanceof MarketplaceError)) throw error;
      failed = error;
    }
  }
  if (failed) throw failed;
}

function heed(error: unknown, attempts: number): JobOutcome {
  if (error instanceof ShopClosedError) return { state: "success", result: { closed: true } };
  const isShops =
    error instanceof ShopPausedError ||
    error instanceof MarketplaceError ||
    error instanceof RenewalBusyError;
  if (!isShops) throw error;
  return attempts < MOST_ATTEMPTS
    ? { state: "retry", error: "the shop cannot be asked", afterMs: PAUSE_MS }
    : { state: "success", result: { postponed: true } };
}

/** What waits to be worked on is asked about then. */
async function readListings(ctx: Ctx, id: string, after: string | null) {
  const query = sql`select l.id, l.product_id, l.item_id from market_listings l
    where l.connection_id = ${id} and l.item_id is not null and l.wanted and not l.dirty
      and (l.sync_status = 'synced' and l.shown or l.reason = ${BLOCKED})
      and (${after}::uuid is null or l.id > ${after}::uuid)
    order by l.id limit ${AT_ONCE}`;
  return await ctx.db.run(rows(query, Listed));
}
