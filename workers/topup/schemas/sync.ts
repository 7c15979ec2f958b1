import { z } from "@hono/zod-openapi";
import { SYNC_ACTIONS, SyncCounts } from "../sync/rows.ts";

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

export const LowStockQuery = z.object({
  action: z.string().optional().openapi({ example: "low-stock" }),
});

export const LowStockShape = z
  .object({ id: z.uuid(), name: z.string(), stock: z.number().int(), minStock: z.number().int() })
  .openapi("LowStock");
