import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call } from "../db/statement.ts";
import { wake, wakeSchema } from "../jobs/jobs.ts";
import { type ChargeView, chargeView } from "./charge.ts";
import { isNeverOpened } from "./create-charge.ts";
import {
  type LookupOptions,
  lookupOf,
  type PaymentProvider,
  type ProviderPayment,
} from "./provider.ts";
import { finishRefund, isRefundConfirmed } from "./refund-state.ts";
import { paymentProvider } from "./registry.ts";
import { type Settlement, settlementOf, woken } from "./settlement.ts";

/**
 * `done`: what the provider says is what we have recorded. `over`: it was not paid and can no longer be, as far as the
 * provider knows today. `waiting`: nothing final yet, the cron asks again.
 * `absent`: the provider knows nothing of it yet. `missing`: no charge of ours. `odd`: a person was told.
 */
export type Confirmed =
  | { kind: "done" }
  | { kind: "over" }
  | { kind: "waiting" }
  | { kind: "absent" }
  | { kind: "missing" }
  | { kind: "odd"; finding: string };

const DONE: Confirmed = { kind: "done" };
const OVER: Confirmed = { kind: "over" };
const WAITING: Confirmed = { kind: "waiting" };

export const findCharge = (providerRef: string) =>
  call("payments_find", { provider_ref: providerRef }, chargeView.nullable());

/**
 * Brings a charge to where its provider says it is (design §3): asks the provider, requires the same reference and
 * amount, and settles or closes it in one transaction with its purpose. Any number of calls has one effect.
 * Throws the provider's failure; nothing has changed then, and the charge keeps its next check.
 */
export async function confirmCharge(
  ctx: Ctx,
  providerRef: string,
  settlements: readonly Settlement[],
  transactionId?: string,
): Promise<Confirmed> {
  const charge = await ctx.db.run(findCharge(providerRef));
  return charge ? await confirm(ctx, charge, settlements, { transactionId }) : { kind: "missing" };
}

/** The same for a charge that was just read. */
export async function confirm(
  ctx: Ctx,
  charge: ChargeView,
  settlements: readonly Settlement[],
  options: LookupOptions = {},
): Promise<Confirmed> {
  const settlement = settlementOf(settlements, charge.intent.purpose);
  const provider = paymentProvider(ctx, charge.intent.provider);
  const payment = await provider.query(lookupOf(charge, options));
  const isOver = ctx.now() >= charge.expires_at;
  if (!payment) {
    if (isPaid(charge)) return await flag(ctx, charge, "payment_vanished");
    if (isOver) return await close(ctx, charge, "expired", settlement);
    const isOurs = isNeverOpened(charge, ctx.now());
    return isOurs ? await close(ctx, charge, "cancelled", settlement) : { kind: "absent" };
  }
  if (payment.providerRef !== charge.provider_ref || payment.amountIdr !== charge.intent.amount) {
    const flagged = await flag(ctx, charge, "amount_mismatch");
    // The money is the operator's to judge; what was held for this payment is not held for ever.
    return isOver && !isPaid(charge) ? await close(ctx, charge, "failed", settlement) : flagged;
  }
  switch (payment.status) {
    case "paid":
      return await settle(ctx, charge, payment, settlement, provider);
    case "pending":
      return await note(ctx, charge, payment);
    case "expired":
    case "cancelled":
    case "failed":
      if (isPaid(charge)) return await flag(ctx, charge, "payment_reversed");
      if (payment.mayTryAgain && !isOver) return await note(ctx, charge, payment);
      return await close(ctx, charge, payment.status, settlement);
    case "refunded":
    case "partly_refunded":
      return await refunded(ctx, charge, payment);
    case "review":
      return await flag(ctx, charge, "payment_review");
    case "disputed":
      return await flag(ctx, charge, "payment_disputed");
    default:
      return payment.status satisfies never;
  }
}

const isPaid = ({ state }: ChargeView) =>
  state === "paid" || state === "refunding" || state === "refunded";

const settledShape = z.object({
  first: z.boolean(),
  state: z.string(),
  wake: wakeSchema,
  close: z.array(z.string()),
});

/** One transaction: the charge and intent are paid, and the purpose takes the money or gives it back. */
async function settle(
  ctx: Ctx,
  charge: ChargeView,
  payment: ProviderPayment,
  settlement: Settlement,
  provider: PaymentProvider,
): Promise<Confirmed> {
  const input = {
    provider_ref: charge.provider_ref,
    transaction_id: payment.transactionId,
    amount: payment.amountIdr,
    paid_at: payment.paidAt?.toISOString() ?? null,
  };
  const [settled, taken] = await ctx.db.batch([
    call("payments_settle", input, settledShape),
    settlement.settled(charge.intent.id, ctx.now()),
  ]);
  wake(ctx, [...settled.wake, ...taken.wake]);
  ctx.log.info("payment settled", { chargeId: charge.id, first: settled.first });
  // Courtesy only: who pays there all the same gets the money back.
  for (const providerRef of settled.close) {
    const at = { channel: charge.channel, providerRef, transactionId: null };
    ctx.waitUntil(provider.close(at).catch(() => undefined));
  }
  return settled.first ? DONE : await compareWithRecorded(ctx, charge, payment);
}

/** A charge is paid once: money of another transaction under its reference is for a person, never dropped. */
async function compareWithRecorded(
  ctx: Ctx,
  charge: ChargeView,
  payment: ProviderPayment,
): Promise<Confirmed> {
  const recorded = await ctx.db.run(findCharge(charge.provider_ref));
  if (recorded?.transaction_id === payment.transactionId) return DONE;
  return await flag(ctx, charge, "paid_again");
}

async function close(
  ctx: Ctx,
  charge: ChargeView,
  state: "expired" | "cancelled" | "failed",
  settlement: Settlement,
): Promise<Confirmed> {
  const [closed, released] = await ctx.db.batch([
    call("payments_expire", { provider_ref: charge.provider_ref, state }, settledShape),
    settlement.expired(charge.intent.id),
  ]);
  wake(ctx, [...closed.wake, ...released.wake]);
  ctx.log.info("charge closed", { chargeId: charge.id, state, intent: closed.state });
  return OVER;
}

/** Still open: all there is to learn is that it exists, and under which transaction. */
async function note(ctx: Ctx, charge: ChargeView, payment: ProviderPayment): Promise<Confirmed> {
  const isNews = charge.state === "creating" || charge.state === "unknown";
  if (isNews || (charge.state === "pending" && charge.transaction_id === null)) {
    const seen = { id: charge.id, state: "pending", transaction_id: payment.transactionId };
    const input = { intent_id: charge.intent.id, charges: [seen] };
    await ctx.db.run(call("payments_charged", input, z.unknown()));
  }
  return WAITING;
}

/** A refund that we asked for is finished by whoever sees its confirmation first; any other is a surprise. */
async function refunded(
  ctx: Ctx,
  charge: ChargeView,
  payment: ProviderPayment,
): Promise<Confirmed> {
  const { refund, intent } = charge;
  if (!refund) return await flag(ctx, charge, "refunded_elsewhere");
  if (refund.state === "credited") return await flag(ctx, charge, "refunded_after_credit");
  if (refund.state === "refunded") return DONE;
  if (!isRefundConfirmed(payment, refund, intent.amount, ctx.now())) return WAITING;
  await finishRefund(ctx, refund.id, "refunded");
  return DONE;
}

/** Tells the operator, once per charge and finding, and moves nothing. */
export async function flag(
  ctx: Ctx,
  { id, provider_ref }: Pick<ChargeView, "id" | "provider_ref">,
  finding: string,
): Promise<Confirmed> {
  ctx.log.error("payment needs a person", { chargeId: id, finding, alert: true });
  const input = { provider_ref, failure: finding, alert_to: ctx.config.ALERT_EMAIL };
  const told = await ctx.db.run(call("payments_flag", input, woken));
  wake(ctx, told.wake);
  return { kind: "odd", finding };
}
