import { z } from "zod";
import type { Ctx, QueueName } from "../context.ts";
import type { Statement } from "../db/statement.ts";
import { AppError } from "../http/errors.ts";
import { describeError } from "../log.ts";
import { ProviderError } from "../providers/provider-error.ts";
import { consumeEach } from "./batch.ts";
import { jobMessage, type Wake, wake, wakeSchema, wakeShape } from "./wake.ts";

export { type Wake, wake, wakeSchema } from "./wake.ts";

/** A handler's calls must fit into this, or it asks for more with `extendLease`. */
const LEASE_SECONDS = 120;
const DEFAULT_ATTEMPTS = 20;
const DUE_AT_ONCE = 500;
/** Side by side in one batch. Mails go one by one: their provider allows a few a second. */
const AT_ONCE = 10;

const jobShape = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    payload: z.record(z.string(), z.unknown()),
    state: z.enum(["queued", "unknown"]),
    attempts: z.number(),
    lease_id: z.uuid(),
    created_at: z.coerce.date(),
  })
  .transform(({ lease_id: leaseId, created_at: createdAt, ...job }) => ({
    ...job,
    leaseId,
    createdAt,
  }));

/**
 * A job under a lease. `state` is `unknown` when an earlier attempt may have acted outside: a handler whose call has
 * no idempotency key asks first and sends only what the other side does not know.
 */
export type Job = z.output<typeof jobShape>;

/** What an attempt came to. `success` only after a check that reads the result. */
export type JobOutcome =
  | { state: "success"; result?: Record<string, unknown> }
  /** `uncounted`: nothing was tried, so it is no attempt of the few that a job has. */
  | { state: "retry"; error: string; afterMs?: number | undefined; uncounted?: boolean }
  | { state: "failed"; error: string }
  | { state: "unknown"; error: string; askAfterMs?: number | undefined };

export interface JobHandler {
  kind: string;
  queue: QueueName;
  /** Acts idempotently. Its errors and results are stored and logged: no secret, no personal data. */
  run(ctx: Ctx, job: Job): Promise<JobOutcome>;
}

export interface NewJob {
  kind: string;
  queue: QueueName;
  /** One job per key for as long as it is kept; null: always a new one. */
  dedupeKey: string | null;
  payload: Record<string, unknown>;
  runAt?: Date;
  maxAttempts?: number;
}

/** A job, to be written in the same batch as its cause; give its answer to `wake` after that. Null: it exists. */
export function enqueue(job: NewJob): Statement<Wake | null> {
  const params = [
    job.kind,
    job.queue,
    job.dedupeKey,
    JSON.stringify(job.payload),
    job.runAt?.toISOString() ?? null,
    job.maxAttempts ?? DEFAULT_ATTEMPTS,
  ];
  return value("jobs_enqueue($1, $2, $3, $4::jsonb, $5, $6)", params, wakeShape.nullable());
}

const finishShape = z
  .object({
    state: z.enum(["success", "queued", "unknown", "failed"]),
    wake: wakeSchema,
  })
  .nullable();

type Ran = "skipped" | "lease_lost" | "success" | "queued" | "unknown" | "failed";

/**
 * Claims, runs and records one job. Does nothing ("skipped") when it is not due, somebody else has it or it has
 * ended, so it may be called any number of times. Throws only when the database cannot be reached.
 */
export async function runJob(ctx: Ctx, id: string, handlers: readonly JobHandler[]): Promise<Ran> {
  const claim = value("jobs_claim($1, $2)", [id, LEASE_SECONDS], jobShape.nullable());
  const job = await ctx.db.run(claim);
  if (!job) return "skipped";
  const outcome = await attempt(ctx, job, handlers);
  const record = JSON.stringify({ ...storedForm(outcome), alert_to: ctx.config.ALERT_EMAIL });
  const finish = value("jobs_finish($1, $2, $3)", [job.id, job.leaseId, record], finishShape);
  const done = await ctx.db.run(finish);

  const state = done?.state ?? "lease_lost";
  const error = "error" in outcome ? outcome.error : undefined;
  const fields = { jobId: job.id, kind: job.kind, state, attempts: job.attempts, cause: error };
  if (state === "failed") ctx.log.error("job failed", { ...fields, alert: true });
  else ctx.log.info("job ran", fields);
  if (done) wake(ctx, done.wake);
  return state;
}

async function attempt(ctx: Ctx, job: Job, handlers: readonly JobHandler[]): Promise<JobOutcome> {
  const handler = handlers.find(({ kind }) => kind === job.kind);
  // While a release rolls out, an old Worker may be woken for a kind that it does not know yet.
  if (!handler) return { state: "retry", error: "no handler" };
  try {
    return await handler.run(ctx, job);
  } catch (error) {
    if (!(error instanceof ProviderError)) ctx.log.error("job threw", describeError(error));
    return outcomeOf(error, job);
  }
}

/**
 * What a thrown error means. Unless the failed call surely had no effect, or when an asking attempt failed, the job
 * stays in doubt; a handler whose calls are idempotent may ignore that and simply runs again.
 */
function outcomeOf(thrown: unknown, job: Job): JobOutcome {
  const error = nameOf(thrown);
  const provider = thrown instanceof ProviderError ? thrown : null;
  if (provider && !provider.retryable) return { state: "failed", error };
  const harmless = provider?.outcome === "not_done" && job.state === "queued";
  if (harmless) return { state: "retry", error, afterMs: provider.retryAfterMs };
  return { state: "unknown", error, askAfterMs: provider?.retryAfterMs };
}

/** The kind of a failure, without its text: texts may quote what was sent. */
function nameOf(error: unknown): string {
  if (error instanceof ProviderError) {
    const saw = error.seenAddress && `(saw ${error.seenAddress})`;
    return [error.provider, error.kind, error.code, saw].filter(Boolean).join(" ");
  }
  if (error instanceof AppError) return error.code;
  return error instanceof Error ? error.name : typeof error;
}

function storedForm(outcome: JobOutcome): Record<string, unknown> {
  switch (outcome.state) {
    case "success":
      return { state: outcome.state, result: outcome.result };
    case "failed":
      return { state: outcome.state, error: outcome.error };
    case "retry":
      return {
        state: outcome.state,
        error: outcome.error,
        after_ms: outcome.afterMs,
        uncounted: outcome.uncounted,
      };
    case "unknown":
      return { state: outcome.state, error: outcome.error, after_ms: outcome.askAfterMs };
    default:
      return outcome satisfies never;
  }
}

/** The queue side: each message wakes one job, whatever its state, and is acked or retried alone. */
export async function consumeJobs(
  ctx: Ctx,
  batch: MessageBatch<unknown>,
  handlers: readonly JobHandler[],
): Promise<void> {
  await consumeEach(ctx, batch, batch.queue === "mail" ? 1 : AT_ONCE, async ({ body }) => {
    await runJob(ctx, jobMessage.parse(body).id, handlers);
  });
}

const dueShape = z.object({
  wake: wakeSchema,
  failed: z.array(z.object({ id: z.uuid(), kind: z.string() })),
});

/** For the minute cron: wakes what is due and was forgotten, and what lies under a lease that ran out. */
export async function resendDueJobs(ctx: Ctx): Promise<void> {
  const params = [DUE_AT_ONCE, ctx.config.ALERT_EMAIL];
  const due = await ctx.db.run(value("jobs_due($1, $2)", params, dueShape));
  for (const { id, kind } of due.failed) {
    ctx.log.error("job failed", { jobId: id, kind, cause: "lease expired", alert: true });
  }
  if (due.wake.length > 0) ctx.log.info("jobs woken again", { count: due.wake.length });
  wake(ctx, due.wake);
}

/** More time for a long attempt. False: the lease is somebody else's now, so stop. */
export async function extendLease(ctx: Ctx, job: Job, seconds: number): Promise<boolean> {
  const params = [job.id, job.leaseId, seconds];
  return await ctx.db.run(value("jobs_extend($1, $2, $3)", params, z.boolean()));
}

/** How far the work is, never backwards. False: the lease is somebody else's now, so stop. */
export async function setProgress(ctx: Ctx, job: Job, percent: number): Promise<boolean> {
  const params = [job.id, job.leaseId, Math.round(percent)];
  return await ctx.db.run(value("jobs_progress($1, $2, $3)", params, z.boolean()));
}

/** Ends a job that has not begun; false when it has. Whose it is, the caller has checked. */
export async function cancelJob(ctx: Ctx, id: string): Promise<boolean> {
  return await ctx.db.run(value("jobs_cancel($1)", [id], z.boolean()));
}

/** A call of one of the functions of migrations/functions/jobs_lifecycle.sql. */
function value<S extends z.ZodType>(
  call: string,
  params: unknown[],
  output: S,
): Statement<z.output<S>> {
  return {
    sql: `select ${call}`,
    params,
    arrayMode: true,
    map: ({ rows: [row] }) => output.parse(Array.isArray(row) ? row[0] : undefined),
  };
}
