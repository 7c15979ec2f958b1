import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call } from "../db/statement.ts";
import type { JobHandler, JobOutcome } from "../jobs/jobs.ts";
import { ProviderError } from "../providers/provider-error.ts";
import { chargeView } from "./charge.ts";
import { type ChargeAt, lookupOf, type PaymentProvider } from "./provider.ts";
import { finishRefund, isRefundConfirmed } from "./refund-state.ts";
import { paymentProvider } from "./registry.ts";

const Payload = z.object({ refund_id: z.uuid() });

const begunShape = z
  .object({
    asked_before: z.boolean(),
    refund: z.object({
      id: z.uuid(),
      state: z.enum(["queued", "requested", "refunded", "credited"]),
      amount: z.number().int().positive(),
      reason: z.string(),
      created_at: z.coerce.date(),
    }),
    charge: chargeView,
  })
  .nullable();
type Begun = NonNullable<z.output<typeof begunShape>>;

/** A key may be repeated for 7 days (providers/midtrans.md §4); a day is left for what is on its way. */
const KEY_LIFE_MS = 6 * 86_400_000;
const ASK_AGAIN_MS = 60_000;
/** A refund that the provider has taken waits for its bank. */
const ASK_BANK_MS = 600_000;

/**
 * Sends a payment back. Asked for under one key for ever, and after any doubt only when the provider's own answer
 * shows that nothing has happened; done when that answer shows the refund. What the provider refuses for good goes
 * to the payer's wallet, so that he never loses it.
 */
export const refundJob: JobHandler = {
  kind: "payments.refund",
  queue: "provisioning",
  async run(ctx, job) {
    const { refund_id } = Payload.parse(job.payload);
    const begun = await ctx.db.run(call("payments_refund_begin", { refund_id }, begunShape));
    if (!begun) return { state: "failed", error: "no such refund" };
    const { state } = begun.refund;
    if (state === "refunded" || state === "credited")
      return { state: "success", result: { state } };
    try {
      return await sendBack(ctx, begun);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      // Also where the client calls it final (a refused key): money that is owed is not given up.
      const { provider, kind, code, retryAfterMs } = error;
      const askAfterMs = error.retryable ? retryAfterMs : 3_600_000;
      return { state: "unknown", error: [provider, kind, code].join(" ").trim(), askAfterMs };
    }
  },
};

async function sendBack(ctx: Ctx, begun: Begun): Promise<JobOutcome> {
  const { refund, charge } = begun;
  const provider = paymentProvider(ctx, charge.intent.provider);
  const at = lookupOf(charge);
  if (begun.asked_before) {
    const seen = await look(ctx, provider, at, begun);
    if (seen !== "untouched") return seen;
    if (ctx.now().getTime() - refund.created_at.getTime() > KEY_LIFE_MS)
      return await credit(ctx, begun);
  }
  const { id: key, amount: amountIdr, reason } = refund;
  const answer = await provider.refund(at, { key, amountIdr, reason });
  const seen = await look(ctx, provider, at, begun);
  if (seen !== "untouched") return seen;
  if (answer === "refused") return await credit(ctx, begun);
  return { state: "unknown", error: "asked, not seen yet", askAfterMs: ASK_AGAIN_MS };
}

/** What the provider's own answer shows: the refund's end, that it is on its way, or a payment left as it was. */
async function look(
  ctx: Ctx,
  provider: PaymentProvider,
  at: ChargeAt,
  { refund, charge }: Begun,
): Promise<JobOutcome | "untouched"> {
  const payment = await provider.query(at);
  if (!payment) return { state: "unknown", error: "payment not found", askAfterMs: ASK_BANK_MS };
  if (isRefundConfirmed(payment, refund, charge.intent.amount, ctx.now())) {
    const state = await finishRefund(ctx, refund.id, "refunded");
    return { state: "success", result: { state } };
  }
  if (payment.status === "paid") return "untouched";
  return { state: "unknown", error: `payment is ${payment.status}`, askAfterMs: ASK_BANK_MS };
}

async function credit(ctx: Ctx, { refund, charge }: Begun): Promise<JobOutcome> {
  ctx.log.warn("refund refused, credited to the wallet", { chargeId: charge.id });
  const state = await finishRefund(ctx, refund.id, "credited");
  return { state: "success", result: { state } };
}
