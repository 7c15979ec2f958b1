import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import { openShop, ShopClosedError } from "./connections/tokens.ts";
import { beginLooks } from "./listings/daily-look.ts";
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

/** An order that is not paid within these days is not paid at all, on any of the platforms. */
const UNPAID_DAYS = 3;

/** A platform may be away for an evening; then somebody must look at what was sold there. */
const SILENT_HOURS = 6;

/** The same every hour. */
export const marketplaceHourlyChores = (ctx: Ctx): Promise<void>[] => [
  forgetUnpaid(ctx),
  tellSilent(ctx),
  tellEnding(ctx, { within_days: ENDING_DAYS }),
  beginLooks(ctx),
  letGo(ctx),
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

/** Shops of stores that are gone are let go once nothing of theirs is on sale there. */
async function letGo(ctx: Ctx): Promise<void> {
  const input = { alert_to: ctx.config.ALERT_EMAIL };
  const left = await ctx.db.run(
    call("market_marketplace_let_go", input, z.object({ wake: wakeSchema })),
  );
  wake(ctx, left.wake);
}

/** Orders that nobody will tell us the end of hold no stock for ever. */
async function forgetUnpaid(ctx: Ctx): Promise<void> {
  const input = { days: UNPAID_DAYS, most: 500 };
  await ctx.db.run(call("market_marketplace_unheard", input, z.object({ orders: z.number() })));
}

/** What a shop sells while it cannot be asked for its orders, nobody here knows but its seller, if he is told. */
async function tellSilent(ctx: Ctx): Promise<void> {
  const input = { hours: SILENT_HOURS, alert_to: ctx.config.ALERT_EMAIL };
  const told = await ctx.db.run(
    call("market_marketplace_silent", input, z.object({ wake: wakeSchema })),
  );
  wake(ctx, told.wake);
}

/** Runs are of interest for a month, used states until they would have run out anyway. */
async function purge(ctx: Ctx): Promise<void> {
  await ctx.db.batch([
    rows(
      sql`delete from market_sync_runs where created_at < now() - interval '30 days'`,
      z.unknown(),
    ),
    rows(sql`delete from market_oauth_states where expires_at < now()`, z.unknown()),
  ]);
}
