import { z } from "zod";
import { wholeIdr } from "../idr.ts";
import { isStorable } from "../storable.ts";
import { parseWib } from "../wib-time.ts";

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

/** A payment as Midtrans tells of it. */
export interface MidtransPayment {
  transactionId: string;
  providerRef: string;
  status: PaymentStatus;
  statusCode: string;
  amountIdr: number;
  paymentType: string | null;
  paidAt: Date | null;
  expiresAt: Date | null;
  /** The sum of all refunds, when there is one. */
  refundedIdr: number | null;
  refunds: { refundKey: string | null; amountIdr: number; bankConfirmedAt: Date | null }[];
}

export interface RawStatus {
  statusCode: string;
  transactionStatus: string;
  fraudStatus?: string | null | undefined;
}

/**
 * Midtrans' status words as one of ours (providers/midtrans.md §5). Paid needs all three of the vendor's conditions:
 * body code 200, fraud accepted or absent, settlement or capture. Words that we do not know are for review, so that
 * they neither pay nor release anything.
 */
export function mapStatus(raw: RawStatus): PaymentStatus {
  const fraud = raw.fraudStatus?.toLowerCase() || "accept";
  const denied = fraud === "deny";
  switch (raw.transactionStatus.toLowerCase()) {
    case "settlement":
    case "capture":
      if (denied) return "failed";
      return raw.statusCode === "200" && fraud === "accept" ? "paid" : "review";
    case "pending":
    case "authorize":
      return denied ? "failed" : "pending";
    case "deny":
    case "failure":
      return "failed";
    case "cancel":
      return "cancelled";
    case "expire":
      return "expired";
    case "refund":
      return "refunded";
    case "partial_refund":
      return "partly_refunded";
    case "chargeback":
    case "partial_chargeback":
      return "disputed";
    default:
      return denied ? "failed" : "review";
  }
}

const word = z.string().min(1).max(64).refine(isStorable);
const detail = z.string().max(64).refine(isStorable).nullish();
const time = z.string().nullish().transform(parseWib);

/** The fields that charges, status answers and notices have in common; others come and go. */
export const Transaction = z.object({
  status_code: z.string().regex(/^\d{3}$/),
  transaction_id: word,
  order_id: word,
  gross_amount: wholeIdr,
  currency: z.literal("IDR").nullish(),
  transaction_status: word,
  fraud_status: detail,
  payment_type: detail,
  settlement_time: time,
  // The samples of the vendor disagree on the name.
  expire_time: time,
  expiry_time: time,
  refund_amount: wholeIdr.nullish(),
  refunds: z
    .array(
      z.object({
        refund_key: z.string().max(128).refine(isStorable).nullish(),
        refund_amount: wholeIdr,
        bank_confirmed_at: time,
      }),
    )
    .nullish()
    // Only a detail: the status word and `refund_amount` say what happened.
    .catch(null),
});

export type Transaction = z.output<typeof Transaction>;

/** A parsed transaction in our words. */
export function toPayment(transaction: Transaction): MidtransPayment {
  return {
    transactionId: transaction.transaction_id,
    providerRef: transaction.order_id,
    status: mapStatus({
      statusCode: transaction.status_code,
      transactionStatus: transaction.transaction_status,
      fraudStatus: transaction.fraud_status,
    }),
    statusCode: transaction.status_code,
    amountIdr: transaction.gross_amount,
    paymentType: transaction.payment_type ?? null,
    paidAt: transaction.settlement_time,
    expiresAt: transaction.expiry_time ?? transaction.expire_time,
    refundedIdr: transaction.refund_amount ?? null,
    refunds: (transaction.refunds ?? []).map((refund) => ({
      refundKey: refund.refund_key ?? null,
      amountIdr: refund.refund_amount,
      bankConfirmedAt: refund.bank_confirmed_at,
    })),
  };
}
