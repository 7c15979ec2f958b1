import type { Ctx } from "../../../shared/context.ts";
import type { Job } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { keepLease } from "./lease.ts";
import { type Count, type SyncRun, stockDue, writeStock } from "./rows.ts";

/** Each question is a request of its own, 500 ms apart: a run asks about so many, the next ones about the rest. */
const ASKED_BY_STOCK_SYNC = 240;
const ASKED_BY_FULL_SYNC = 40;
const WRITE_EVERY = 20;
/** With a supplier that takes long for each, only so long. */
const LONGEST_MS = 240_000;
/** After so many failures in a row the supplier has other worries. */
const PATIENCE = 3;

/** How many counts were read, and the last reason why others were not. */
export interface StockRead {
  read: number;
  reason: string | null;
}

/**
 * Asks for the stock of the game services whose turn it is, and writes it down in small lots. Null: the run or its job is
 * somebody else's now.
 */
export async function syncStock(ctx: Ctx, run: SyncRun, job: Job): Promise<StockRead | null> {
  const limit = run.action === "sync-stock" ? ASKED_BY_STOCK_SYNC : ASKED_BY_FULL_SYNC;
  const due = await ctx.db.run(stockDue(run.startedAt, limit));
  let known: Count[] = [];
  let failures = 0;
  const done: StockRead = { read: 0, reason: null };
  const keep = keepLease(ctx, job);
  const began = Date.now();
  for (const { id, code } of due) {
    if (Date.now() - began > LONGEST_MS) break;
    if (!(await keep())) return null;
    const askedAt = ctx.now();
    try {
      const told = await ctx.providers.vipReseller.getServiceStock(code);
      known.push({ id, stock: told?.stock ?? null, askedAt });
      failures = 0;
      done.read += 1;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      failures += 1;
      done.reason = reasonOf(error);
      // It has had its turn: one that fails whenever it is asked about would stand before all others.
      known.push({ id, stock: null, askedAt });
      if (failures >= PATIENCE) break;
    }
    if (known.length >= WRITE_EVERY) {
      if (!(await ctx.db.run(writeStock(run.id, known)))) return null;
      known = [];
    }
  }
  if (known.length > 0 && !(await ctx.db.run(writeStock(run.id, known)))) return null;
  return done;
}

/** What kind of failure it was, from closed sets of words. */
export const reasonOf = ({ kind, code }: ProviderError): string =>
  [kind, code].filter(Boolean).join(" ");
