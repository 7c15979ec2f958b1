import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call } from "../db/statement.ts";
import { wake, wakeSchema } from "../jobs/jobs.ts";
import type { ProviderPayment } from "./provider.ts";

const DAY_MS = 86_400_000;

/**
 * Whether the provider's own answer shows this refund done. It is told twice, the second time confirmed by the bank;
 * where that never comes, a day with the provider's own word for it is enough.
 */
export function isRefundConfirmed(
  payment: ProviderPayment,
  refund: { id: string; created_at: Date },
  amount: number,
  now: Date,
): boolean {
  const own = payment.refunds.find(({ key }) => key === refund.id);
  if (own) return own.confirmed || now.getTime() - refund.created_at.getTime() > DAY_MS;
  return payment.status === "refunded" && payment.refundedIdr >= amount;
}

const finishedShape = z.object({ state: z.enum(["refunded", "credited"]), wake: wakeSchema });

/** Ends a refund, once: the first end stands and is answered. */
export async function finishRefund(
  ctx: Ctx,
  refundId: string,
  state: "refunded" | "credited",
): Promise<"refunded" | "credited"> {
  const input = { refund_id: refundId, state };
  const finished = await ctx.db.run(call("payments_refund_finish", input, finishedShape));
  wake(ctx, finished.wake);
  return finished.state;
}
