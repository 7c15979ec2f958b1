import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call } from "../db/statement.ts";
import { describeError, type LogFields } from "../log.ts";
import { ProviderError } from "../providers/provider-error.ts";
import { type ChargeView, chargeView } from "./charge.ts";
import { confirm } from "./confirm.ts";
import { chargeRequest, createCharge } from "./create-charge.ts";
import { readIpaymuHistory } from "./ipaymu-history.ts";
import { lookupOf } from "./provider.ts";
import { recordCharges } from "./record-charges.ts";
import { paymentProvider } from "./registry.ts";
import { type Settlement, settlementOf } from "./settlement.ts";

const AT_ONCE = 10;
/** A run ends well before the next minute's, even if every call takes its time. */
const ROUNDS = 6;
const LONGEST_RUN_MS = 40_000;

const dueShape = z.array(chargeView);

/**
 * For the minute cron: asks about open charges whose notice did not come, whose creation is in doubt, or whose time is
 * over, and closes those of a payment that was given up. Each is confirmed by itself, so that a bad one stops nobody; what fails is asked again later.
 */
export async function reconcileCharges(
  ctx: Ctx,
  settlements: readonly Settlement[],
): Promise<void> {
  const begin = ctx.now().getTime();
  await readIpaymuHistory(ctx).catch((error) => logFailure(ctx, "history not read", error));
  for (let round = 0; round < ROUNDS; round += 1) {
    const due = await ctx.db.run(call("payments_due", { limit: AT_ONCE }, dueShape));
    await Promise.all(due.map((charge) => reconcile(ctx, charge, settlements)));
    if (due.length < AT_ONCE || ctx.now().getTime() - begin > LONGEST_RUN_MS) return;
  }
}

async function reconcile(
  ctx: Ctx,
  charge: ChargeView,
  settlements: readonly Settlement[],
): Promise<void> {
  const isGivenUp = charge.intent.given_up_at !== null;
  try {
    if (isGivenUp) await closeAtProvider(ctx, charge);
    const { kind } = await confirm(ctx, charge, settlements, { asRead: true });
    const isUnrecorded = charge.state === "creating" || charge.state === "unknown";
    if (!isUnrecorded || charge.intent.state !== "pending" || isGivenUp) return;
    if (kind === "absent" || kind === "waiting") await recreate(ctx, charge, settlements);
  } catch (error) {
    logFailure(ctx, "charge not confirmed", error, { chargeId: charge.id });
  }
}

function logFailure(ctx: Ctx, what: string, error: unknown, facts: LogFields = {}) {
  const fields = { ...facts, ...describeError(error) };
  if (!(error instanceof ProviderError)) ctx.log.error(what, fields);
  // Nobody mends by waiting what cannot be read.
  else if (error.kind === "bad_answer") ctx.log.error(what, { ...fields, alert: true });
  else ctx.log.warn(what, fields);
}

/**
 * A charge that nobody recorded (the Worker died, or the answer was lost) is asked for again under its own key, so
 * that the payer finds a code on the page of his order. What it learns beside that is left to the next check.
 */
async function recreate(
  ctx: Ctx,
  charge: ChargeView,
  settlements: readonly Settlement[],
): Promise<void> {
  const { intent } = charge;
  const provider = paymentProvider(ctx, intent.provider);
  const outcome = await createCharge(ctx, provider, chargeRequest(charge, intent), {});
  const isFinal = outcome.state === "failed" && !outcome.retryable;
  if (outcome.state !== "pending" && !isFinal) return;
  await recordCharges(ctx, intent, [outcome], settlementOf(settlements, intent.purpose));
}

/** What cannot be closed there (a page, a payment that was made) is for `confirm` to find out. */
async function closeAtProvider(ctx: Ctx, charge: ChargeView): Promise<void> {
  if (!["creating", "unknown", "pending"].includes(charge.state)) return;
  await paymentProvider(ctx, charge.intent.provider)
    .close(lookupOf(charge))
    .catch(() => undefined);
}
