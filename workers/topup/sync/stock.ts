import type { Ctx } from "../../../shared/context.ts";
import { extendLease, type Job } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { type SyncRun, stockDue, writeStock } from "./rows.ts";

/** Each question is a request of its own, 500 ms apart: a run asks about so many, the next ones about the rest. */
const ASKED_BY_STOCK_SYNC = 240;
const ASKED_BY_FULL_SYNC = 40;
const WRITE_EVERY = 20;
/** After so many failures in a row the supplier has other worries. */
const PATIENCE = 3;

type Stock = { id: string; stock: number | null };

/** How many counts were read, and the last reason why others were not. */
export interface StockRead {
  read: number;
  reason: string | null;
}

/**
 * Asks for the stock of the game services whose count is the oldest, and writes it down in small lots. Null: the run or
 * its job is somebody else's now.
 */
export async function syncStock(ctx: Ctx, run: SyncRun, job: Job): Promise<StockRead | null> {
  const limit = run.action === "sync-stock" ? ASKED_BY_STOCK_SYNC : ASKED_BY_FULL_SYNC;
  const due = await ctx.db.run(stockDue(run.startedAt, limit));
  let known: Stock[] = [];
  let failures = 0;
  const done: StockRead = { read: 0, reason: null };
  for (const { id, code } of due) {
    try {
      const told = await ctx.providers.vipReseller.getServiceStock(code);
      known.push({ id, stock: told?.stock ?? null });
      failures = 0;
      done.read += 1;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      failures += 1;
      done.reason = reasonOf(error);
      if (failures >= PATIENCE) break;
    }
    if (known.length >= WRITE_EVERY) {
      if (!(await write(ctx, run, job, known))) return null;
      known = [];
    }
  }
  if (known.length > 0 && !(await write(ctx, run, job, known))) return null;
  return done;
}

/** What kind of failure it was, from closed sets of words. */
export const reasonOf = ({ kind, code }: ProviderError): string =>
  [kind, code].filter(Boolean).join(" ");

async function write(ctx: Ctx, run: SyncRun, job: Job, stocks: Stock[]): Promise<boolean> {
  return (await extendLease(ctx, job, 120)) && (await ctx.db.run(writeStock(run.id, stocks)));
}
