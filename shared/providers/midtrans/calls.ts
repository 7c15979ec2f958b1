import { z } from "zod";
import { type Http, ProviderError } from "../http.ts";
import { wholeIdr } from "../idr.ts";
import { judgeCore } from "./judge.ts";
import {
  chargeBody,
  PROVIDER,
  type QrisInput,
  type RefundInput,
  refundBody,
  type SnapInput,
  segment,
  snapBody,
  writeKey,
} from "./requests.ts";
import {
  type MidtransPayment,
  mapStatus,
  type PaymentStatus,
  Transaction,
  toPayment,
} from "./transaction.ts";

export interface QrisCharge {
  transactionId: string;
  /** The QR's content, to be drawn by us; else the picture at `qrImageUrl`. */
  qrString: string | null;
  qrImageUrl: string | null;
  expiresAt: Date | null;
  status: PaymentStatus;
}

const webUrl = z.url({ protocol: /^https?$/ });

const Charged = Transaction.extend({
  qr_string: z.string().min(1).nullish(),
  actions: z
    .array(z.object({ name: z.string(), url: webUrl.nullish().catch(null) }))
    .nullish()
    .catch(null),
});

const SnapCreated = z.object({ token: z.string().min(1), redirect_url: webUrl });

const Changed = z.object({
  status_code: z.string(),
  transaction_status: z.string().min(1),
  fraud_status: z.string().nullish(),
  refund_amount: wholeIdr.nullish(),
});

export async function chargeQris(core: Http, input: QrisInput): Promise<QrisCharge> {
  const charged = await core.request({
    method: "POST",
    path: "/v2/charge",
    json: chargeBody(input),
    headers: writeKey(input.idempotencyKey),
    schema: Charged,
    judge: judgeCore(["200", "201"]),
    idempotent: true,
  });
  if (charged.order_id !== input.providerRef || charged.gross_amount !== input.amountIdr) {
    throw contradiction("the charge is for another order or amount");
  }
  const { transactionId, expiresAt, status } = toPayment(charged);
  // By name, never by place: the order of the actions is not promised.
  const url = (name: string) => charged.actions?.find((action) => action.name === name)?.url;
  return {
    transactionId,
    qrString: charged.qr_string ?? null,
    qrImageUrl: url("generate-qr-code") ?? url("generate-qr-code-v2") ?? null,
    expiresAt,
    status,
  };
}

export async function createSnap(
  snap: Http,
  input: SnapInput,
): Promise<{ token: string; redirectUrl: string }> {
  const created = await snap.request({
    method: "POST",
    path: "/transactions",
    json: snapBody(input),
    headers: writeKey(input.idempotencyKey),
    schema: SnapCreated,
    idempotent: true,
  });
  return { token: created.token, redirectUrl: created.redirect_url };
}

export async function getStatus(core: Http, idOrRef: string): Promise<MidtransPayment | null> {
  try {
    const transaction = await core.request({
      method: "GET",
      path: `/v2/${segment(idOrRef)}/status`,
      schema: Transaction,
      judge: judgeCore(["200", "201", "202", "407"]),
      idempotent: true,
    });
    if (![transaction.order_id, transaction.transaction_id].includes(idOrRef)) {
      throw contradiction("the status is of another order");
    }
    return toPayment(transaction);
  } catch (error) {
    // The body's code, not the HTTP status: a proxy's 404 must not read as "never charged".
    if (error instanceof ProviderError && error.code === "404") return null;
    throw error;
  }
}

/** `accepted` are the body codes of success; the vendor's are not the same for each change. */
async function change(core: Http, path: string, accepted: string[], json?: unknown) {
  const changed = await core.request({
    method: "POST",
    path,
    ...(json === undefined ? {} : { json }),
    schema: Changed,
    judge: judgeCore(accepted),
    idempotent: true,
  });
  const status = mapStatus({
    statusCode: changed.status_code,
    transactionStatus: changed.transaction_status,
    fraudStatus: changed.fraud_status,
  });
  return { status, refundedIdr: changed.refund_amount ?? null };
}

export async function expire(core: Http, idOrRef: string): Promise<PaymentStatus> {
  const path = `/v2/${segment(idOrRef)}/expire`;
  return (await change(core, path, ["200", "202", "407"])).status;
}

export async function cancel(core: Http, idOrRef: string): Promise<PaymentStatus> {
  const path = `/v2/${segment(idOrRef)}/cancel`;
  return (await change(core, path, ["200", "202"])).status;
}

export async function refund(
  core: Http,
  input: RefundInput,
): Promise<{ status: PaymentStatus; refundedIdr: number | null }> {
  return await change(core, `/v2/${segment(input.ref)}/refund`, ["200"], refundBody(input));
}

function contradiction(what: string): ProviderError {
  return new ProviderError(
    PROVIDER,
    { kind: "bad_answer", retryable: false, outcome: "unknown" },
    `${PROVIDER}: ${what}`,
  );
}
