import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { jakartaDay } from "../../shared/time/jakarta.ts";
import { avatarAddress } from "./avatars.ts";
import { hourStart } from "./periods.ts";

const PLACES = 100;

export interface Ranked {
  rank: number;
  id: number;
  name: string;
  /** An absolute address, which the app shows as it is. */
  avatar: string;
  level: number;
  coins: number;
}

const rankedRow = z.object({
  id: z.number(),
  name: z.string(),
  avatar_url: z.string().nullable(),
  level: z.number(),
  coins: z.number(),
});

/**
 * The hundred who gave a host most coins. `hourly`: since the start of the clock hour; `daily`: Jakarta's day;
 * `weekly`: 7 times 24 hours, to the hour; any other word: of all time. Equal coins: the lower id first.
 */
export async function rankFans(ctx: Ctx, hostId: number, period: string): Promise<Ranked[]> {
  return await ranked(ctx, fansOf(hostId, period, ctx.now()));
}

/** The hundred hosts who were given most coins, over the periods of `rankFans`. */
export async function rankHosts(ctx: Ctx, period: string): Promise<Ranked[]> {
  return await ranked(ctx, hostsOver(period, ctx.now()));
}

function fansOf(hostId: number, period: string, now: Date): SQL {
  switch (period) {
    case "hourly":
      return sql`select sender_id as id, coins from live_fan_hours
        where host_id = ${hostId} and hour = ${hourStart(now).toISOString()}`;
    case "daily":
      return sql`select sender_id as id, coins from live_fan_days
        where host_id = ${hostId} and day = ${jakartaDay(now)}`;
    case "weekly":
      return sql`select id, coins from live_fans_rolling_week(${hostId}, ${now.toISOString()})`;
    default:
      return sql`select sender_id as id, coins from live_fan_totals where host_id = ${hostId}`;
  }
}

function hostsOver(period: string, now: Date): SQL {
  switch (period) {
    case "hourly":
      return sql`select host_id as id, coins from live_host_hours where hour = ${hourStart(now).toISOString()}`;
    case "daily":
      return sql`select host_id as id, sum(coins)::bigint as coins from live_host_days
        where day = ${jakartaDay(now)} group by host_id`;
    case "weekly":
      return sql`select id, coins from live_hosts_rolling_week(${now.toISOString()})`;
    default:
      return sql`select user_id as id, received as coins from live_gift_totals where received > 0`;
  }
}

/** The best of `totals` ({id, coins}) with their names. */
async function ranked(ctx: Ctx, totals: SQL): Promise<Ranked[]> {
  const found = await ctx.db.run(
    rows(
      sql`select u.id::float8 as id, u.name, u.avatar_url, u.level, best.coins::float8 as coins
        from (select id, coins from (${totals}) totals order by coins desc, id limit ${PLACES}) best
        join identity_users u on u.id = best.id
        order by best.coins desc, best.id`,
      rankedRow,
    ),
  );
  return found.map(({ id, name, avatar_url, level, coins }, index) => ({
    rank: index + 1,
    id,
    name,
    avatar: avatarAddress(ctx, avatar_url),
    level,
    coins,
  }));
}
