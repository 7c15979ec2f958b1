import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { jakartaDay } from "../../shared/time/jakarta.ts";
import { hostTotals } from "./host-totals.ts";
import { rolling, type Span, since, timeAgo } from "./periods.ts";

const NEWEST = 100;

const found = z.object({
  total: z.number(),
  gifts: z.array(
    z.object({
      id: z.number(),
      gift_name: z.string(),
      coins: z.number(),
      sender_name: z.string().nullable(),
      created_at: z.coerce.date(),
    }),
  ),
});

/**
 * A host's newest hundred gifts of a period, and the coins of the whole period. `daily`: Jakarta's day; `weekly` and
 * `monthly`: 7 and 30 times 24 hours, to the hour; any other word: of all time.
 */
export async function listContributions(ctx: Ctx, hostId: number, period: string) {
  const now = ctx.now();
  const [row] = await ctx.db.run(rows(contributions(hostId, spanOf(period, now)), found));
  if (!row) throw new Error("an aggregate without a row");
  const data = row.gifts.map((gift) => ({
    id: gift.id,
    giftName: gift.gift_name,
    coins: gift.coins,
    senderName: gift.sender_name || "Anonymous",
    time: timeAgo(gift.created_at, now),
    timestamp: gift.created_at.toISOString(),
  }));
  return { data, totalCoins: row.total };
}

function spanOf(period: string, now: Date): Span | null {
  switch (period) {
    case "daily":
      return since(jakartaDay(now));
    case "weekly":
      return rolling(now, 7);
    case "monthly":
      return rolling(now, 30);
    default:
      return null;
  }
}

/** The newest are taken first and asked for their time afterwards, so that a quiet host's past is never walked. */
function contributions(hostId: number, span: Span | null) {
  const total = span
    ? sql`select sum(t.coins) from ${hostTotals(span)} t where t.host_id = ${hostId}`
    : sql`select received from live_gift_totals where user_id = ${hostId}`;
  const inTime = span ? sql`where g.created_at >= ${span.since}::timestamptz` : sql``;
  return sql`
    select coalesce((${total}), 0)::float8 as total,
      (select coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'gift_name', g.gift_name,
          'coins', g.coin_value * g.quantity, 'sender_name', u.name, 'created_at', g.created_at) order by g.id desc), '[]')
        from (select * from live_gifts where receiver_id = ${hostId} order by id desc limit ${NEWEST}) g
        left join identity_users u on u.id = g.sender_id and u.deleted_at is null
        ${inTime}) as gifts`;
}
