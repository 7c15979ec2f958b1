import { wib } from "../common/clock.ts";
import type { Json } from "../common/fields.ts";
import { type Code, codes, isPaid, type Transaction } from "./state.ts";

const statusWords: Record<Code, string> = {
  [codes.expired]: "Expired",
  [codes.pending]: "Pending",
  [codes.success]: "Berhasil",
  [codes.cancelled]: "Batal",
  [codes.refunded]: "Refund",
  [codes.error]: "Error",
  [codes.failed]: "Gagal",
  [codes.unsettled]: "Berhasil - Unsettled",
  [codes.escrow]: "Escrow",
};

export function wordOf(code: Code): string {
  return statusWords[code];
}

function time(ms: number | null): string | null {
  return ms === null ? null : wib(ms);
}

/** `Data` of `POST /transaction`, and a row of `POST /history`. */
export function transactionData(transaction: Transaction, va: string): Json {
  const { session, channel, code } = transaction;
  return {
    TransactionId: transaction.id,
    SessionId: session.sid,
    ReferenceId: session.referenceId,
    RelatedId: 0,
    Sender: session.buyer.name || "Pembeli",
    Receiver: va,
    Amount: transaction.total,
    Fee: transaction.fee,
    Status: code,
    StatusDesc: wordOf(code),
    PaidStatus: isPaid(code) || code === codes.refunded ? "paid" : "unpaid",
    IsLocked: false,
    Type: 7,
    TypeDesc: channel.name,
    Notes: session.comments || null,
    CreatedDate: wib(transaction.createdAt),
    SuccessDate: time(transaction.paidAt),
    ExpiredDate: wib(transaction.expiresAt),
    SettlementDate: time(transaction.settledAt),
    PaymentChannel: channel.code.toUpperCase(),
    PaymentCode: transaction.paymentNo,
    BuyerName: session.buyer.name,
    BuyerPhone: session.buyer.phone,
    BuyerEmail: session.buyer.email,
  };
}

/** `Data` of `POST /payment/direct`: `Via` and `Channel` in capitals here, in small letters in notices. */
export function directData(transaction: Transaction, url: string): Json {
  const { session, channel } = transaction;
  const isQris = channel.method === "qris";
  const page = `${url}/payment/${session.sid}`;
  return {
    SessionId: session.sid,
    TransactionId: transaction.id,
    ReferenceId: session.referenceId,
    Via: channel.method.toUpperCase(),
    Channel: channel.code.toUpperCase(),
    PaymentNo: isQris ? transaction.qrText : transaction.paymentNo,
    PaymentName: isQris ? "Lumbung Twin" : session.buyer.name,
    SubTotal: transaction.subTotal,
    Fee: transaction.fee,
    Total: transaction.total,
    FeeDirection: session.feeDirection,
    Expired: wib(transaction.expiresAt),
    Note: session.comments || null,
    Url: page,
    ...(isQris && {
      QrString: transaction.qrText,
      QrImage: `${url}/qr/${transaction.id}`,
      QrTemplate: page,
      Terminal: "A01",
      NNSCode: "93600918",
    }),
  };
}

const noticeWords: Record<number, string> = { 1: "berhasil", 0: "pending", [-2]: "expired" };

/** The code a notice shows: success for whatever is paid. */
export function noticeCode(code: Code): number {
  return isPaid(code) ? codes.success : code;
}

export function noticeWord(code: number): string {
  return noticeWords[code] ?? "gagal";
}

/** The fields of a notice (ipaymu.md section 4) with the types they have in JSON and in the signature. */
export function noticeFields(transaction: Transaction): Json {
  const { session, channel, code } = transaction;
  const byNumber = channel.method === "va" || channel.method === "cstore";
  const subTotal = String(transaction.subTotal);
  const total = String(transaction.total);
  return {
    trx_id: transaction.id,
    sid: session.sid,
    reference_id: session.referenceId ?? "",
    status: noticeWord(noticeCode(code)),
    status_code: noticeCode(code),
    sub_total: subTotal,
    total,
    amount: total,
    fee: String(transaction.fee),
    paid_off: transaction.total - transaction.fee,
    created_at: wib(transaction.createdAt),
    expired_at: wib(transaction.expiresAt),
    paid_at: time(transaction.paidAt) ?? "",
    settlement_status: transaction.settledAt === null ? "unsettle" : "settled",
    transaction_status_code: code,
    is_escrow: session.escrow,
    system_notes: "Sandbox notify",
    via: channel.method,
    channel: channel.code,
    payment_no: byNumber ? transaction.paymentNo : "",
    ...(channel.method === "va" && { va: transaction.paymentNo }),
    buyer_name: session.buyer.name,
    buyer_email: session.buyer.email,
    buyer_phone: session.buyer.phone,
    additional_info: [],
    url: session.notifyUrl,
  };
}

/** The 13 fields that the documentation's own sample has and no capture, all of them texts. */
export function extraFields(transaction: Transaction, va: string): Json {
  const { session, code } = transaction;
  return {
    status_desc: wordOf(code),
    product: session.products.join(", "),
    quantity: String(session.products.length),
    merchant: va,
    merchant_name: "Lumbung Twin",
    trscode: String(transaction.id),
    unique_code: "0",
    settlement_date: time(transaction.settledAt) ?? "",
    expired_time: wib(transaction.expiresAt),
    expired_unix: String(Math.floor(transaction.expiresAt / 1000)),
    is_refund: "0",
    is_sandbox: "1",
    referenceId: session.referenceId ?? "",
  };
}

/** The fields as a form: booleans `0` and `1` (or the word `no`), no place for an empty array. */
export function formBody(fields: Json, no: string, lean: boolean): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value) || value === null) continue;
    if (lean && name === "payment_no" && value === "") continue;
    if (typeof value === "boolean") form.set(name, value ? "1" : no);
    else form.set(name, String(value));
  }
  return form.toString();
}
