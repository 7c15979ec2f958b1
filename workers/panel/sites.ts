import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Runtime } from "../../shared/agent-protocol/fields.ts";
import type { CommandType } from "../../shared/agent-protocol/index.ts";
import { auditContext } from "../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../shared/jobs/jobs.ts";
import { newId } from "./ids.ts";
import { commandInput, type PanelJob, shownJob, startedShape } from "./jobs.ts";
import { operatorName } from "./people.ts";

const siteRow = z.object({
  id: z.string(),
  domain: z.string(),
  root_path: z.string(),
  runtime: z.enum(["php", "node", "python", "static"]),
  status: z.enum(["provisioning", "active", "failed", "deleting"]),
  server_id: z.string(),
  aliases: z.array(z.string()),
  document_root: z.string(),
  php_version: z.string().nullable(),
  suspended: z.boolean(),
  error: z.string(),
  created_by: z.number().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});
export const siteShape = siteRow.transform(({ created_by, ...site }) => ({
  ...site,
  created_by: created_by === null ? "system" : operatorName(created_by),
}));
export type PanelSite = z.output<typeof siteShape>;
export type SiteStatus = PanelSite["status"];

const SITE_COLUMNS = sql.raw(`s.id, s.domain, s.root_path, s.runtime, s.status, s.server_id,
  array(select n.name from panel_site_names n where n.site_id = s.id and n.name <> s.domain order by 1) as aliases,
  s.document_root, s.php_version, s.suspended, coalesce(s.error, '') as error, s.created_by::float8 as created_by,
  panel_time(s.created_at) as created_at, panel_time(s.updated_at) as updated_at`);

export interface SiteFilter {
  limit: number;
  /** The id of the last site of the page before. */
  cursor?: string | undefined;
  status?: SiteStatus | undefined;
  runtime?: Runtime | undefined;
  /** A part of the domain. */
  search?: string | undefined;
  server?: string | undefined;
}

export async function listSites(ctx: Ctx, filter: SiteFilter): Promise<PanelSite[]> {
  const wanted: SQL[] = [sql`true`];
  if (filter.cursor) {
    wanted.push(
      sql`(s.created_at, s.id) < (select c.created_at, c.id from panel_sites c where c.id = ${filter.cursor})`,
    );
  }
  if (filter.status) wanted.push(sql`s.status = ${filter.status}`);
  if (filter.runtime) wanted.push(sql`s.runtime = ${filter.runtime}`);
  if (filter.server) wanted.push(sql`s.server_id = ${filter.server}`);
  if (filter.search) wanted.push(sql`strpos(s.domain, ${filter.search.toLowerCase()}) > 0`);
  return await ctx.db.run(
    rows(
      sql`select ${SITE_COLUMNS} from panel_sites s where ${sql.join(wanted, sql` and `)}
        order by s.created_at desc, s.id desc limit ${filter.limit}`,
      siteShape,
    ),
  );
}

const shownSite = (id: string) =>
  rows(sql`select ${SITE_COLUMNS} from panel_sites s where s.id = ${id}`, siteShape);

export async function getSite(ctx: Ctx, id: string): Promise<PanelSite> {
  const [site] = await ctx.db.run(shownSite(id));
  if (!site) throw notFound("site not found");
  return site;
}

export interface NewSite {
  server: string | null;
  domain: string;
  aliases: string[];
  rootPath: string;
  documentRoot: string;
  runtime: Runtime;
  phpVersion?: string | undefined;
  /** The file that node or python starts. */
  entry?: string | undefined;
}

const Made = z.object({ site_id: z.string(), job: startedShape });

/** A site, `provisioning` until its server has made and tried it. */
export async function createSite(
  ctx: Ctx,
  site: NewSite,
): Promise<{ site: PanelSite; job: PanelJob }> {
  const id = newId(ctx, "site");
  const aliases = [...new Set(site.aliases)].filter((name) => name !== site.domain);
  const unixUser = `site_${id.slice(-12)}`;
  const { domain, runtime, rootPath, documentRoot, phpVersion, entry } = site;
  const command = await commandInput(ctx, {
    server: site.server,
    subject: `site/${id}`,
    type: "provision_site",
    command: "site.provision",
    input: {
      ...{ siteId: id, domain, rootPath, unixUser, aliases, documentRoot, runtime },
      ...(phpVersion === undefined ? {} : { phpVersion }),
      ...(entry === undefined ? {} : { entry }),
    },
    payload: { site_id: id, domain, runtime, rootPath },
    effect: "site",
  });
  const input = {
    ...{ server: site.server, site_id: id, domain, aliases, root_path: rootPath, runtime, command },
    ...{ document_root: documentRoot, php_version: phpVersion ?? null, unix_user: unixUser },
    ...{ user_id: actorOf(ctx).userId, audit: auditContext(ctx) },
  };
  const [made, [shown], [job]] = await ctx.db.batch(
    [call("panel_create_site", input, Made), shownSite(id), shownJob(String(command.id))] as const,
    { panel_site_names_pkey: domainTaken, panel_sites_domain_key: domainTaken },
  );
  if (!shown || !job) throw new Error("no site was made");
  wake(ctx, [made.job.wake]);
  return { site: shown, job };
}

const domainTaken = () => new AppError("conflict", "domain already exists");

const Started = z.object({ job: startedShape, wakes: wakeSchema.optional() });

interface SiteCommand {
  fn: "panel_delete_site" | "panel_retry_site" | "panel_change_site";
  id: string;
  server: string | null;
  type: string;
  command: CommandType;
  payload?: Record<string, unknown>;
  more?: Record<string, unknown>;
}

/** A command about a site that is there: its function checks the status and names the site to the agent. */
async function startSiteCommand(ctx: Ctx, { fn, id, server, ...rest }: SiteCommand) {
  const { type, command, payload = { site_id: id }, more = {} } = rest;
  const started = await commandInput(ctx, {
    ...{ server, subject: `site/${id}`, type, command, payload },
    // The function puts the reference to the site in.
    input: {},
  });
  const input = {
    ...more,
    ...{ site_id: id, server, command: started, audit: auditContext(ctx) },
  };
  const made = await ctx.db.run(call(fn, input, Started));
  wake(ctx, [made.job.wake, ...(made.wakes ?? [])]);
  const [job] = await ctx.db.run(shownJob(made.job.id));
  if (!job) throw new Error("no job was made");
  return job;
}

export interface SiteChoice {
  id: string;
  server: string | null;
}

/** Takes a site down; asked again it answers with the job that does. Its files stay unless they are to go. */
export async function deleteSite(
  ctx: Ctx,
  { id, server, removeFiles }: SiteChoice & { removeFiles: boolean },
): Promise<PanelJob> {
  return await startSiteCommand(ctx, {
    ...{ fn: "panel_delete_site", id, server },
    ...{ type: "deprovision_site", command: "site.deprovision" },
    more: { remove_files: removeFiles },
  });
}

/** Makes a failed site once more. */
export async function retrySite(ctx: Ctx, { id, server }: SiteChoice): Promise<PanelJob> {
  return await startSiteCommand(ctx, {
    ...{ fn: "panel_retry_site", id, server },
    ...{ type: "provision_site", command: "site.provision" },
  });
}

/** Answers visitors with 503, or serves them again. */
export async function setSiteSuspended(
  ctx: Ctx,
  { id, server, suspended }: SiteChoice & { suspended: boolean },
): Promise<PanelJob> {
  return await startSiteCommand(ctx, {
    ...{ fn: "panel_change_site", id, server },
    ...(suspended
      ? { type: "suspend_site", command: "site.suspend", more: { action: "site.suspend" } }
      : { type: "resume_site", command: "site.resume", more: { action: "site.resume" } }),
  });
}

/** Serves another folder below the site's root, which must exist. */
export async function setDocumentRoot(
  ctx: Ctx,
  { id, server, documentRoot }: SiteChoice & { documentRoot: string },
): Promise<PanelJob> {
  return await startSiteCommand(ctx, {
    ...{ fn: "panel_change_site", id, server },
    ...{ type: "set_document_root", command: "site.set-document-root" },
    payload: { site_id: id, document_root: documentRoot },
    more: { action: "site.set_document_root", change: { documentRoot } },
  });
}
