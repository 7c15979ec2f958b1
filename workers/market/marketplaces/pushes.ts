import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";

const Started = z.object({ wake: wakeSchema, has_shops: z.boolean() });

/** Stores that are nowhere else, until when that is believed: most checkouts then ask nothing. */
const alone = new Map<string, number>();
const BELIEVED_MS = 60_000;
const MOST_KNOWN = 10_000;

/**
 * Behind an answer that changed a price or a stock: brings it to the store's other marketplaces within seconds. A lost
 * one costs a minute, because cron looks too.
 */
export function pushSoon(ctx: Ctx, storeId: string): void {
  const now = ctx.now().getTime();
  if ((alone.get(storeId) ?? 0) > now) return;
  // What the answer still does is neither guarded nor delayed by this.
  const db = ctx.db.beside();
  ctx.waitUntil(
    startPumps({ ...ctx, db }, storeId).then((hasShops) => {
      if (alone.size >= MOST_KNOWN) alone.clear();
      if (!hasShops) alone.set(storeId, now + BELIEVED_MS);
    }),
  );
}

async function startPumps(ctx: Ctx, storeId: string | null): Promise<boolean> {
  const started = await ctx.db.run(
    call("market_marketplace_pumps", { store_id: storeId }, Started),
  );
  wake(ctx, started.wake);
  return started.has_shops;
}

/** For the minute cron: every shop that has something to do and nobody who does it. */
export async function pushChanges(ctx: Ctx): Promise<void> {
  await startPumps(ctx, null);
}
