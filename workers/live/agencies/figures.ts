import { type SQL, sql } from "drizzle-orm";
import type { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { jakartaDay } from "../../../shared/time/jakarta.ts";
import { offsetOf, type Page } from "../paging.ts";
import { daysAgo, monthStart } from "../periods.ts";
import { HostIncomeLine, LiveStats, StatsShape } from "../schemas/agencies.ts";
import { asAgency } from "./owner.ts";

const ALWAYS = "-infinity";
const LAST_DAY = "infinity";

/** The first instant of a day of Jakarta. */
const instantOf = (day: string): SQL =>
  day === ALWAYS
    ? sql`'-infinity'::timestamptz`
    : sql`(${day}::date::timestamp at time zone 'Asia/Jakarta')`;

/** The day before a month's first. */
const dayBefore = (day: string) => daysAgo(new Date(`${day}T12:00:00+07:00`), 1);

const sumOf = (agencyId: number, since: string, until: string) =>
  sql`(select coalesce(sum(income), 0)::float8 from live_agency_income(${agencyId}, ${since}::date, ${until}::date))`;

/** Members of today, and what all who were members earned then: week since midnight 7 days ago, calendar months. */
export async function agencyStats(
  ctx: Ctx,
  agencyId: number,
): Promise<z.output<typeof StatsShape>> {
  const now = ctx.now();
  const month = monthStart(now);
  const lastDay = dayBefore(month);
  const [found] = await asAgency(
    ctx,
    agencyId,
    rows(
      sql`select (select count(distinct host_id)::float8 from live_host_applications
          where agency_id = ${agencyId} and status = 'approved' and ended_at is null) as "totalMembers",
        ${sumOf(agencyId, daysAgo(now, 7), LAST_DAY)} as "thisWeekIncome",
        ${sumOf(agencyId, `${lastDay.slice(0, 7)}-01`, lastDay)} as "lastMonthIncome",
        ${sumOf(agencyId, month, LAST_DAY)} as "thisMonthIncome"`,
      StatsShape,
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return found;
}

function incomeSince(period: string, now: Date): string {
  switch (period) {
    case "daily":
      return jakartaDay(now);
    case "weekly":
      return daysAgo(now, 7);
    case "monthly":
      return monthStart(now);
    default:
      return ALWAYS;
  }
}

/**
 * What each host earned for the agency in a period, and in how many lives; two sums of their own, so neither is
 * multiplied by the other (CM-10). Hosts of today are all there, former ones while they count.
 */
export async function agencyIncome(
  ctx: Ctx,
  { agencyId, period, ...page }: Page & { agencyId: number; period: string },
): Promise<z.output<typeof HostIncomeLine>[]> {
  const since = incomeSince(period, ctx.now());
  return await asAgency(
    ctx,
    agencyId,
    rows(
      sql`with lives as (
          select host_id, count(*) as n from live_agency_sessions(${agencyId}, ${instantOf(since)}) group by host_id
        ), people as (
          select host_id, bool_or(ended_at is null) as is_here from live_host_applications
          where agency_id = ${agencyId} and status = 'approved' group by host_id
        )
        select u.id::float8 as host_id, u.name as host_name, coalesce(l.n, 0)::float8 as live_count,
          coalesce(i.income, 0)::float8 as total_income,
          (coalesce(i.income, 0) / greatest(coalesce(l.n, 0), 1))::float8 as avg_income
        from people p join identity_users u on u.id = p.host_id
        left join lives l on l.host_id = p.host_id
        left join live_agency_income(${agencyId}, ${since}::date, 'infinity') i on i.host_id = p.host_id
        where p.is_here or l.n > 0 or i.income > 0
        order by total_income desc, u.id limit ${page.limit} offset ${offsetOf(page)}`,
      HostIncomeLine,
    ),
  );
}

function livesSince(period: string, now: Date): string {
  if (period === "daily") return jakartaDay(now);
  return period === "weekly" ? daysAgo(now, 7) : ALWAYS;
}

/** Lives that members began in a period: how many, now, watched by whom and how long (minutes), the five busiest hosts. */
export async function agencyLiveStats(
  ctx: Ctx,
  { agencyId, period }: { agencyId: number; period: string },
): Promise<z.output<typeof LiveStats>> {
  const since = livesSince(period, ctx.now());
  const [found] = await asAgency(
    ctx,
    agencyId,
    rows(
      sql`with lives as (
          select s.host_id, s.end_time is null as is_open, s.proven_ms / 60000.0 as minutes,
            case when s.end_time is null then s.viewers_peak else s.total_viewers end as viewers
          from live_agency_sessions(${agencyId}, ${instantOf(since)}) s
        ), top as (
          select u.name, count(*) as live_count, sum(l.viewers) as total_viewers, sum(l.minutes) as total_duration, u.id
          from lives l join identity_users u on u.id = l.host_id
          group by u.id order by live_count desc, total_duration desc, u.id limit 5
        )
        select count(*)::float8 as "totalLives", (count(*) filter (where is_open))::float8 as "activeLives",
          coalesce(sum(viewers), 0)::float8 as "totalViewers", coalesce(avg(minutes), 0)::float8 as "avgDuration",
          (select coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'live_count', t.live_count, 'total_viewers',
            t.total_viewers, 'total_duration', t.total_duration::float8) order by t.live_count desc,
            t.total_duration desc, t.id), '[]') from top t) as "topHosts"
        from lives`,
      LiveStats,
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return found;
}
