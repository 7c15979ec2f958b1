import type { Ipaymu, IpaymuPayment, IpaymuStatus } from "../providers/ipaymu.ts";
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

interface Here {
  appUrl: string;
  now: () => Date;
}

/**
 * iPaymu as a payment provider: one hosted page, `redirect` (providers/ipaymu.md). It has no idempotency key, so a
 * repeated `create` opens another page under the same reference; money on both is told to a person by `confirm`.
 */
export function ipaymuPayments(ipaymu: Ipaymu, here: Here): PaymentProvider {
  return {
    name: IPAYMU,
    channels: ["redirect"],
    create: (charge, details) => create(ipaymu, here, charge, details),
    parseNotice: (rawBody, headers) =>
      ipaymu.verifyCallback(rawBody, {
        xSignature: headers?.get("x-signature"),
        signature: headers?.get("signature"),
      }),
    query: (charge) => query(ipaymu, charge),
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
 * By transaction where one is known, else by the history. A page may have a later transaction (another channel was
 * picked), so the end of one is only believed when the history shows no better one.
 */
async function query(ipaymu: Ipaymu, charge: ChargeAt): Promise<ProviderPayment | null> {
  if (charge.transactionId) {
    const found = await ipaymu.getTransaction(charge.transactionId);
    const isOurs = found?.providerRef === charge.providerRef;
    if (isOurs && !isUnpaidEnd(found.status)) return paymentOf(found, charge);
  }
  const { openedAt, endsAt } = charge;
  const found = await ipaymu.findByReference(charge.providerRef, {
    since: openedAt,
    until: endsAt,
  });
  return found && paymentOf(found, charge);
}

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
