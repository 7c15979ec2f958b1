import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { COMMANDS, type CommandType, type GivenOf } from "../../shared/agent-protocol/index.ts";
import type { Ctx } from "../../shared/context.ts";
import { seal } from "../../shared/crypto/index.ts";
import { call, rows, type Statement } from "../../shared/db/statement.ts";
import { notFound } from "../../shared/http/errors.ts";
import { wakeShape } from "../../shared/jobs/wake.ts";
import { newId } from "./ids.ts";
import { operatorName } from "./people.ts";

/** A command that a server is to carry out, with the job that follows it. */
export interface NewCommand<T extends CommandType> {
  /** Null: the default server. Whether there is such a server, Postgres says (404 "server not found"). */
  server: string | null;
  /** Commands of one subject run one after another: "site/<id>", "db", "certificates". */
  subject: string;
  /** As operators know the job: `provision_site`. */
  type: string;
  command: T;
  /** Without what `secret` holds, and what the SQL function that starts it puts in. Whole, it is checked when it leaves. */
  input: Partial<GivenOf<T>>;
  /** Parts of the input that are stored sealed and shown nowhere. */
  secret?: Partial<GivenOf<T>> | undefined;
  /** What everyone may see of it. */
  payload: Record<string, unknown>;
  /** `panel_effect_<effect>(job jsonb, outcome jsonb) returns jsonb` is called where its end is recorded. */
  effect?: string | undefined;
}

export const startedShape = z
  .object({ job_id: z.uuid(), id: z.string(), server_id: z.string(), wake: wakeShape.nullish() })
  .transform((row) => ({
    uuid: row.job_id,
    id: row.id,
    serverId: row.server_id,
    wake: row.wake ?? null,
  }));
/** A job that was made: `uuid` for the platform, `id` for people. */
export type StartedJob = z.output<typeof startedShape>;

/** What a sealed input belongs to, by the job's public id. */
export const inputOwner = (id: string) => `panel-job/${id}`;

/** The argument of `panel_start_command`, for SQL functions that make a command together with their own rows. */
export async function commandInput<T extends CommandType>(
  ctx: Ctx,
  { secret, ...command }: NewCommand<T>,
): Promise<Record<string, unknown>> {
  const id = newId(ctx, "job");
  const sealed = secret && (await seal(ctx.config, inputOwner(id), JSON.stringify(secret)));
  return {
    ...command,
    id,
    sealed: sealed ?? null,
    triggered_by: ctx.actor?.userId ?? null,
    deadline_ms: COMMANDS[command.command].deadlineMs,
  };
}

/** A command to be started in the batch of its cause. Give its `wake` to `wake`, or the job to `awaitJob`, after it. */
export async function commandJob<T extends CommandType>(
  ctx: Ctx,
  command: NewCommand<T>,
): Promise<Statement<StartedJob>> {
  return call("panel_start_command", await commandInput(ctx, command), startedShape);
}

const jobRow = z.object({
  id: z.string(),
  type: z.string(),
  status: z.enum(["queued", "running", "success", "failed"]),
  payload: z.record(z.string(), z.unknown()),
  error: z.string(),
  server_id: z.string(),
  progress: z.number(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  created_at: z.string(),
  triggered_by: z.number().nullable(),
});

export const jobShape = jobRow.transform(
  ({ payload, started_at, finished_at, triggered_by, ...job }) => ({
    ...job,
    payload: JSON.stringify(payload),
    ...(started_at ? { started_at } : {}),
    ...(finished_at ? { finished_at } : {}),
    triggered_by: triggered_by === null ? "system" : operatorName(triggered_by),
  }),
);
export type PanelJob = z.output<typeof jobShape>;

/** Of `panel_jobs p` joined with `jobs j`: a job whose row ended without its own end has failed. */
export const JOB_COLUMNS = sql.raw(`p.id, p.type, p.payload, p.server_id, p.progress,
  case when p.outcome is not null then p.outcome when j.state in ('failed', 'cancelled') then 'failed'
    when p.started_at is not null then 'running' else 'queued' end as status,
  coalesce(p.error, case when j.state in ('failed', 'cancelled') then 'the job ended early' end, '') as error,
  panel_time(p.started_at) as started_at, panel_time(p.finished_at) as finished_at,
  panel_time(p.created_at) as created_at, p.triggered_by::float8 as triggered_by`);

const JOBS = sql.raw("panel_jobs p join jobs j on j.id = p.job_id");

export interface JobFilter {
  limit: number;
  /** The id of the last job of the page before. */
  cursor?: string | undefined;
  status?: PanelJob["status"] | undefined;
  type?: string | undefined;
  site?: string | undefined;
  server?: string | undefined;
}

export async function listJobs(ctx: Ctx, filter: JobFilter): Promise<PanelJob[]> {
  const wanted: SQL[] = [sql`true`];
  if (filter.cursor) {
    wanted.push(sql`p.seq < (select c.seq from panel_jobs c where c.id = ${filter.cursor})`);
  }
  if (filter.type) wanted.push(sql`p.type = ${filter.type}`);
  if (filter.site) wanted.push(sql`p.subject = ${`site/${filter.site}`}`);
  if (filter.server) wanted.push(sql`p.server_id = ${filter.server}`);
  const status = filter.status ? sql`where t.status = ${filter.status}` : sql``;
  return await ctx.db.run(
    rows(
      sql`select t.* from (
          select ${JOB_COLUMNS}, p.seq from ${JOBS} where ${sql.join(wanted, sql` and `)}) t
        ${status} order by t.seq desc limit ${filter.limit}`,
      jobShape,
    ),
  );
}

const Line = z.object({ at: z.string(), text: z.string() });
const detailed = z
  .object({ ...jobRow.shape, lines: z.array(Line) })
  .transform(({ lines, ...row }) => ({ ...jobShape.parse(row), lines }));

/** A job with its log. */
export async function getJob(ctx: Ctx, id: string) {
  const [found] = await ctx.db.run(
    rows(sql`select ${JOB_COLUMNS}, p.lines from ${JOBS} where p.id = ${id}`, detailed),
  );
  if (!found) throw notFound("job not found");
  return found;
}

/** The statement that shows one job to the batch that made it. */
export const shownJob = (id: string) =>
  rows(sql`select ${JOB_COLUMNS} from ${JOBS} where p.id = ${id}`, jobShape);
