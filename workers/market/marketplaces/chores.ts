import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { describeError } from "../../../shared/log.ts";
import { openShop, ShopClosedError } from "./connections/tokens.ts";
import { pollOrders } from "./orders/poll.ts";
import { ENDING_DAYS, tellEnding } from "./orders/pushes.ts";
import { pushChanges } from "./pushes.ts";

/** Renewed when less than this is left, so that a platform may be away for a while. */
const RENEW_BEFORE_SECONDS = 1_800;
const RENEW_AT_ONCE = 50;

/** What shops on other marketplaces need every minute; each fails alone. */
export const marketplaceMinuteChores = (ctx: Ctx): Promise<void>[] => [
  renewTokens(ctx),
  pushChanges(ctx),
  pollOrders(ctx),
];

/** The same every hour. */
export const marketplaceHourlyChores = (ctx: Ctx): Promise<void>[] => [
  tellEnding(ctx, { within_days: ENDING_DAYS }),
  purge(ctx),
];

/** Tokens are renewed ahead of time, one caller each; a shop that nobody asks anything of stays connected too. */
export async function renewTokens(ctx: Ctx): Promise<void> {
  const due = await ctx.db.run(
    rows(
      sql`select id from market_connections where status = 'connected'
          and access_expires_at < now() + make_interval(secs => ${RENEW_BEFORE_SECONDS})
          and coalesce(refresh_lease_until <= now(), true) and coalesce(refresh_retry_at <= now(), true)
        order by access_expires_at limit ${RENEW_AT_ONCE}`,
      z.object({ id: z.uuid() }),
    ),
  );
  for (const { id } of due) {
    try {
      await openShop(ctx, id, { marginSeconds: RENEW_BEFORE_SECONDS });
    } catch (error) {
      if (error instanceof ShopClosedError) continue;
      ctx.log.warn("marketplace tokens not renewed", {
        connectionId: id,
        ...describeError(error),
      });
    }
  }
}

/**
 * Runs are of interest for a month, used states until they would have run out anyway, and a store that is gone keeps no
 * access once its listings are off the shelf and the orders that were placed until then have ended.
 */
async function purge(ctx: Ctx): Promise<void> {
  await ctx.db.batch([
    rows(
      sql`update market_connections c set status = 'disconnected', status_reason = null, access_token_enc = null,
          refresh_token_enc = null, generation = c.generation + 1, updated_at = now()
        from market_stores s where s.id = c.store_id and s.deleted_at is not null and c.status <> 'disconnected'
          and (c.status = 'error' or market_open_orders(s.id) = 0 and not exists (
            select from market_listings l where l.connection_id = c.id and l.dirty))`,
      z.unknown(),
    ),
    rows(
      sql`delete from market_sync_runs where created_at < now() - interval '30 days'`,
      z.unknown(),
    ),
    rows(sql`delete from market_oauth_states where expires_at < now()`, z.unknown()),
  ]);
}
