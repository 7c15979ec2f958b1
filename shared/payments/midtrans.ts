import { ProviderError } from "../providers/http.ts";
import type { Customer, Item, Midtrans, MidtransPayment } from "../providers/midtrans.ts";
import type {
  ChargeAt,
  ChargeRequest,
  CreatedCharge,
  PaymentDetails,
  PaymentProvider,
  PaymentStatus,
  ProviderPayment,
} from "./provider.ts";

export const MIDTRANS = "midtrans";

/** Midtrans as a payment provider: `qris` by the Core API, `snap` by its hosted page (providers/midtrans.md). */
export function midtransPayments(midtrans: Midtrans): PaymentProvider {
  return {
    name: MIDTRANS,
    channels: ["qris", "snap"],
    isRepeatable: true,
    create: (charge, details) => create(midtrans, charge, details),
    parseNotice: (rawBody) => midtrans.verifyNotice(rawBody),
    query: (charge) => query(midtrans, charge),
    async close({ providerRef }) {
      await midtrans.expire(providerRef);
    },
    async refund(charge, { key, amountIdr, reason }) {
      const ref = charge.transactionId ?? charge.providerRef;
      try {
        await midtrans.refund({ ref, refundKey: key, amountIdr, reason });
        return "asked";
      } catch (error) {
        const refusal = refusalOf(error);
        if (!refusal) throw error;
        return refusal;
      }
    },
  };
}

async function create(
  midtrans: Midtrans,
  charge: ChargeRequest,
  details: PaymentDetails,
): Promise<CreatedCharge> {
  const { providerRef, amountIdr, startsAt, expiryMinutes } = charge;
  const common = {
    providerRef,
    amountIdr,
    expiryMinutes,
    idempotencyKey: charge.id,
    items: itemsOf(charge, details),
    ...(details.customer && { customer: customerOf(details.customer) }),
  };
  switch (charge.channel) {
    case "qris": {
      const { status, ...made } = await midtrans.chargeQris({ ...common, orderTime: startsAt });
      if (status === "failed") throw denied();
      return { ...made, paymentUrl: null };
    }
    case "snap": {
      const { finishUrl } = details;
      const page = { ...common, startTime: startsAt, ...(finishUrl && { finishUrl }) };
      const { redirectUrl } = await midtrans.createSnap(page);
      const nothing = { transactionId: null, qrString: null, qrImageUrl: null, expiresAt: null };
      return { ...nothing, paymentUrl: redirectUrl };
    }
    case "redirect":
      throw new Error("Midtrans has no channel redirect");
    default:
      return charge.channel satisfies never;
  }
}

function itemsOf({ amountIdr }: ChargeRequest, { items, description }: PaymentDetails): Item[] {
  const whole = {
    id: "pembayaran",
    name: description ?? "Pembayaran",
    price: amountIdr,
    quantity: 1,
  };
  return (items ?? [whole]).map(({ price, ...item }) => ({ ...item, priceIdr: price }));
}

function customerOf({ name, email, phone }: NonNullable<PaymentDetails["customer"]>): Customer {
  return { ...(name && { name }), ...(email && { email }), ...(phone && { phone }) };
}

function denied(): ProviderError {
  const failure = { kind: "refused", retryable: false, outcome: "not_done" } as const;
  return new ProviderError(MIDTRANS, failure, `${MIDTRANS}: the charge was denied`);
}

/**
 * By transaction id where one is known, because some methods are found by nothing else. An order id may have a later
 * transaction (another method picked on the hosted page), so the end of one is only believed of the order itself.
 */
async function query(midtrans: Midtrans, charge: ChargeAt): Promise<ProviderPayment | null> {
  if (charge.transactionId) {
    const found = await midtrans.getStatus(charge.transactionId);
    const ended = found !== null && isUnpaidEnd(found.status);
    if (found?.providerRef === charge.providerRef && !ended) return paymentOf(found, charge);
  }
  const found = await midtrans.getStatus(charge.providerRef);
  return found && paymentOf(found, charge);
}

const isUnpaidEnd = (status: PaymentStatus) =>
  status === "expired" || status === "cancelled" || status === "failed";

function paymentOf(payment: MidtransPayment, charge: ChargeAt): ProviderPayment {
  return {
    providerRef: payment.providerRef,
    transactionId: payment.transactionId,
    status: payment.status,
    // On the hosted page a declined try leaves the order open: the payer picks another way to pay (§5).
    mayTryAgain: charge.channel === "snap" && payment.status === "failed",
    amountIdr: payment.amountIdr,
    paidAt: payment.paidAt,
    refundedIdr: payment.refundedIdr ?? 0,
    refunds: payment.refunds.map(({ refundKey, bankConfirmedAt }) => ({
      key: refundKey,
      confirmed: bankConfirmedAt !== null,
    })),
  };
}

/** 406: this key was used, so the first try arrived. 412, 414 and their like are final; a 404 may be a delay. */
function refusalOf(error: unknown): "asked" | "refused" | null {
  if (!(error instanceof ProviderError)) return null;
  if (error.code === "406") return "asked";
  const final = error.kind === "refused" || error.kind === "invalid";
  return final && error.outcome === "not_done" && error.code !== "404" ? "refused" : null;
}
