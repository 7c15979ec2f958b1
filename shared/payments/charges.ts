import type { Ctx } from "../context.ts";
import { AppError } from "../http/errors.ts";
import { describeError } from "../log.ts";
import type { OpenedCharge, OpenedPayment, ShownCharge } from "./charge.ts";
import { type ChargeOutcome, chargeRequest, createCharge } from "./create-charge.ts";
import type { PaymentDetails } from "./provider.ts";
import { recordCharges } from "./record-charges.ts";
import { paymentProvider } from "./registry.ts";
import type { Settlement } from "./settlement.ts";

export interface StartDetails extends PaymentDetails {
  /** What releases the reservation when no channel can be opened. */
  settlement: Settlement;
  /** What a failure tells its caller beside the words (`order_id`), so that he can look it up. */
  reference?: Record<string, unknown>;
  /** The words of a payment that was given up. */
  givenUp?: string;
  /** What is thrown when the provider surely opened nothing; by default `provider_unavailable`. */
  refusal?: () => AppError;
}

/** Whoever gives a payment up while it is opened needs time for that: only then is it looked for before the answer. */
const SLOW_MS = 1_000;

export interface StartedPayment {
  /** The QR's content, or the address of its picture where the provider sends only that. */
  qrCode: string | null;
  paymentUrl: string | null;
}

/**
 * Starts the charges of an intent that `payments_open` made, all channels side by side, and records the outcome
 * behind the answer, or before it where a repeat would open something else. Repeatable: what is recorded is answered,
 * what is not is asked again under the same key, and of answers at the same time all tell the one recorded first.
 * Errors: `in_progress` (an equal call is running); `provider_unavailable` when no channel is open: either surely so
 * (the intent has failed and its purpose has released what it held) or it is being checked and nothing is released;
 * `conflict` when the time to pay is over, or the payment was given up.
 */
export async function startCharges(
  ctx: Ctx,
  opened: OpenedPayment,
  details: StartDetails,
): Promise<StartedPayment> {
  const meta = details.reference ?? {};
  if (opened.state === "failed") throw details.refusal?.() ?? notStarted(meta);
  if (opened.given_up_at !== null) throw givenUp(details);
  if (opened.state === "expired") throw isOver(meta);
  const begun = ctx.now().getTime();
  const outcomes = await create(ctx, opened, details);
  if (noneIsOpen(opened, outcomes)) {
    await record(ctx, opened, outcomes, details);
    throw details.refusal?.() ?? notStarted(meta);
  }
  let shown: ShownCharge[] | undefined;
  if (outcomes.length > 0) {
    const recording = record(ctx, opened, outcomes, details);
    const wasSlow = ctx.now().getTime() - begun >= SLOW_MS;
    if (wasSlow || !paymentProvider(ctx, opened.provider).isRepeatable) {
      const recorded = await recording;
      if (recorded?.isGivenUp) throw givenUp(details);
      shown = recorded?.shown;
    } else ctx.waitUntil(recording);
  }
  if (outcomes.some(({ state }) => state === "running")) {
    throw new AppError("in_progress", "Pembayaran sedang dibuat. Coba lagi sebentar lagi.", {
      meta,
    });
  }
  const started = startedOf(shown ?? opened.charges, outcomes);
  if (started.qrCode === null && started.paymentUrl === null) throw notKnown(ctx, opened, meta);
  return started;
}

async function create(
  ctx: Ctx,
  opened: OpenedPayment,
  details: StartDetails,
): Promise<ChargeOutcome[]> {
  if (opened.state !== "pending" || ctx.now() >= opened.expires_at) return [];
  const provider = paymentProvider(ctx, opened.provider);
  const missing = opened.charges.filter(isUnanswered);
  return await Promise.all(
    missing.map((charge) => createCharge(ctx, provider, chargeRequest(charge, opened), details)),
  );
}

/** Nothing to show the payer was recorded of it, also where a notice came before the record. */
function isUnanswered(charge: OpenedCharge): boolean {
  const isOpen = ["creating", "unknown", "pending"].includes(charge.state);
  return isOpen && !charge.qr_string && !charge.qr_image_url && !charge.payment_url;
}

/** Every charge surely failed, now or before. */
function noneIsOpen({ charges }: OpenedPayment, outcomes: readonly ChargeOutcome[]): boolean {
  return charges.every((charge) => {
    const outcome = outcomes.find(({ id }) => id === charge.id);
    return (outcome?.state ?? charge.state) === "failed";
  });
}

/** Should the database be out of reach here, the cron asks the provider and records and releases the same. */
async function record(
  ctx: Ctx,
  opened: OpenedPayment,
  outcomes: readonly ChargeOutcome[],
  { customer, settlement }: StartDetails,
) {
  const intent = {
    id: opened.intent_id,
    provider: opened.provider,
    customerEmail: customer?.email,
  };
  try {
    return await recordCharges(ctx, intent, outcomes, settlement);
  } catch (error) {
    ctx.log.error("charges not recorded", { intentId: intent.id, ...describeError(error) });
    return null;
  }
}

function startedOf(
  charges: readonly ShownCharge[],
  outcomes: readonly ChargeOutcome[],
): StartedPayment {
  const made = outcomes.flatMap((outcome) =>
    outcome.state === "pending" ? [outcome.created] : [],
  );
  const qrCodes = [
    ...charges.map((charge) => charge.qr_string ?? charge.qr_image_url),
    ...made.map((created) => created.qrString ?? created.qrImageUrl),
  ];
  const urls = [
    ...charges.map((charge) => charge.payment_url),
    ...made.map((created) => created.paymentUrl),
  ];
  const first = (values: (string | null)[]) => values.find((value) => value !== null) ?? null;
  return { qrCode: first(qrCodes), paymentUrl: first(urls) };
}

const notStarted = (meta: Record<string, unknown>) =>
  new AppError(
    "provider_unavailable",
    "Pembayaran tidak dapat dibuat saat ini. Tidak ada yang ditagih; silakan coba lagi.",
    { meta },
  );

const givenUp = ({ givenUp: words = "Pembayaran ini sudah dibatalkan", reference }: StartDetails) =>
  new AppError("conflict", words, { meta: reference ?? {} });

const isOver = (meta: Record<string, unknown>) =>
  new AppError("conflict", "Waktu pembayaran sudah habis", { meta });

function notKnown(ctx: Ctx, opened: OpenedPayment, meta: Record<string, unknown>): AppError {
  if (opened.state !== "pending" || ctx.now() >= opened.expires_at) {
    return isOver(meta);
  }
  const words = "Pembayaran sedang diperiksa. Silakan lihat lagi beberapa saat lagi.";
  return new AppError("provider_unavailable", words, { meta });
}
