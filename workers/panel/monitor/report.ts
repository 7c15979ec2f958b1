import { sql } from "drizzle-orm";
import { z } from "zod";
import type { MonitorReport } from "../../../shared/agent-protocol/monitor.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { storable } from "../link/storable.ts";

const Told = z.object({ wakes: wakeSchema });

/** How long an agent may say nothing before the operator hears of it. */
const SILENT_S = 120;
const KEEP_HOURS = 25;

/** Takes what a server's agent reports: last figures, history and incidents, in one round trip. */
export async function recordReport(
  ctx: Ctx,
  serverId: string,
  report: MonitorReport,
): Promise<void> {
  const input = { server_id: serverId, report: storable(report), alert_to: ctx.config.ALERT_EMAIL };
  const { wakes } = await ctx.db.run(call("panel_report", input, Told));
  wake(ctx, wakes);
}

/** Tells of silent servers and of backups that fail, are missing or unproven (minute cron). */
export async function watchServers(ctx: Ctx, watch = "minute"): Promise<void> {
  const input = { alert_to: ctx.config.ALERT_EMAIL, silent_seconds: SILENT_S, watch };
  const { wakes } = await ctx.db.run(call("panel_watch", input, Told));
  wake(ctx, wakes);
}

/** Ends history past its day, and incidents that were over three months ago (hourly cron). */
export async function purgeHistory(ctx: Ctx): Promise<void> {
  await ctx.db.batch([
    rows(
      sql`delete from panel_minutes where minute < now() - make_interval(hours => ${KEEP_HOURS})`,
      z.unknown(),
    ),
    rows(
      sql`delete from panel_incidents where closed_at < now() - interval '90 days'`,
      z.unknown(),
    ),
  ]);
}
