import type { Channel, ChargeView } from "./charge.ts";

/** Where a payment stands. `review`: a person has to look, nothing is to move by itself. */
export type PaymentStatus =
  | "pending"
  | "paid"
  | "expired"
  | "cancelled"
  | "failed"
  | "review"
  | "refunded"
  | "partly_refunded"
  | "disputed";

/** A charge as a provider is asked for it. Equal on every repeat, so that a repeat can be recognised. */
export interface ChargeRequest {
  /** At most 36 characters: also the key under which a repeat gets the first answer. */
  id: string;
  channel: Channel;
  providerRef: string;
  amountIdr: number;
  /** It may be paid from here on … */
  startsAt: Date;
  /** … for that long, which ends when the intent does. */
  expiryMinutes: number;
}

/** What the payer is shown at the provider. Items must add up to the amount; a discount has a negative price. */
export interface PaymentDetails {
  /** What is paid for; the only line where there are no items. */
  description?: string | undefined;
  items?: readonly { id: string; name: string; price: number; quantity: number }[] | undefined;
  customer?:
    | {
        name?: string | null | undefined;
        email?: string | null | undefined;
        phone?: string | null | undefined;
      }
    | undefined;
  /** Where a hosted payment page sends the payer back to. */
  finishUrl?: string | undefined;
}

export interface CreatedCharge {
  transactionId: string | null;
  qrString: string | null;
  qrImageUrl: string | null;
  paymentUrl: string | null;
  expiresAt: Date | null;
}

/** A payment as its provider tells of it. */
export interface ProviderPayment {
  providerRef: string;
  transactionId: string;
  status: PaymentStatus;
  /** This try failed, and until the charge expires the payer may make another. */
  mayTryAgain: boolean;
  amountIdr: number;
  paidAt: Date | null;
  refundedIdr: number;
  refunds: readonly { key: string | null; confirmed: boolean }[];
}

/** A notice whose signature holds. It says where to look, never what is true. */
export interface PaymentNotice {
  providerRef: string;
  transactionId: string;
  status: PaymentStatus;
  /** Null where it does not say. */
  amountIdr: number | null;
  eventKey: string;
}

/** A charge as its provider knows it. */
export interface ChargeName {
  channel: Channel;
  providerRef: string;
  transactionId: string | null;
}

/** Where a charge is looked up. */
export interface ChargeAt extends ChargeName {
  /** Nothing about it can be older … */
  openedAt: Date;
  /** … or have begun later: then its payer can no longer pick a way to pay. */
  endsAt: Date;
  /** It is not known to be paid, and not closed. */
  isOpen: boolean;
  /** What the cron has read of the provider just now will do; else that is read anew. */
  asRead: boolean;
}

/** One payment provider. Every failure is a `ProviderError`. */
export interface PaymentProvider {
  name: string;
  channels: readonly Channel[];
  /** The same request opens nothing else. Where it does, the first that was recorded is the one that payers are shown. */
  isRepeatable: boolean;
  /** Starts a charge. Repeated: the same answer if `isRepeatable`, or a failure whose outcome is unknown. */
  create(charge: ChargeRequest, details: PaymentDetails): Promise<CreatedCharge>;
  /** Checks and reads a notice as it came; null when it is not the provider's own. */
  parseNotice(rawBody: string, headers?: Headers): Promise<PaymentNotice | null>;
  /** Asks where a charge stands; null when the provider knows nothing of it (yet). */
  query(charge: ChargeAt): Promise<ProviderPayment | null>;
  /** Ends a charge that nobody needs any more, if the provider still can. */
  close(charge: ChargeName): Promise<void>;
  /** Sends money back, once per key. `refused`: never by this way, and surely not done. */
  refund(
    charge: ChargeAt,
    refund: { key: string; amountIdr: number; reason: string },
  ): Promise<"asked" | "refused">;
}

export interface LookupOptions {
  /** Another transaction than the recorded one. */
  transactionId?: string | null | undefined;
  asRead?: boolean;
}

/** Where a charge is looked up. */
export function lookupOf(
  charge: ChargeView,
  { transactionId = charge.transaction_id, asRead = false }: LookupOptions = {},
): ChargeAt {
  const { channel, provider_ref: providerRef, state, intent } = charge;
  const { created_at: openedAt, expires_at: endsAt } = intent;
  const isOpen = state === "creating" || state === "unknown" || state === "pending";
  return { channel, providerRef, transactionId, openedAt, endsAt, isOpen, asRead };
}
