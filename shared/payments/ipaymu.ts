import type { Ipaymu, IpaymuPayment, IpaymuStatus } from "../providers/ipaymu.ts";
import { ProviderError } from "../providers/provider-error.ts";
import type {
  ChargeAt,
  ChargeRequest,
  CreatedCharge,
  PaymentDetails,
  PaymentProvider,
  ProviderPayment,
} from "./provider.ts";

export const IPAYMU = "ipaymu";
/** Where iPaymu sends its callbacks: it is told so with every payment. */
export const IPAYMU_CALLBACK_PATH = "/api/payment/callback";

const MINUTE_MS = 60_000;
/** The cron reads the history every minute; of an open payment that is news enough. */
const RECENTLY_MS = 2 * MINUTE_MS;

/** What is known of an account's transactions without asking for each payment (`ipaymu-history.ts`). */
export interface IpaymuHistory {
  /** Reads what is new since the last time. False: there is more of it than is read at once. */
  readNewest(openedAt: Date): Promise<boolean>;
  /** The transactions of a reference that were read so far; nothing opened before `readUntil` is missing. */
  sightingsOf(
    providerRef: string,
  ): Promise<{ readUntil: Date | null; transactions: readonly string[] }>;
}

interface Here {
  appUrl: string;
  now: () => Date;
  history: IpaymuHistory;
}

/**
 * iPaymu as a payment provider: one hosted page, `redirect` (providers/ipaymu.md). It has no idempotency key, so a
 * repeated `create` opens another page under the same reference; money on both is told to a person by `confirm`.
 */
export function ipaymuPayments(ipaymu: Ipaymu, here: Here): PaymentProvider {
  return {
    name: IPAYMU,
    channels: ["redirect"],
    isRepeatable: false,
    create: (charge, details) => create(ipaymu, here, charge, details),
    parseNotice: (rawBody, headers) =>
      ipaymu.verifyCallback(rawBody, {
        xSignature: headers?.get("x-signature"),
        signature: headers?.get("signature"),
      }),
    query: (charge) => query(ipaymu, here, charge),
    // Its API ends no payment (§3); the page expires by itself.
    close: async () => undefined,
    // Nor does it send money back: that happens in its dashboard.
    refund: async () => "refused",
  };
}

async function create(
  ipaymu: Ipaymu,
  { appUrl, now }: Here,
  charge: ChargeRequest,
  { description, customer, finishUrl }: PaymentDetails,
): Promise<CreatedCharge> {
  const { name, email, phone } = customer ?? {};
  const endsAt = charge.startsAt.getTime() + charge.expiryMinutes * MINUTE_MS;
  const { url } = await ipaymu.createRedirect({
    providerRef: charge.providerRef,
    amountIdr: charge.amountIdr,
    product: description ?? "Pembayaran",
    // It counts from now on: one that is asked for late lives shorter.
    expiryMinutes: Math.max(1, Math.round((endsAt - now().getTime()) / MINUTE_MS)),
    returnUrl: finishUrl ?? appUrl,
    cancelUrl: finishUrl ?? appUrl,
    notifyUrl: `${appUrl}${IPAYMU_CALLBACK_PATH}`,
    buyer: { ...(name && { name }), ...(email && { email }), ...(phone && { phone }) },
  });
  const nothing = { transactionId: null, qrString: null, qrImageUrl: null, expiresAt: null };
  return { ...nothing, paymentUrl: url };
}

/**
 * By the transaction where one is known, else by those that the history shows of the reference. A page may have a later
 * transaction (another channel was picked), so none but a paid one has the last word alone, and neither the end of one
 * nor that there is none is believed before the history was read so far.
 */
async function query(
  ipaymu: Ipaymu,
  { history, now }: Here,
  charge: ChargeAt,
): Promise<ProviderPayment | null> {
  const { transactionId, providerRef, endsAt } = charge;
  const known = transactionId ? await ipaymu.getTransaction(transactionId) : null;
  const mine = known?.providerRef === providerRef ? [known] : [];
  for (const found of mine) if (isSettled(found.status)) return paymentOf(found, charge);
  // Beside one that still waits another that was read may be paid: that is worth a look, and no reading.
  const isWaiting = mine.length > 0 && !mine.some(({ status }) => isUnpaidEnd(status));
  const isReadAnew = !isWaiting && !charge.asRead && (charge.isOpen || transactionId === null);
  const isWhole = isReadAnew && (await history.readNewest(charge.openedAt));
  const { readUntil, transactions } = await history.sightingsOf(providerRef);
  for (const id of transactions) {
    if (id === known?.transactionId) continue;
    const found = await ipaymu.getTransaction(id);
    if (found?.providerRef !== providerRef) throw contradiction();
    mine.push(found);
  }
  const [best] = mine.sort((a, b) => RANK[a.status] - RANK[b.status]);
  if (best && !isUnpaidEnd(best.status)) return paymentOf(best, charge);
  const needed = Math.min(now().getTime() - RECENTLY_MS, endsAt.getTime());
  // Of one that is closed nothing needs to be proven: only what is seen of it counts.
  const isProven = !charge.isOpen || isWhole || (readUntil?.getTime() ?? 0) >= needed;
  if (!isProven) throw behind();
  return best ? paymentOf(best, charge) : null;
}

/** Of several transactions the one that matters most: paid before one that may be, before one that has ended. */
const RANK: Record<IpaymuStatus, number> = {
  paid: 0,
  refunded: 1,
  review: 2,
  pending: 3,
  failed: 4,
  cancelled: 5,
  expired: 5,
};

function contradiction(): ProviderError {
  const failure = { kind: "bad_answer", retryable: true, outcome: "unknown" } as const;
  return new ProviderError(IPAYMU, failure, `${IPAYMU}: history and transaction disagree`);
}

function behind(): ProviderError {
  const failure = { kind: "unavailable", retryable: true, outcome: "not_done" } as const;
  const code = "history_behind";
  return new ProviderError(IPAYMU, { ...failure, code }, `${IPAYMU}: the history is not read yet`);
}

const isSettled = (status: IpaymuStatus) => status === "paid" || status === "refunded";

const isUnpaidEnd = (status: IpaymuStatus) =>
  status === "expired" || status === "cancelled" || status === "failed";

function paymentOf(payment: IpaymuPayment, { providerRef }: ChargeAt): ProviderPayment {
  return {
    providerRef,
    transactionId: payment.transactionId,
    status: payment.status,
    // After a failed try the page is still open, and the payer picks another channel.
    mayTryAgain: payment.status === "failed",
    amountIdr: payment.amountIdr,
    paidAt: payment.paidAt,
    refundedIdr: payment.status === "refunded" ? payment.amountIdr : 0,
    refunds: [],
  };
}
