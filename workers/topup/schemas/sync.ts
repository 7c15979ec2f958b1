import { z } from "@hono/zod-openapi";
import { SYNC_ACTIONS, SyncCounts } from "../sync/rows.ts";
import { AdminPage, optional } from "./admin.ts";
import { moment } from "./moment.ts";

/** `action` is judged by the verb, because the contract words its refusal. */
export const SyncRequest = z
  .object({
    action: z
      .unknown()
      .optional()
      .openapi({ type: "string", enum: [...SYNC_ACTIONS], example: "full-sync" }),
    /** Puts a list in force that lost more than half of the known services. */
    force: z.boolean().default(false),
  })
  .openapi("SyncRequest");

export const SyncAnswerShape = z
  .object({
    success: z.boolean(),
    message: z.string(),
    data: SyncCounts.optional(),
    error: z.string().optional(),
    job: z
      .object({ id: z.uuid(), state: z.enum(["running", "success", "partial", "failed"]) })
      .optional(),
  })
  .openapi("SyncAnswer");

const FamilyState = z.looseObject({
  state: z.enum(["applied", "refused", "failed"]),
  reason: z.string().optional(),
  /** Rows of its list, and what became of them. */
  rows: z.number().int().optional(),
  added: z.number().int().optional(),
  changed: z.number().int().optional(),
  priced: z.number().int().optional(),
  gone: z.number().int().optional(),
  held: z.number().int().optional(),
});

export const SyncRunShape = z
  .object({
    id: z.uuid(),
    /** As the answer that began it names it. */
    jobId: z.uuid().nullable(),
    action: z.enum(SYNC_ACTIONS),
    state: z.enum(["running", "success", "partial", "failed"]),
    /** Our price level with the supplier, as it was reckoned with. */
    level: z.string().nullable(),
    /** What each family's list came to, so far. */
    families: z.record(z.string(), FamilyState),
    counts: SyncCounts,
    /** What did not go well; null: nothing. */
    error: z.string().nullable(),
    /** Null: the hourly run. */
    requestedBy: z.number().nullable(),
    startedAt: moment(),
    finishedAt: moment().nullable(),
  })
  .openapi("SyncRun");

export const SyncRunQuery = z.object({ ...AdminPage, job: optional(z.string().max(100)) });
export type SyncRunQuery = z.output<typeof SyncRunQuery>;

export const LowStockQuery = z.object({
  action: z.string().optional().openapi({ example: "low-stock" }),
});

export const LowStockShape = z
  .object({ id: z.uuid(), name: z.string(), stock: z.number().int(), minStock: z.number().int() })
  .openapi("LowStock");
