import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../shared/jobs/jobs.ts";
import { orderTerms } from "./terms.ts";

/** A batch is one transaction and one round trip: long enough to be cheap, short enough not to keep payments waiting. */
const BATCH = 500;
/** What one invocation may do; whatever is left, the next one finds. */
const MOST_BATCHES = 100;
/** From 06.00 in Jakarta on the hourly cron takes up what the nightly one has left: nobody is mailed at midnight. */
const FIRST_HOUR_UTC = 23;
const LAST_HOUR_UTC = 16;

export interface RenewalRun {
  visited: number;
  failed: number;
  batches: number;
  /** How often each step was taken. */
  steps: Record<string, number>;
  /** The limit was reached, and more is due. */
  isCut: boolean;
}

/** The last row of a batch; its end as Postgres writes it, to the microsecond. */
const cursor = z.object({ end_date: z.string(), id: z.uuid() }).nullable();
type Cursor = z.output<typeof cursor>;

const batchShape = z.object({
  visited: z.number(),
  failed: z.number(),
  steps: z.record(z.string(), z.number()),
  wake: wakeSchema,
  after: cursor,
  more: z.boolean(),
});
type Batch = z.output<typeof batchShape>;

/**
 * Does what is due for every subscription at `ctx.now()`: renewal orders 3 days ahead, reminders, suspensions,
 * warnings and deletions (SQL function `hosting_renewals_run`). Any number of runs, side by side or one after
 * another, broken off or repeated, do each step once for each period; a row that fails is left to the next run.
 */
export async function runRenewals(
  ctx: Ctx,
  { batch = BATCH, maxBatches = MOST_BATCHES }: { batch?: number; maxBatches?: number } = {},
): Promise<RenewalRun> {
  const at = ctx.now().toISOString();
  const run: RenewalRun = { visited: 0, failed: 0, batches: 0, steps: {}, isCut: true };
  let after: Cursor = null;
  while (run.isCut && run.batches < maxBatches) {
    const done: Batch = await ctx.db.run(
      call("hosting_renewals_run", input(ctx, at, batch, after), batchShape),
    );
    wake(ctx, done.wake);
    add(run, done);
    after = done.after;
    run.isCut = done.more;
  }
  report(ctx, run);
  return run;
}

const input = (ctx: Ctx, at: string, limit: number, after: Cursor) => ({
  at,
  limit,
  after,
  app_url: ctx.config.APP_URL,
  terms: orderTerms(ctx.config),
  alert_to: ctx.config.ALERT_EMAIL,
});

function add(run: RenewalRun, done: Batch): void {
  run.batches += 1;
  run.visited += done.visited;
  run.failed += done.failed;
  for (const [step, count] of Object.entries(done.steps)) {
    run.steps[step] = (run.steps[step] ?? 0) + count;
  }
}

function report(ctx: Ctx, { visited, failed, batches, steps, isCut }: RenewalRun): void {
  const facts = { visited, failed, batches, ...steps };
  if (failed > 0) ctx.log.error("some renewals failed", facts);
  else if (visited > 0) ctx.log.info("renewals ran", facts);
  if (isCut) ctx.log.warn("renewals were cut off", { batches });
}

/** For the hourly cron: what a nightly run has left, and whose 3 days of grace have ended since. */
export async function followRenewals(ctx: Ctx): Promise<void> {
  const hour = ctx.now().getUTCHours();
  if (hour >= FIRST_HOUR_UTC || hour <= LAST_HOUR_UTC) await runRenewals(ctx);
}
