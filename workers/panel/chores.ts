import type { Ctx } from "../../shared/context.ts";
import { purgeAudit } from "./audit.ts";
import { followBackups } from "./backups/chores.ts";
import { renewDueCertificates } from "./certificates.ts";
import { endOverdueJobs } from "./commands.ts";
import { purgeHistory, watchServers } from "./monitor/report.ts";

/** What the panel needs every minute; each fails alone. */
export const minuteChores = (ctx: Ctx): Promise<void>[] => [
  watchServers(ctx),
  endOverdueJobs(ctx),
  followBackups(ctx),
];

/** The same every hour. */
export const hourlyChores = (ctx: Ctx): Promise<void>[] => [
  purgeHistory(ctx),
  purgeAudit(ctx),
  renewDueCertificates(ctx),
];
