import { createHash } from "node:crypto";
import { wib } from "../common/clock.ts";
import type { Json } from "../common/fields.ts";
import type { Refund, Transaction, TransactionStatus } from "./state.ts";

export const merchantId = "G100000001";

/** Responses and notices write money as a string with two decimals (midtrans.md section 2). */
export function money(amount: number): string {
  return `${amount}.00`;
}

/** SHA-512 in lower-case hex over the strings exactly as sent (midtrans.md section 6). */
export function signature(
  orderId: string,
  statusCode: string,
  grossAmount: string,
  serverKey: string,
): string {
  return createHash("sha512")
    .update(orderId + statusCode + grossAmount + serverKey)
    .digest("hex");
}

/** The body code of a status: 200 done, 201 waiting, 202 denied or cancelled, and expired is its own. */
export function statusCode(status: TransactionStatus, expired: "202" | "407"): string {
  switch (status) {
    case "settlement":
    case "refund":
    case "partial_refund":
    case "chargeback":
      return "200";
    case "pending":
      return "201";
    case "deny":
    case "cancel":
      return "202";
    case "expire":
      return expired;
  }
}

function refundEntry(refund: Refund): Json {
  return {
    refund_chargeback_id: refund.chargebackId,
    refund_amount: money(refund.amount),
    created_at: wib(refund.createdAt),
    reason: refund.reason,
    refund_key: refund.key,
    ...(refund.confirmedAt === null ? {} : { bank_confirmed_at: wib(refund.confirmedAt) }),
  };
}

function accountFields(transaction: Transaction): Json {
  const { method, vaNumber } = transaction;
  if (method.type === "echannel") return { bill_key: vaNumber, biller_code: "70012" };
  if (method.type !== "bank_transfer") return {};
  if (method.bank === "permata") return { permata_va_number: vaNumber };
  return { va_numbers: [{ bank: method.bank, va_number: vaNumber }] };
}

/** What charge, status and notices have in common. */
function commonFields(transaction: Transaction): Json {
  return {
    transaction_id: transaction.id,
    order_id: transaction.order.id,
    merchant_id: merchantId,
    gross_amount: money(transaction.amount),
    currency: "IDR",
    payment_type: transaction.method.type,
    transaction_time: wib(transaction.createdAt),
    transaction_status: transaction.status,
    fraud_status: transaction.status === "deny" ? "deny" : "accept",
    ...accountFields(transaction),
  };
}

function progressFields(transaction: Transaction): Json {
  const { method, settledAt, refunds, issuer } = transaction;
  const fields: Json = {
    expiry_time: wib(transaction.expiresAt),
    ...transaction.order.customFields,
  };
  if (settledAt !== null) {
    fields.settlement_time = wib(settledAt);
    if (method.type === "bank_transfer") fields.payment_amounts = [];
    if (method.type === "qris") {
      fields.transaction_type = issuer === "gopay" ? "on-us" : "off-us";
      fields.issuer = issuer;
      fields.merchant_cross_reference_id = transaction.referenceId;
      if (method.acquirer === "airpay shopee") {
        fields.shopeepay_reference_number = transaction.referenceId.slice(0, 12);
        fields.reference_id = transaction.id;
      }
    }
  }
  if (method.type === "qris") fields.acquirer = method.acquirer;
  if (refunds.length > 0) {
    fields.refund_amount = money(refunds.reduce((sum, refund) => sum + refund.amount, 0));
    fields.refunds = refunds.map(refundEntry);
  }
  return fields;
}

function actions(transaction: Transaction, base: string): Json[] {
  const { id, method } = transaction;
  const get = (name: string, path: string) => ({ name, method: "GET", url: `${base}${path}` });
  if (method.type === "qris") {
    return [
      get("generate-qr-code", `/v2/qris/${id}/qr-code`),
      get("generate-qr-code-v2", `/v4/qris/${id}/qr-code`),
    ];
  }
  return [
    get("generate-qr-code", `/v2/gopay/${id}/qr-code`),
    get("deeplink-redirect", `/v2/gopay/${id}/deeplink`),
    get("get-status", `/v2/${id}/status`),
    { name: "cancel", method: "POST", url: `${base}/v2/${id}/cancel` },
  ];
}

const created: Record<string, string> = {
  qris: "QRIS transaction is created",
  gopay: "GoPay transaction is created",
  bank_transfer: "Success, Bank Transfer transaction is created",
  echannel: "OK, Mandiri Bill transaction is successful",
};

/** The answer of a charge: the QRIS sample names the time `expire_time`, all else `expiry_time`. */
export function chargeBody(transaction: Transaction, base: string, withQrString: boolean): Json {
  const { method } = transaction;
  const body: Json = {
    status_code: "201",
    status_message: created[method.type],
    ...commonFields(transaction),
  };
  if (method.type === "qris" || method.type === "gopay") {
    body.actions = actions(transaction, base);
    if (withQrString) body.qr_string = transaction.qrText;
  }
  if (method.type === "qris") body.acquirer = method.acquirer;
  body[method.type === "qris" ? "expire_time" : "expiry_time"] = wib(transaction.expiresAt);
  return body;
}

export function statusBody(transaction: Transaction, serverKey: string): Json {
  const code = statusCode(transaction.status, "407");
  return {
    status_code: code,
    status_message: code === "407" ? "Transaction is expired" : "Success, transaction is found",
    signature_key: signature(transaction.order.id, code, money(transaction.amount), serverKey),
    ...commonFields(transaction),
    ...progressFields(transaction),
  };
}

export function noticeBody(transaction: Transaction, serverKey: string): Json {
  const code = statusCode(transaction.status, "202");
  return {
    ...commonFields(transaction),
    ...progressFields(transaction),
    status_code: code,
    status_message: "midtrans payment notification",
    signature_key: signature(transaction.order.id, code, money(transaction.amount), serverKey),
  };
}

/** The answer of cancel, expire and refund. */
export function changeBody(transaction: Transaction, code: string, message: string): Json {
  return { status_code: code, status_message: message, ...commonFields(transaction) };
}
