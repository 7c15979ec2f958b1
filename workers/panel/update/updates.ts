import { sql } from "drizzle-orm";
import { z } from "zod";
import { compareVersions } from "../../../shared/agent-protocol/update.ts";
import { auditContext } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { wake } from "../../../shared/jobs/jobs.ts";
import { commandInput, startedShape } from "../jobs.ts";

export const UPDATE_UNIT = "nusantara-panel-updater.service";
const BRANCH = "main";
const COOLDOWN_S = 20;
const DISABLED = "panel updater is disabled";

export const updateStatus = z.object({
  unit: z.string(),
  exists: z.boolean(),
  version: z.string().optional(),
  running: z.boolean(),
  active_state: z.string(),
  sub_state: z.string(),
  result: z.string(),
  exec_main_status: z.number(),
  state_change_timestamp: z.string(),
  success: z.boolean(),
  failed: z.boolean(),
  last_checked_at: z.string(),
  logs: z.array(z.string()),
});

/** Without a key nobody can sign a release that we would offer. */
const isEnabled = (ctx: Ctx) => ctx.config.PANEL_RELEASE_KEYS.length > 0;

const releasesUrl = (ctx: Ctx) => `${ctx.config.APP_URL}/v1/agent/releases`;
const fileUrl = (ctx: Ctx, version: string) => `${releasesUrl(ctx)}/${version}/nusantarad.mjs`;

const Started = z.object({ job: startedShape, version: z.string(), started_at: z.string() });

/** Starts the update of a server's agent to the newest signed release: a job, which the audit trail follows. */
export async function startUpdate(ctx: Ctx, server: string | null) {
  if (!isEnabled(ctx)) throw await disabled(ctx, server);
  const command = await commandInput(ctx, {
    ...{
      server,
      subject: "agent",
      type: "update_panel",
      command: "agent.update",
      effect: "update",
    },
    // The newest release is known in the transaction alone, which fills these in.
    input: { attempt: crypto.randomUUID(), release: { manifest: "{}", signature: "" } },
    payload: {},
  });
  const input = { server, unit: UPDATE_UNIT, cooldown_seconds: COOLDOWN_S, command };
  const started = await ctx.db.run(
    call(
      "panel_update_start",
      { ...input, started_by: ctx.actor?.userId ?? null, audit: auditContext(ctx) },
      Started,
    ),
  );
  wake(ctx, [started.job.wake]);
  return {
    unit: UPDATE_UNIT,
    repo_url: releasesUrl(ctx),
    branch: BRANCH,
    script_url: fileUrl(ctx, started.version),
    started_at: started.started_at,
    version: started.version,
    job_id: started.job.id,
  };
}

const statusStatement = (server: string | null) =>
  rows(
    sql`select panel_update_status(s.id, ${UPDATE_UNIT}) as status
      from panel_server_of(jsonb_build_object('server', ${server}::text)) s`,
    z.object({ status: updateStatus }),
  );

/** How the last update of a server's agent went, or goes. */
export async function readUpdateStatus(ctx: Ctx, server: string | null) {
  const [found] = await ctx.db.run(statusStatement(server));
  if (!found) throw new Error("panel_server_of answered no server");
  if (!isEnabled(ctx)) throw refusal(found.status);
  return found.status;
}

async function disabled(ctx: Ctx, server: string | null): Promise<AppError> {
  const [found] = await ctx.db.run(statusStatement(server));
  return refusal(found?.status);
}

const refusal = (status: unknown) =>
  new AppError("invalid_input", DISABLED, { meta: { update_status: status } });

const Versions = z.object({
  version: z.string().nullable(),
  commit: z.string().nullable(),
  built_at: z.string().nullable(),
  runtime: z.string().nullable(),
  remote_version: z.string().nullable(),
  remote_commit: z.string().nullable(),
});

/** Which agent runs on the server, by its own last report, and which release is the newest. */
async function readVersions(ctx: Ctx, server: string | null) {
  const [found] = await ctx.db.run(
    rows(
      sql`select coalesce(r.report->'agent'->>'version', s.agent_version) as version,
          r.report->'agent'->>'commit' as commit, r.report->'agent'->>'builtAt' as built_at,
          r.report->'agent'->>'runtime' as runtime, l.version as remote_version, l.commit as remote_commit
        from panel_server_of(jsonb_build_object('server', ${server}::text)) s
        left join panel_reports r on r.server_id = s.id
        left join lateral (select version, commit from panel_releases order by rank desc limit 1) l on true`,
      Versions,
    ),
  );
  if (!found) throw new Error("panel_server_of answered no server");
  return found;
}

/** The running build in the contract's words; before an agent has told of itself, its defaults. */
export async function readVersion(ctx: Ctx, server: string | null) {
  const { version, commit, built_at, runtime } = await readVersions(ctx, server);
  return {
    version: version ?? "dev",
    commit: commit ?? "unknown",
    build_time: built_at ?? "unknown",
    go_version: runtime ?? "unknown",
    timestamp: ctx.now().toISOString(),
  };
}

/** The running build beside the newest release. */
export async function checkUpdate(ctx: Ctx, server: string | null) {
  const found = await readVersions(ctx, server);
  if (!isEnabled(ctx)) throw new AppError("invalid_input", DISABLED);
  const verdict = verdictOf(found);
  return {
    repo_url: releasesUrl(ctx),
    branch: BRANCH,
    current_version: found.version ?? "dev",
    current_commit: found.commit ?? "unknown",
    remote_version: found.remote_version ?? "",
    remote_commit: found.remote_commit ?? "",
    status: verdict.status,
    up_to_date: verdict.status === "up_to_date",
    update_available: verdict.status === "update_available",
    ...(verdict.note ? { note: verdict.note } : {}),
    last_checked_at: ctx.now().toISOString(),
  };
}

type Verdict = { status: "up_to_date" | "update_available" | "unknown"; note?: string };

/** Commits are compared by prefix, as builds may name them short. */
export function verdictOf(found: z.output<typeof Versions>): Verdict {
  const { version, commit, remote_version: newest, remote_commit: remote } = found;
  if (!newest || !remote) return { status: "unknown", note: "no release has been published" };
  if (!commit || commit === "unknown") {
    return { status: "unknown", note: "the running build does not tell its commit" };
  }
  if (commit.startsWith(remote) || remote.startsWith(commit)) return { status: "up_to_date" };
  if (version && compareVersions(version, newest) > 0) {
    return { status: "up_to_date", note: "the running build is newer than the newest release" };
  }
  return { status: "update_available" };
}
