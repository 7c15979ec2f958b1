import { randomUUID } from "node:crypto";
import { type Json, parseJson } from "../common/fields.ts";
import { qrPng } from "../common/qr.ts";
import { type Handler, json, type TwinAnswer, type TwinRequest } from "../common/server.ts";
import { changeBody, chargeBody, money, statusBody } from "./bodies.ts";
import type { Midtrans } from "./engine.ts";
import { isRefusal, readCharge, readRefund } from "./input.ts";
import type { Refund, Transaction } from "./state.ts";

/** An error as Core answers it: HTTP 200 and the code in the body, save for a wrong key. */
export function coreError(code: string, message: string, extra: Json = {}): TwinAnswer {
  return json(code === "401" ? 401 : 200, {
    status_code: code,
    status_message: message,
    ...extra,
    id: randomUUID(),
  });
}

function unknown(): TwinAnswer {
  return coreError("404", "Transaction doesn't exist.");
}

/** The URLs to tell: those of the call's own headers, up to three, else the merchant's setting. */
export function notifyUrlsOf(midtrans: Midtrans, request: TwinRequest): string[] | null {
  const split = (value: string | undefined) =>
    (value ?? "")
      .split(",")
      .map((url) => url.trim())
      .filter(Boolean);
  const override = split(request.header("x-override-notification"));
  const append = split(request.header("x-append-notification"));
  if (override.length > 3 || append.length > 3) return null;
  if ([...override, ...append].some((url) => !URL.canParse(url))) return null;
  if (override.length > 0) return override;
  return [midtrans.notifyUrl, ...append].filter(Boolean);
}

function charge(midtrans: Midtrans, request: TwinRequest): TwinAnswer {
  const input = readCharge(parseJson(request.raw), midtrans.clock());
  if (isRefusal(input)) {
    if (input.code === "402") return coreError("402", input.messages.join(" "));
    return coreError("400", "One or more parameters in the payload is invalid.", {
      validation_messages: input.messages,
    });
  }
  const urls = notifyUrlsOf(midtrans, request);
  if (!urls) {
    return coreError("400", "One or more parameters in the payload is invalid.", {
      validation_messages: ["notification header must hold up to 3 URLs"],
    });
  }
  if (midtrans.isTaken(input.orderId)) {
    return coreError(
      "406",
      "The request could not be completed due to a conflict with the current state of the target resource, please try again",
    );
  }
  const order = midtrans.openOrder(input, request.raw, urls, null);
  const transaction = midtrans.openTransaction(order, input.method, input.expiresAt);
  const withoutQr = midtrans.dials.take("noQrString", request.raw, request.path);
  return json(200, chargeBody(transaction, midtrans.url, withoutQr === undefined));
}

function cancel(midtrans: Midtrans, transaction: Transaction): TwinAnswer {
  if (transaction.status !== "pending") {
    return coreError("412", "Transaction status cannot be updated.");
  }
  void midtrans.move(transaction, "cancel");
  return json(200, changeBody(transaction, "200", "Success, transaction is canceled"));
}

function expire(midtrans: Midtrans, transaction: Transaction): TwinAnswer {
  if (transaction.status !== "pending") {
    return coreError("412", "Transaction status cannot be updated.");
  }
  void midtrans.move(transaction, "expire");
  return json(200, changeBody(transaction, "407", "Success, transaction is expired"));
}

const dayMs = 86_400_000;

function refundWindowMs(transaction: Transaction): number {
  if (transaction.issuer === "airpay shopee") return 365 * dayMs;
  return (transaction.issuer === "gopay" ? 45 : 7) * dayMs;
}

/** Why a refund is refused (body codes of midtrans.md section 4), or null when it may go on. */
function refundProblem(
  midtrans: Midtrans,
  transaction: Transaction,
  amount: number | undefined,
): TwinAnswer | null {
  const { status, method, settledAt } = transaction;
  const refundable = method.type === "qris" || method.type === "gopay";
  const settled = status === "settlement" || status === "partial_refund";
  if (!refundable || !settled || settledAt === null) {
    return coreError("412", "Transaction status cannot be updated.");
  }
  if (midtrans.clock() > settledAt + refundWindowMs(transaction)) {
    return coreError("412", "Refund window has passed.");
  }
  const refunded = transaction.refunds.reduce((sum, refund) => sum + refund.amount, 0);
  const left = transaction.amount - refunded;
  if (amount !== undefined && (amount <= 0 || amount > left)) {
    return coreError("414", "Refund amount is invalid.");
  }
  const partial = amount !== undefined && amount < transaction.amount;
  if (partial && method.acquirer === "airpay shopee") {
    return coreError("414", "Partial refund is not supported by this payment type.");
  }
  return null;
}

function refundBody(transaction: Transaction, refund: Refund): Json {
  return {
    ...changeBody(transaction, "200", "Success, refund request is approved"),
    refund_chargeback_id: refund.chargebackId,
    refund_amount: money(refund.amount),
    refund_key: refund.key,
  };
}

function refund(midtrans: Midtrans, transaction: Transaction, request: TwinRequest): TwinAnswer {
  const input = readRefund(parseJson(request.raw || "{}"));
  if (isRefusal(input)) {
    return coreError("400", "One or more parameters in the payload is invalid.", {
      validation_messages: input.messages,
    });
  }
  if (transaction.refunds.some((one) => one.key === input.key)) {
    return coreError("406", "Duplicate refund key.");
  }
  const problem = refundProblem(midtrans, transaction, input.amount);
  if (problem) return problem;
  const refunded = transaction.refunds.reduce((sum, one) => sum + one.amount, 0);
  const amount = input.amount ?? transaction.amount - refunded;
  const key = input.key ?? randomUUID();
  const made = midtrans.addRefund(transaction, key, amount, input.reason);
  return json(200, refundBody(transaction, made));
}

/** Core API: charge, status, changes of state and the pictures of QR codes. */
export function coreRoutes(midtrans: Midtrans): Record<string, Handler> {
  const onTransaction =
    (run: (transaction: Transaction, request: TwinRequest) => TwinAnswer): Handler =>
    (request) => {
      const transaction = midtrans.find(request.params.id ?? "");
      return transaction ? run(transaction, request) : unknown();
    };
  const refunding = onTransaction((transaction, request) => refund(midtrans, transaction, request));
  const picture = onTransaction((transaction) => ({
    status: 200,
    headers: { "content-type": "image/png" },
    body: qrPng(transaction.qrText),
  }));
  return {
    "POST /v2/charge": (request) => charge(midtrans, request),
    "GET /v2/:id/status": onTransaction((transaction) =>
      json(200, statusBody(transaction, midtrans.serverKey)),
    ),
    "POST /v2/:id/cancel": onTransaction((transaction) => cancel(midtrans, transaction)),
    "POST /v2/:id/expire": onTransaction((transaction) => expire(midtrans, transaction)),
    "POST /v2/:id/refund": refunding,
    "POST /v2/:id/refund/online/direct": refunding,
    "GET /v2/qris/:id/qr-code": picture,
    "GET /v4/qris/:id/qr-code": picture,
    "GET /v2/gopay/:id/qr-code": picture,
  };
}
