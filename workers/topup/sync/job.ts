import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import type { Job, JobHandler } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import {
  type AccountLevel,
  SUPPLIER_FAMILIES,
  type SupplierFamily,
} from "../../../shared/providers/vip-reseller.ts";
import { type CatalogueRow, catalogueRow } from "./catalogue-row.ts";
import { keepLease } from "./lease.ts";
import { applyFamily, beatRun, finishRun, type SyncRun, skipFamily, stagePiece } from "./rows.ts";
import { reasonOf, type StockRead, syncStock } from "./stock.ts";

/** Rows a round trip: about a megabyte of JSON, so that neither side holds much at once. */
const PIECE_ROWS = 4_000;

const Payload = z.object({ sync_id: z.uuid(), force: z.boolean().default(false) });

/** The run of a sync under its job's lease. */
interface Work {
  run: SyncRun;
  job: Job;
  force: boolean;
}

/**
 * Works off one sync. After a crash it goes on with the families that are not in force yet; a run that was given up
 * meanwhile is left alone.
 */
export const syncJob: JobHandler = {
  kind: "topup.sync",
  queue: "topup",
  async run(ctx, job) {
    const { sync_id: syncId, force } = Payload.parse(job.payload);
    const run = await ctx.db.run(beatRun(syncId, await levelOf(ctx)));
    if (!run) return { state: "failed", error: "no such sync" };
    const stock = run.state === "running" ? await work(ctx, { run, job, force }) : NO_STOCK;
    // Whoever has the lease now works on, and ends the run.
    if (!stock) return { state: "retry", error: "lease" };
    const error = stock.reason && `stock: ${stock.reason}`;
    const ended = await ctx.db.run(finishRun(syncId, error, stock.read));
    const result = { sync: syncId, state: ended?.state ?? "gone", ...ended?.counts };
    ctx.log.info("catalogue synced", result);
    // A failed sync leaves the old catalogue; the next one comes within the hour, so nobody is woken for it.
    return { state: "success", result };
  },
};

/** The account's price level as it stands: null for a word that is none, undefined where it cannot be asked for. */
async function levelOf(ctx: Ctx): Promise<AccountLevel | null | undefined> {
  try {
    return (await ctx.providers.vipReseller.getProfile()).level;
  } catch (error) {
    if (error instanceof ProviderError) return undefined;
    throw error;
  }
}

const NO_STOCK: StockRead = { read: 0, reason: null };

/** What came of the stocks; null: the lease is somebody else's now. */
async function work(ctx: Ctx, { run, job, force }: Work): Promise<StockRead | null> {
  if (run.action !== "sync-stock") {
    for (const family of SUPPLIER_FAMILIES) {
      if (family in run.families) continue;
      const keep = keepLease(ctx, job);
      if (!(await keep()) || !(await syncFamily(ctx, { run, job, force }, family, keep)))
        return null;
    }
  }
  const counts = run.action === "full-sync" || run.action === "sync-stock";
  return counts ? await syncStock(ctx, run, job) : NO_STOCK;
}

/**
 * One family's list: all of it in force, or none. Its failure is noted and does not stop the others. False: the run was
 * given up, or its lease is somebody else's now.
 */
async function syncFamily(
  ctx: Ctx,
  { run, force }: Work,
  family: SupplierFamily,
  keep: () => Promise<boolean>,
): Promise<boolean> {
  let piece = 0;
  const place = () => ({ syncId: run.id, family, piece });
  const send = async (rows: CatalogueRow[]) => {
    if (!(await keep()) || !(await stagePiece(ctx, place(), rows))) throw new StoppedError();
    piece += 1;
  };
  try {
    const counts = await ctx.providers.vipReseller.eachService(family, PIECE_ROWS, async (rows) => {
      const ours = rows.flatMap((row) => catalogueRow(row, run.level) ?? []);
      await send(ours);
    });
    const { TOPUP_MOST_DROP_PERCENT: mostDrop, ALERT_EMAIL: alertTo } = ctx.config;
    const { unpriced } = counts;
    const input = { syncId: run.id, family, pieces: piece, force, mostDrop, alertTo, unpriced };
    const applied = await ctx.db.run(applyFamily(input));
    ctx.log.info("price list read", { family, ...counts, state: applied.state });
    if (applied.state === "refused") {
      ctx.log.warn("price list not put in force", { family, reason: applied.reason });
    }
  } catch (error) {
    if (error instanceof StoppedError) return false;
    if (!(error instanceof ProviderError)) throw error;
    const reason = reasonOf(error);
    ctx.log.warn("price list not read", { family, reason, cause: error.message });
    await ctx.db.run(skipFamily(run.id, family, reason));
  }
  return true;
}

/** The run was given up while we worked on it, or is somebody else's to work on. */
class StoppedError extends Error {}
