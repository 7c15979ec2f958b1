import { sql } from "drizzle-orm";
import { z } from "zod";
import { audited } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { dayOf } from "../../../shared/http/day.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { enqueue, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { jakartaDay } from "../../../shared/time/jakarta.ts";
import { type Report, ReportShape } from "../schemas/reports.ts";

const DAY_MS = 24 * 3_600_000;
/** Orders of the day's last minutes get an hour to settle. */
const SETTLING_MS = 3_600_000;
/** So many days back a report is caught up with by itself; an older one an admin asks for. */
const OWED_DAYS = 31;

const row = z.object({ report: ReportShape });

/** The latest reports, newest first. */
export async function listReports(ctx: Ctx): Promise<Report[]> {
  const found = await ctx.db.run(
    rows(
      sql`select topup_report_view(r) as report from topup_reconciliations r order by r.day desc limit 60`,
      row,
    ),
  );
  return found.map(({ report }) => report);
}

export async function readReport(ctx: Ctx, day: string): Promise<Report> {
  dayOf(day);
  const [found] = await ctx.db.run(
    rows(
      sql`select topup_report_view(r) as report from topup_reconciliations r where r.day = ${day}::date`,
      row,
    ),
  );
  if (!found) throw notFound("Report not found");
  return found.report;
}

/** Has a day that is over compared again; its report is replaced. */
export async function reconcileAgain(ctx: Ctx, day: string): Promise<{ jobId: string }> {
  if (dayOf(day).start > ctx.now()) {
    throw new AppError("invalid_input", `${day}: has not begun`);
  }
  const [made] = await ctx.db.batch([
    enqueue({ kind: "topup.reconcile", queue: "topup", dedupeKey: null, payload: { day } }),
    audited(ctx, { action: "topup.reconcile", subject: { kind: "topup_day", id: day } }),
  ]);
  wake(ctx, [made]);
  return { jobId: made?.id ?? "" };
}

/** For the hourly cron: yesterday's report, and those of earlier days whose jobs all failed; a supplier may be away. */
export async function reconcileOwed(ctx: Ctx): Promise<void> {
  const day = jakartaDay(new Date(ctx.now().getTime() - DAY_MS - SETTLING_MS));
  const input = { day, days: OWED_DAYS };
  const owed = await ctx.db.run(call("topup_reconcile_due", input, z.object({ wake: wakeSchema })));
  wake(ctx, owed.wake);
}
