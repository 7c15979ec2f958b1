import { z } from "zod";
import { type HandRequest, HandRequestShape } from "../schemas/admin-orders.ts";

/** What SQL function `topup_hand_view` gives, without what is to be done, which may hold a sealed serial. */
export const handRow = z
  .object({
    id: z.uuid(),
    order_id: z.uuid(),
    action: HandRequestShape.shape.action,
    reason: z.string(),
    needs_second: z.boolean(),
    state: HandRequestShape.shape.state,
    requested_by: z.number(),
    decided_by: z.number().nullable(),
    outcome: z.string().nullable(),
    expires_at: z.coerce.date(),
    created_at: z.coerce.date(),
  })
  .transform(
    (row): HandRequest => ({
      id: row.id,
      orderId: row.order_id,
      action: row.action,
      reason: row.reason,
      needsSecond: row.needs_second,
      state: row.state,
      requestedBy: row.requested_by,
      decidedBy: row.decided_by,
      outcome: row.outcome,
      expiresAt: row.expires_at.toISOString(),
      createdAt: row.created_at.toISOString(),
    }),
  );

/** The same with what is to be done, and the purchase that was known when it was asked for: '' for none. */
export const workRow = z
  .object({
    input: z.object({
      chargedAmount: z.number().optional(),
      remain: z.number().optional(),
      trxid: z.string().optional(),
      serial: z.string().optional(),
      confirm: z.boolean().optional(),
    }),
    known_trxid: z.string().nullable(),
  })
  .transform(({ input, known_trxid: knownTrxid }) => ({ input, knownTrxid }))
  .and(handRow);
export type HandWork = z.output<typeof workRow>;
