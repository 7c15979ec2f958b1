import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { jakartaDay } from "../../shared/time/jakarta.ts";
import { hostTotals } from "./host-totals.ts";
import { monthStart, rolling, since } from "./periods.ts";

const NEWEST = 50;

/** `week`: 7 times 24 hours, to the hour; `month`: the calendar month. Days and months are Jakarta's. */
export type IncomePeriod = "today" | "week" | "month";

const SPANS = {
  today: (now: Date) => since(jakartaDay(now)),
  week: (now: Date) => rolling(now, 7),
  month: (now: Date) => since(monthStart(now)),
};

/**
 * What a host earned by gifts over a period. As all of a host's income it is shown to him, to the owner of his agency
 * and to admins; for anybody else, and for a host who does not exist: `forbidden`.
 */
export async function incomeOver(ctx: Ctx, hostId: number, period: IncomePeriod): Promise<number> {
  const span = SPANS[period](ctx.now());
  const total = sql`select coalesce(sum(t.income), 0) from ${hostTotals(span)} t where t.host_id = ${hostId}`;
  return await visible(ctx, hostId, total, z.number());
}

/** What a host ever earned, by category of the gift; the app's four are always there. */
export async function incomeByCategory(ctx: Ctx, hostId: number): Promise<Record<string, number>> {
  const totals = sql`select coalesce(jsonb_object_agg(c.category, c.income), '{}') from (
    select d.category, sum(d.income) as income from live_host_days d where d.host_id = ${hostId} group by 1) c`;
  const earned = await visible(ctx, hostId, totals, z.record(z.string(), z.number()));
  return { lucky: 0, "s-lucky": 0, luxury: 0, normal: 0, ...earned };
}

const incomeLine = z.object({
  id: z.number(),
  host_id: z.number(),
  gift_id: z.number(),
  income: z.number(),
  type: z.string(),
  created_at: z.coerce.date().transform((date) => date.toISOString()),
  gift_name: z.string(),
  coin_value: z.number(),
  quantity: z.number(),
});

/** A host's newest 50 income lines, each with the gift that it came from. */
export async function listIncome(ctx: Ctx, hostId: number) {
  const lines = sql`select coalesce(jsonb_agg(to_jsonb(l) order by l.id desc), '[]') from (
    select g.id, g.receiver_id as host_id, g.id as gift_id, g.income, g.category as type, g.created_at,
      g.gift_name, g.coin_value, g.quantity
    from live_gifts g where g.receiver_id = ${hostId} order by g.id desc limit ${NEWEST}) l`;
  return await visible(ctx, hostId, lines, z.array(incomeLine));
}

/** One value about a host, read only by who may see it, in one statement. */
async function visible<S extends z.ZodType>(
  ctx: Ctx,
  hostId: number,
  value: SQL,
  shape: S,
): Promise<z.output<S>> {
  const viewer = actorOf(ctx).userId;
  const [row] = await ctx.db.run(
    rows(
      sql`select to_jsonb((${value})) as value where live_may_see_host(${viewer}, ${hostId})`,
      z.object({ value: z.unknown() }),
    ),
  );
  if (!row) throw new AppError("forbidden", "");
  return shape.parse(row.value);
}
