import type { Ctx } from "../context.ts";
import { ProviderError } from "../providers/provider-error.ts";
import type { Channel, ChargeView } from "./charge.ts";
import type { ChargeRequest, CreatedCharge, PaymentDetails, PaymentProvider } from "./provider.ts";

/** `failed`: surely not there. `unknown`: it may be. `running`: an equal call has not finished yet. */
export type ChargeOutcome =
  | { id: string; state: "pending"; created: CreatedCharge }
  | { id: string; state: "failed" | "unknown" | "running"; failure: string; retryable: boolean };

interface Asked {
  id: string;
  channel: Channel;
  provider_ref: string;
}
interface Payable {
  amount: number;
  created_at: Date;
  expires_at: Date;
}

const MINUTE_MS = 60_000;
/** A call of a provider, with its repeats, is over by then, and so is the request that made it. */
const LONGEST_CALL_MS = 2 * MINUTE_MS;
/** HTTP 202: an equal call is still at work, whatever the body says (providers/midtrans.md §7). */
const ACCEPTED = 202;

/**
 * A charge as its provider is asked for it: the same request on every repeat, and payable exactly as long as the
 * intent is (providers count in whole minutes, so the start is moved instead of the end).
 */
export function chargeRequest(charge: Asked, intent: Payable): ChargeRequest {
  const lifetimeMs = intent.expires_at.getTime() - intent.created_at.getTime();
  const expiryMinutes = Math.max(1, Math.ceil(lifetimeMs / MINUTE_MS));
  return {
    id: charge.id,
    channel: charge.channel,
    providerRef: charge.provider_ref,
    amountIdr: intent.amount,
    startsAt: new Date(intent.expires_at.getTime() - expiryMinutes * MINUTE_MS),
    expiryMinutes,
  };
}

/**
 * Nothing was opened and nothing will be, for a charge that its provider does not know: its payment was given up, after
 * which nobody asks for it, so long ago that no earlier request is on its way. A page is unknown to its provider until
 * the payer picks a way to pay: one that may have been shown without having been recorded may still be paid.
 */
export function isNeverOpened({ channel, state, intent }: ChargeView, now: Date): boolean {
  if (intent.given_up_at === null) return false;
  const hasNone = state === "unknown" || (state === "creating" && channel === "qris");
  return hasNone && now.getTime() - intent.given_up_at.getTime() >= LONGEST_CALL_MS;
}

/** Asks the provider for a charge; its failure is told, not thrown. */
export async function createCharge(
  ctx: Ctx,
  provider: PaymentProvider,
  request: ChargeRequest,
  details: PaymentDetails,
): Promise<ChargeOutcome> {
  try {
    return { id: request.id, state: "pending", created: await provider.create(request, details) };
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    const { kind, code, outcome, retryable } = error;
    const { channel } = request;
    ctx.log.warn("charge not created", { provider: provider.name, channel, kind, code, outcome });
    const failure = code ? `${kind} ${code}` : kind;
    if (code === "in_progress" || error.status === ACCEPTED)
      return { id: request.id, state: "running", failure, retryable };
    const state = outcome === "not_done" ? "failed" : "unknown";
    return { id: request.id, state, failure, retryable };
  }
}

/** An outcome as SQL function `payments_charged` takes it. */
export function recordOf(outcome: Exclude<ChargeOutcome, { state: "running" }>) {
  if (outcome.state !== "pending") {
    return { id: outcome.id, state: outcome.state, failure: outcome.failure };
  }
  const { created } = outcome;
  return {
    id: outcome.id,
    state: outcome.state,
    transaction_id: created.transactionId,
    qr_string: created.qrString,
    qr_image_url: created.qrImageUrl,
    payment_url: created.paymentUrl,
    expires_at: created.expiresAt?.toISOString() ?? null,
  };
}
