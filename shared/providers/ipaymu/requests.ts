import { invalidInput } from "../provider-error.ts";
import { formatWib } from "../wib-time.ts";

export const PROVIDER = "ipaymu";

export interface RedirectInput {
  /** Our reference. iPaymu has no idempotency key: each call opens another page, under the same reference too. */
  providerRef: string;
  amountIdr: number;
  /** What the payer reads on the page. */
  product: string;
  expiryMinutes: number;
  returnUrl: string;
  cancelUrl: string;
  notifyUrl: string;
  buyer?: { name?: string; email?: string; phone?: string };
}

/** In the order of the vendor's samples. The merchant bears the fee, so that price, total and amount are one figure. */
export function redirectBody(input: RedirectInput): Record<string, unknown> {
  const { buyer } = input;
  if (!/^[\w.-]{1,64}$/.test(input.providerRef)) {
    throw invalidInput(PROVIDER, "the reference is not 1 to 64 plain characters");
  }
  if (!Number.isSafeInteger(input.amountIdr) || input.amountIdr < 1) {
    throw invalidInput(PROVIDER, "the amount is not a positive whole number of rupiah");
  }
  return {
    product: [input.product.slice(0, 255)],
    qty: [1],
    price: [input.amountIdr],
    description: [input.product.slice(0, 255)],
    returnUrl: input.returnUrl,
    notifyUrl: input.notifyUrl,
    cancelUrl: input.cancelUrl,
    referenceId: input.providerRef,
    ...(buyer?.name && { buyerName: buyer.name.slice(0, 255) }),
    ...(buyer?.email && { buyerEmail: buyer.email }),
    ...(buyer?.phone && { buyerPhone: buyer.phone }),
    ...expiry(input.expiryMinutes),
    feeDirection: "MERCHANT",
  };
}

/** Whole hours in the form that all sources know, anything else in minutes. */
function expiry(minutes: number): Record<string, unknown> {
  if (!Number.isInteger(minutes) || minutes < 1) {
    throw invalidInput(PROVIDER, "the expiry is not a positive whole number of minutes");
  }
  return minutes % 60 === 0
    ? { expired: minutes / 60, expiredType: "hours" }
    : { expired: minutes, expiredType: "minutes" };
}

/** The zone of iPaymu's days is not documented: eight hours earlier, the first day is right in any that it may be. */
const ZONE_DOUBT_MS = 8 * 3_600_000;

/** A page of the transactions of that time on, newest first. */
export function historyBody(since: Date, now: Date, page: number): Record<string, unknown> {
  const day = (at: number) => formatWib(new Date(at)).slice(0, 10);
  return {
    date: "created_at",
    startdate: day(since.getTime() - ZONE_DOUBT_MS),
    enddate: day(now.getTime() + ZONE_DOUBT_MS),
    page,
    limit: 20,
    orderBy: "id",
    order: "DESC",
  };
}
