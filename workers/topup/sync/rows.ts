import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { wakeSchema } from "../../../shared/jobs/wake.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

export const SYNC_ACTIONS = ["full-sync", "sync-services", "sync-products", "sync-stock"] as const;
export type SyncAction = (typeof SYNC_ACTIONS)[number];

export const SyncCounts = z.object({
  servicesAdded: z.number().int(),
  servicesUpdated: z.number().int(),
  productsAdded: z.number().int(),
  productsUpdated: z.number().int(),
  stockUpdated: z.number().int(),
});

/** A run as migrations/functions/topup_catalogue_sync.sql tells it. */
export const SyncRun = z
  .object({
    id: z.uuid(),
    action: z.enum(SYNC_ACTIONS),
    state: z.enum(["running", "success", "partial", "failed"]),
    level: z.enum(["basic", "premium", "special"]).nullable(),
    families: z.record(
      z.string(),
      z.looseObject({
        state: z.enum(["applied", "refused", "failed"]),
        reason: z.string().optional(),
      }),
    ),
    error: z.string().nullable(),
    job_id: z.uuid().nullable(),
    started_at: z.coerce.date(),
    finished_at: z.coerce.date().nullable(),
    counts: SyncCounts,
  })
  .transform(({ job_id: jobId, started_at: startedAt, finished_at: finishedAt, ...run }) => ({
    ...run,
    jobId,
    startedAt,
    finishedAt,
  }));
export type SyncRun = z.output<typeof SyncRun>;

const Begun = z.object({ begun: z.boolean(), sync: SyncRun.nullable(), wake: wakeSchema });

export const beginRun = (input: {
  action: SyncAction;
  force: boolean;
  requestedBy: number | null;
}) =>
  call(
    "topup_sync_begin",
    { action: input.action, force: input.force, requested_by: input.requestedBy },
    Begun,
  );

/**
 * The run, marked as being worked on; null when there is none. `level`: the account's; null: none that we know, so the
 * dearest price; undefined: as it was.
 */
export const beatRun = (syncId: string, level?: string | null) =>
  call(
    "topup_sync_beat",
    { sync_id: syncId, level: level ?? null, dearest: level === null },
    SyncRun.nullable(),
  );

/** `error`: what did not go well, though something was done (`stocks` read, or lists in force). */
export const finishRun = (syncId: string, error: string | null, stocks = 0) =>
  call("topup_sync_finish", { sync_id: syncId, error, stocks }, SyncRun.nullable());

export const skipFamily = (syncId: string, family: string, reason: string) =>
  call("topup_sync_skip", { sync_id: syncId, family, reason }, z.boolean());

/** What a family's list came to. */
export const Applied = z.looseObject({
  state: z.enum(["applied", "refused", "failed", "stopped"]),
  reason: z.string().optional(),
});

export const applyFamily = (input: {
  syncId: string;
  family: string;
  pieces: number;
  force: boolean;
  /** How far a price may fall at once and be believed, in per cent. */
  mostDrop: number;
  alertTo: string;
  /** Rows that were left out because their price could mean several, or none. */
  unpriced: number;
}) => {
  const { syncId, mostDrop, alertTo, ...rest } = input;
  const given = { sync_id: syncId, most_drop: mostDrop, alert_to: alertTo, ...rest };
  return call("topup_sync_apply", given, Applied);
};

/** Sends one piece of a list; false when the run is over and the work should stop. */
export async function stagePiece(
  ctx: Ctx,
  place: { syncId: string; family: string; piece: number },
  rows: CatalogueRow[],
): Promise<boolean> {
  const { syncId, family, piece } = place;
  const input = { sync_id: syncId, family, piece, rows };
  return await ctx.db.run(call("topup_sync_stage", input, z.boolean()));
}

const Due = z.array(z.object({ id: z.uuid(), code: z.string() }));

export const stockDue = (before: Date, limit: number) =>
  call("topup_sync_stock_due", { before: before.toISOString(), limit }, Due);

/** What the supplier told of a service's stock, and when it was asked; null: it did not tell. */
export interface Count {
  id: string;
  stock: number | null;
  askedAt: Date;
}

export const writeStock = (syncId: string, counts: Count[]) => {
  const stocks = counts.map(({ id, stock, askedAt }) => ({
    ...{ id, stock },
    asked_at: askedAt.toISOString(),
  }));
  return call("topup_sync_stock", { sync_id: syncId, stocks }, z.boolean());
};
