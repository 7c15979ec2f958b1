import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { AppError } from "../../shared/http/errors.ts";
import { wake } from "../../shared/jobs/wake.ts";
import type { SyncRunQuery } from "./schemas/sync.ts";
import { beginRun, SYNC_ACTIONS, type SyncAction, SyncRun } from "./sync/rows.ts";

export { syncJob } from "./sync/job.ts";

/** How long an answer waits for the run, in steps; most runs of an hourly list end within it. */
const WAIT_STEPS_MS = [300, 300, 400, 500, 500, 1_000, 1_000, 1_000];

export interface SyncAnswer {
  success: boolean;
  message: string;
  data: SyncRun["counts"] | undefined;
  error: string | undefined;
  job: { id: string; state: SyncRun["state"] } | undefined;
}

export function isSyncAction(value: unknown): value is SyncAction {
  return SYNC_ACTIONS.some((action) => action === value);
}

/**
 * Starts a sync and tells how it went if it ends within seconds, else that it is under way. Errors: `invalid_input`
 * (no such action). A run that fails, or that finds another one under way, is told in the answer.
 */
export async function runSync(
  ctx: Ctx,
  input: { action?: unknown; force: boolean },
  sleep: (ms: number) => Promise<void> = pause,
): Promise<SyncAnswer> {
  const { action, force } = input;
  if (!isSyncAction(action)) throw new AppError("invalid_input", "Invalid action");
  const requestedBy = ctx.actor?.userId ?? null;
  const begun = await ctx.db.run(beginRun({ action, force, requestedBy }));
  if (!begun.begun) return underWay(begun.sync, false);
  wake(ctx, begun.wake);
  let run = begun.sync;
  for (const ms of WAIT_STEPS_MS) {
    await sleep(ms);
    run = run && (await readRun(ctx, run.id));
    if (run && run.state !== "running") return ended(run);
  }
  return underWay(run, true);
}

/** For the hourly cron; does nothing while a run is under way. */
export async function startHourlySync(ctx: Ctx): Promise<void> {
  const begun = await ctx.db.run(
    beginRun({ action: "full-sync", force: false, requestedBy: null }),
  );
  if (begun.begun) wake(ctx, begun.wake);
}

function ended(run: SyncRun): SyncAnswer {
  const job = run.jobId ? { id: run.jobId, state: run.state } : undefined;
  if (run.state === "failed") {
    const error = reasonOf(run);
    return { success: false, message: "Sync failed", data: run.counts, error, job };
  }
  const partly = run.state === "partial";
  return {
    success: true,
    message: partly ? "Sync completed in part" : "Sync completed",
    data: run.counts,
    error: partly ? reasonOf(run) : undefined,
    job,
  };
}

function underWay(run: SyncRun | null, ours: boolean): SyncAnswer {
  return {
    success: ours,
    message: ours ? "Sync is running" : "Another sync is running",
    data: run?.counts,
    error: ours ? undefined : "sync_in_progress",
    job: run?.jobId ? { id: run.jobId, state: run.state } : undefined,
  };
}

/** Which families were left as they were, and why; from a closed set of words. */
function reasonOf(run: SyncRun): string {
  const left = Object.entries(run.families)
    .filter(([, { state }]) => state !== "applied")
    .map(([family, { state, reason }]) => `${family}: ${reason ?? state}`);
  return [run.error, ...left].filter(Boolean).join("; ");
}

/** The run as it stands, without beating its heart: who waits is not who works. */
async function readRun(ctx: Ctx, syncId: string): Promise<SyncRun | null> {
  const query = sql`select topup_sync_json(s) as run from topup_syncs s where s.id = ${syncId}`;
  const [found] = await ctx.db.run(rows(query, z.object({ run: SyncRun })));
  return found?.run ?? null;
}

/** The latest runs, newest first, or that of one job; kept for 90 days. `next` is the cursor of the following page. */
export async function listSyncs(ctx: Ctx, query: SyncRunQuery) {
  const uuidOf = (text: string | undefined) => z.uuid().safeParse(text).data ?? null;
  const [after, job, { limit }] = [uuidOf(query.cursor), uuidOf(query.job), query];
  if (query.job && !job) return { runs: [], next: null };
  const found = await ctx.db.run(
    rows(
      sql`select topup_sync_json(s) as run, s.requested_by::float8 as "requestedBy" from topup_syncs s
        where (${after}::uuid is null or s.id < ${after}::uuid) and (${job}::uuid is null or s.job_id = ${job}::uuid)
        order by s.id desc limit ${limit + 1}`,
      z.object({ run: SyncRun, requestedBy: z.number().nullable() }),
    ),
  );
  const runs = found.slice(0, limit).map(({ run, requestedBy }) => {
    const { startedAt, finishedAt, ...rest } = run;
    return {
      ...rest,
      requestedBy,
      error: reasonOf(run) || null,
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt?.toISOString() ?? null,
    };
  });
  return { runs, next: found.length > limit ? (runs.at(-1)?.id ?? null) : null };
}

const LowStock = z.object({
  id: z.uuid(),
  name: z.string(),
  stock: z.number().int(),
  minStock: z.number().int(),
});
export type LowStock = z.output<typeof LowStock>;

const MOST_LISTED = 500;

/** Counted services on sale that are about to run out, the emptiest first. */
export async function listLowStock(ctx: Ctx): Promise<LowStock[]> {
  return await ctx.db.run(
    rows(
      sql`select id, name, stock, min_stock as "minStock" from topup_services
        where stock_type = 'LIMITED' and active and status <> 'gone' and stock <= min_stock
        order by stock, name, id limit ${MOST_LISTED}`,
      LowStock,
    ),
  );
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
