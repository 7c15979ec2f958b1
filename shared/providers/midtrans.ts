import { basicAuth } from "../crypto/index.ts";
import { createHttp, type Fetch } from "./http.ts";
import {
  cancel,
  chargeQris,
  createSnap,
  expire,
  getStatus,
  type QrisCharge,
  refund,
} from "./midtrans/calls.ts";
import { judgeSnap } from "./midtrans/judge.ts";
import { type MidtransNotice, verifyNotice } from "./midtrans/notice.ts";
import { PROVIDER, type QrisInput, type RefundInput, type SnapInput } from "./midtrans/requests.ts";
import type { MidtransPayment, PaymentStatus } from "./midtrans/transaction.ts";

export type { QrisCharge } from "./midtrans/calls.ts";
export type { MidtransNotice } from "./midtrans/notice.ts";
export type { Customer, Item, QrisInput, RefundInput, SnapInput } from "./midtrans/requests.ts";
export { type MidtransPayment, mapStatus, type PaymentStatus } from "./midtrans/transaction.ts";

export interface MidtransOptions {
  serverKey: string;
  /** Without `/v2`: `https://api.midtrans.com`. */
  coreUrl: string;
  /** With `/snap/v1`: `https://app.midtrans.com/snap/v1`. */
  snapUrl: string;
  timeoutMs: number;
  fetch: Fetch;
  random?: () => number;
  sleep?: (ms: number) => Promise<void>;
}

/** Midtrans' Core API and Snap. Every failure is a `ProviderError`. */
export interface Midtrans {
  /**
   * Starts a QRIS payment (providers/midtrans.md §3). After an `unknown` outcome the charge may exist: look it up
   * with `getStatus(providerRef)` before charging under another reference.
   */
  chargeQris(input: QrisInput): Promise<QrisCharge>;
  /** Opens a hosted payment page (providers/midtrans.md §3, Snap). It has no status until a method is chosen. */
  createSnap(input: SnapInput): Promise<{ token: string; redirectUrl: string }>;
  /**
   * What Midtrans knows of an order or transaction id (providers/midtrans.md §4), or null when it knows nothing:
   * also for a Snap order before its buyer picks a method.
   */
  getStatus(idOrRef: string): Promise<MidtransPayment | null>;
  /** Ends a pending payment as expired (providers/midtrans.md §4). Code 412: not pending; 404: not known. */
  expire(idOrRef: string): Promise<PaymentStatus>;
  /** Cancels before settlement (providers/midtrans.md §4). Code 412: too late; 404: not known. */
  cancel(idOrRef: string): Promise<PaymentStatus>;
  /**
   * Gives money back after settlement (providers/midtrans.md §4). Repeatable for 7 days under the same `refundKey`.
   * Codes: 406 key used before (outcome unknown, ask for the status), 412 not allowed, 414 amount or balance.
   */
  refund(input: RefundInput): Promise<{ status: PaymentStatus; refundedIdr: number | null }>;
  /**
   * Checks and reads a notification (providers/midtrans.md §6); null when it is not Midtrans' own. Confirm with
   * `getStatus`, same order and amount, before money moves: the status word is not signed.
   */
  verifyNotice(rawBody: string): Promise<MidtransNotice | null>;
}

/** The client of one Midtrans account. */
export function createMidtrans(options: MidtransOptions): Midtrans {
  const shared = {
    ...options,
    provider: PROVIDER,
    headers: { authorization: basicAuth(options.serverKey, "") },
  };
  const core = createHttp({ ...shared, baseUrl: options.coreUrl });
  const snap = createHttp({ ...shared, baseUrl: options.snapUrl, judge: judgeSnap });
  return {
    chargeQris: (input) => chargeQris(core, input),
    createSnap: (input) => createSnap(snap, input),
    getStatus: (idOrRef) => getStatus(core, idOrRef),
    expire: (idOrRef) => expire(core, idOrRef),
    cancel: (idOrRef) => cancel(core, idOrRef),
    refund: (input) => refund(core, input),
    verifyNotice: (rawBody) => verifyNotice(options.serverKey, rawBody),
  };
}
