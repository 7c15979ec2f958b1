import { z } from "zod";
import { sha512Hex, timingSafeEqual } from "../../crypto/index.ts";
import { type MidtransPayment, Transaction, toPayment } from "./transaction.ts";

/** A notice whose signature is right. Only `providerRef`, `statusCode` and `amountIdr` are covered by it. */
export interface MidtransNotice extends MidtransPayment {
  /** Equal for repeats of the same news, different for every next piece of news about the same payment. */
  eventKey: string;
}

/** What the signature is made of, exactly as received. */
const Signed = z.object({
  order_id: z.string().min(1).max(64),
  // Strict, because the signed text has no borders between these three.
  status_code: z.string().regex(/^[2-5]\d\d$/),
  gross_amount: z.string().regex(/^(0|[1-9]\d{0,14})\.\d\d$/),
  signature_key: z.string().regex(/^[0-9a-f]{128}$/i),
});

/**
 * Checks a notification and reads it; null when it is not Midtrans' own (providers/midtrans.md §6). The signature
 * leaves the status and the transaction id open, so ask for the status before money moves and require the same
 * order and amount there.
 */
export async function verifyNotice(
  serverKey: string,
  rawBody: string,
): Promise<MidtransNotice | null> {
  let body: unknown;
  try {
    body = JSON.parse(rawBody);
  } catch {
    return null;
  }
  const signed = Signed.safeParse(body);
  if (!signed.success) return null;
  const { order_id, status_code, gross_amount, signature_key } = signed.data;
  const expected = await sha512Hex(order_id + status_code + gross_amount + serverKey);
  if (!(await timingSafeEqual(expected, signature_key.toLowerCase()))) return null;

  const parsed = Transaction.safeParse(body);
  if (!parsed.success) return null;
  return { ...toPayment(parsed.data), eventKey: eventKeyOf(parsed.data) };
}

/**
 * The vendor's own key (transaction, status) alone would swallow news: a challenge that is accepted keeps its
 * status word, and a refund is told twice, the second time confirmed by the bank. The signature covers order and amount,
 * not the transaction's id.
 */
function eventKeyOf(transaction: Transaction): string {
  const confirmed = (transaction.refunds ?? []).filter((refund) => refund.bank_confirmed_at);
  const parts = [
    transaction.order_id,
    transaction.gross_amount,
    transaction.transaction_id,
    transaction.transaction_status.toLowerCase(),
    transaction.status_code,
    transaction.fraud_status?.toLowerCase() || "accept",
  ];
  if (transaction.refund_amount) parts.push(`${transaction.refund_amount}-${confirmed.length}`);
  return parts.join(":");
}
