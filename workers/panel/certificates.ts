import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../shared/audit/audit.ts";
import type { Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { wake } from "../../shared/jobs/jobs.ts";
import { panelAudited } from "./audit.ts";
import { awaitJob } from "./await-job.ts";
import { type DoneOrPending, doneOrPending } from "./databases.ts";
import { commandInput, commandJob, startedShape } from "./jobs.ts";

/** A certificate is renewed from so many days before its end on. */
const RENEW_DAYS = 30;

export interface IssueInput {
  server: string | null;
  domain: string;
  email: string;
  /** The authority's test system: no browser trusts it, and its limits are wide. */
  staging: boolean;
}

/** A certificate for a site that is served, under all its names; in use when this is done. */
export async function issueCertificate(ctx: Ctx, input: IssueInput): Promise<DoneOrPending> {
  const { server, domain, email, staging } = input;
  const command = await commandInput(ctx, {
    ...{ server, subject: "certificates", type: "issue_certificate", command: "ssl.issue" },
    // The function adds the site and its names.
    input: { email, staging },
    payload: { domain, email, staging },
    effect: "certificate",
  });
  const { job } = await ctx.db.run(
    call(
      "panel_issue_certificate",
      { server, domain, email, command, audit: auditContext(ctx) },
      z.object({ job: startedShape }),
    ),
  );
  return doneOrPending(await awaitJob(ctx, job));
}

const renewal = (ctx: Ctx, server: string | null) =>
  commandJob(ctx, {
    ...{ server, subject: "certificates", type: "renew_certificates", command: "ssl.renew" },
    ...{ input: { daysLeft: RENEW_DAYS }, payload: {}, effect: "certificate" },
  });

/** Renews what ends soon on a server. */
export async function renewCertificates(ctx: Ctx, server: string | null): Promise<DoneOrPending> {
  const [job] = await ctx.db.batch([
    await renewal(ctx, server),
    panelAudited(ctx, {
      action: "ssl.renew",
      target: { type: "ssl", id: server ?? "default" },
    }),
  ]);
  return doneOrPending(await awaitJob(ctx, job));
}

/** For the hourly cron: renewals on every server that is there and has a certificate near its end, one at a time each. */
export async function renewDueCertificates(ctx: Ctx): Promise<void> {
  const due = await ctx.db.run(
    rows(
      sql`select distinct c.server_id from panel_certificates c join panel_servers s on s.id = c.server_id
        where s.seen_at > now() - interval '5 minutes' and c.not_after < now() + make_interval(days => ${RENEW_DAYS}) and not c.staging and not exists (
          select from panel_jobs p where p.server_id = c.server_id and p.command = 'ssl.renew'
            and (p.outcome is null or p.created_at > now() - interval '20 hours'))`,
      z.object({ server_id: z.string() }).transform((row) => row.server_id),
    ),
  );
  for (const server of due) {
    const job = await ctx.db.run(await renewal(ctx, server));
    wake(ctx, [job.wake]);
  }
}

const certificateRow = z.object({
  domain: z.string(),
  names: z.array(z.string()),
  site_id: z.string().nullable(),
  server_id: z.string(),
  issuer: z.string(),
  serial: z.string(),
  not_before: z.string(),
  not_after: z.string(),
  staging: z.boolean(),
});
export const certificateShape = certificateRow;

/** What agents have told of, the one that ends first on top. */
export async function listCertificates(
  ctx: Ctx,
  { server, limit }: { server: string | null; limit: number },
) {
  return await ctx.db.run(
    rows(
      sql`select c.domain, c.names, c.site_id, c.server_id, c.issuer, c.serial, panel_time(c.not_before) as not_before,
          panel_time(c.not_after) as not_after, c.staging
        from panel_certificates c where ${server}::text is null or c.server_id = ${server}
        order by c.not_after, c.domain limit ${limit}`,
      certificateRow,
    ),
  );
}
