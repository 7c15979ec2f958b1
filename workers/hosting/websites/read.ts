import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { openSecrets, type Site, siteShape, type WebsiteView, websiteView } from "./site.ts";

const MOST = 500;
/** A person forgets a password; a program that asks for it all day is something else. */
const CREDENTIALS_PER_HOUR = 10;
const MISSING = "Website tidak ditemukan";
const NO_JOB = "Pekerjaan tidak ditemukan";

const Row = z.object({ site: siteShape });

/** Ids of callers are any text; what is none of ours is simply not found. */
function known(id: string, words = MISSING): string {
  if (!z.uuid().safeParse(id).success) throw notFound(words);
  return id;
}

/** The caller's websites, newest first. */
export async function listWebsites(ctx: Ctx): Promise<WebsiteView[]> {
  const { userId } = actorOf(ctx);
  const found = await ctx.db.run(
    rows(
      sql`select hosting_site_json(w.id) as site from hosting_websites w
        where w.user_id = ${userId} and w.status <> 'DELETED' order by w.id desc limit ${MOST}`,
      Row,
    ),
  );
  return found.map(({ site }) => websiteView(site));
}

/** One of the caller's websites, also one that is no more. */
export async function getWebsite(ctx: Ctx, id: string): Promise<WebsiteView> {
  const { userId } = actorOf(ctx);
  const [row] = await ctx.db.run(
    rows(
      sql`select hosting_site_json(w.id) as site from hosting_websites w
        where w.id = ${known(id)} and w.user_id = ${userId}`,
      Row,
    ),
  );
  if (!row) throw notFound(MISSING);
  return websiteView(row.site);
}

export interface Credentials {
  ftpHost: string;
  ftpUsername: string;
  ftpPassword: string;
  databaseHost: string | null;
  databaseName: string | null;
  databaseUsername: string | null;
  databasePassword: string | null;
}

/** What opens a site, for its owner: each showing is written down, and there are only so many an hour. */
export async function showCredentials(ctx: Ctx, id: string): Promise<Credentials> {
  const input = {
    ...auditContext(ctx),
    user_id: actorOf(ctx).userId,
    website_id: known(id),
    most_per_hour: CREDENTIALS_PER_HOUR,
  };
  const site: Site = await ctx.db.run(call("hosting_site_credentials", input, siteShape));
  const { ftpPassword, databasePassword } = await openSecrets(ctx, site);
  const { databaseName, ftpUsername, server } = site;
  const isThere = databaseName !== null;
  return {
    ftpHost: server.ftpHost,
    ftpUsername,
    ftpPassword,
    databaseHost: isThere ? "127.0.0.1" : null,
    databaseName,
    databaseUsername: databaseName,
    databasePassword,
  };
}

const JobRow = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    state: z.enum(["queued", "running", "unknown", "success", "failed", "cancelled"]),
    progress: z.number(),
    created_at: z.coerce.date(),
    finished_at: z.coerce.date().nullable(),
    website_id: z.uuid(),
  })
  .transform((row) => ({
    id: row.id,
    kind: row.kind,
    status: SHOWN[row.state],
    progress: row.progress,
    websiteId: row.website_id,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  }));

/** The family's words: what is asked about or tried again is still under way. */
const SHOWN = {
  queued: "PENDING",
  running: "PROCESSING",
  unknown: "PROCESSING",
  success: "COMPLETED",
  failed: "FAILED",
  cancelled: "CANCELLED",
} as const;

export type WebsiteJob = z.output<typeof JobRow>;

/** How far a job about one of the caller's websites is. Why it failed is in the operator's log. */
export async function getWebsiteJob(ctx: Ctx, id: string): Promise<WebsiteJob> {
  const { userId } = actorOf(ctx);
  const [row] = await ctx.db.run(
    rows(
      sql`select j.id, j.kind, j.state, j.progress, j.created_at, j.finished_at, w.id as website_id
        from jobs j join hosting_websites w on w.id::text = j.payload->>'website_id'
        where j.id = ${known(id, NO_JOB)} and j.kind like 'hosting.%' and w.user_id = ${userId}`,
      JobRow,
    ),
  );
  if (!row) throw notFound(NO_JOB);
  return row;
}

const Ordered = z.object({ id: z.uuid(), wake: wakeSchema });

/** Asks for a site's certificate once more, now that its domain points to us. Null: it was tried a short while ago. */
export async function orderCertificate(ctx: Ctx, id: string): Promise<{ jobId: string | null }> {
  const { userId } = actorOf(ctx);
  const [row] = await ctx.db.run(
    rows(
      sql`select w.id, jsonb_build_array(hosting_certificate_order(w.id, now())) as wake
        from hosting_websites w
        where w.id = ${known(id)} and w.user_id = ${userId} and w.status = 'ACTIVE' and w.wanted = 'active'`,
      Ordered,
    ),
  );
  if (!row) throw notFound(MISSING);
  wake(ctx, row.wake);
  return { jobId: row.wake[0]?.id ?? null };
}
