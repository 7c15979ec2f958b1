import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../shared/audit/audit.ts";
import type { Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError, type ErrorCode } from "../../shared/http/errors.ts";
import { runJob, wake, wakeSchema } from "../../shared/jobs/jobs.ts";
import { panelCommand } from "./commands.ts";
import { getJob, JOB_COLUMNS, jobShape, type PanelJob, type StartedJob } from "./jobs.ts";
import { linkOf } from "./link/link-client.ts";

/** How long a request stays for the contract's own answer before it says 202. */
export const AWAIT_MS = 20_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 400;
/** An agent that is there takes a command at once. */
const TAKEN_WITHIN_S = 1.5;
/** The queue comes after the request has had its chance; should that die, the job is not lost. */
const QUEUE_AFTER_S = 30;

/** What a job came to while its caller waited. */
export type Awaited =
  | { state: "done"; value: unknown; job: PanelJob }
  | { state: "failed"; code: string; message: string; job: PanelJob }
  | { state: "pending"; job: PanelJob };

const lookedAt = z
  .object({
    job: jobShape,
    outcome: z.enum(["success", "failed"]).nullable(),
    value: z.unknown(),
    error_code: z.string().nullable(),
    /** The first command of its subject lies at the link, and the agent does not come for it. */
    is_waiting: z.boolean(),
  })
  .transform(({ job, outcome, value, error_code, is_waiting }) => ({
    job,
    outcome,
    value,
    code: error_code ?? "tool_failed",
    isWaiting: is_waiting,
  }));

/**
 * Carries the job out within the request, and waits for it up to `ms`. `pending`: the server is away, or not through
 * yet; the job goes on by itself.
 */
export async function awaitJob(ctx: Ctx, job: StartedJob, ms: number = AWAIT_MS): Promise<Awaited> {
  const until = Date.now() + ms;
  if (job.wake) wake(ctx, [{ ...job.wake, delay_seconds: QUEUE_AFTER_S }]);
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    // Not due (an earlier command of its subject goes first, the queue has it): this does nothing.
    await runJob(ctx, job.uuid, [panelCommand({ stayMs: Math.max(until - Date.now(), 0) })]);
    const seen = await lookAt(ctx, job);
    if (seen.outcome === "success") return { state: "done", value: seen.value, job: seen.job };
    if (seen.outcome === "failed") {
      return { state: "failed", code: seen.code, message: seen.job.error, job: seen.job };
    }
    if (seen.isWaiting || Date.now() + pause >= until) return { state: "pending", job: seen.job };
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function lookAt(ctx: Ctx, { uuid }: StartedJob) {
  const [seen] = await ctx.db.run(
    rows(
      sql`select (select to_jsonb(t) from (select ${JOB_COLUMNS}) t) as job, p.outcome, p.value, p.error_code,
          coalesce((
            select h.started_at is null and h.submitted_at < now() - make_interval(secs => ${TAKEN_WITHIN_S})
            from panel_jobs h where h.server_id = p.server_id and h.subject = p.subject and h.outcome is null
            order by h.seq limit 1), false) as is_waiting
        from panel_jobs p join jobs j on j.id = p.job_id where p.job_id = ${uuid}`,
      lookedAt,
    ),
  );
  if (!seen) throw new AppError("internal", "", { cause: "the job is gone" });
  return seen;
}

/** What an agent's refusal is to the caller of the route that gave the command. */
const CODES: Record<string, ErrorCode> = {
  invalid: "invalid_input",
  exists: "conflict",
  conflict: "conflict",
  not_found: "not_found",
  cancelled: "conflict",
  integrity: "conflict",
  version: "conflict",
  broken_config: "conflict",
  unavailable: "unavailable",
  timeout: "unavailable",
  disk_full: "unavailable",
};

/** The error of a failed command. Its words are the agent's own safe ones, never a tool's output. */
export function failureOf({ code, message }: { code: string; message: string }): AppError {
  return new AppError(CODES[code] ?? "provider_failed", message);
}

const Cancelled = z.discriminatedUnion("state", [
  z.object({ state: z.literal("cancelled"), wakes: wakeSchema }),
  z.object({ state: z.literal("ask"), server_id: z.string(), job_id: z.uuid() }),
]);

/** Ends a job that no server has begun; 409 for any other. */
export async function cancelPanelJob(ctx: Ctx, id: string): Promise<PanelJob> {
  const cancel = async (sure: boolean) =>
    await ctx.db.run(
      call("panel_cancel_command", { id, sure, audit: auditContext(ctx) }, Cancelled),
    );
  let ended = await cancel(false);
  if (ended.state === "ask") {
    const link = linkOf(ctx, ended.server_id);
    if (!(await link.cancel(ended.job_id)))
      throw new AppError("conflict", "job is already running");
    const { job_id } = ended;
    ended = await cancel(true);
    await link.forget([job_id]);
  }
  if (ended.state === "cancelled") wake(ctx, ended.wakes);
  const { lines: _, ...job } = await getJob(ctx, id);
  return job;
}
