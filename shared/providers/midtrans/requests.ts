import { invalidInput } from "../provider-error.ts";
import { formatWib } from "../wib-time.ts";

export const PROVIDER = "midtrans";

export interface Item {
  id: string;
  name: string;
  priceIdr: number;
  quantity: number;
}

export interface Customer {
  name?: string;
  email?: string;
  phone?: string;
}

export interface QrisInput {
  /** Our order id at Midtrans: at most 50 of letters, digits and `-_~.`, never used twice. */
  providerRef: string;
  amountIdr: number;
  orderTime: Date;
  expiryMinutes: number;
  /** Must add up to `amountIdr`; a discount is an item with a negative price. */
  items?: Item[];
  customer?: Customer;
  /** At most 36 characters, one per charge. */
  idempotencyKey: string;
}

export interface SnapInput extends Omit<QrisInput, "orderTime"> {
  startTime: Date;
  finishUrl?: string;
}

export interface RefundInput {
  /** Order or transaction id. */
  ref: string;
  /** One per refund: what makes a repeat harmless. */
  refundKey: string;
  amountIdr: number;
  reason: string;
}

/** An order or transaction id as one path segment (the vendor's own client forgets to escape it). */
export function segment(idOrRef: string): string {
  if (!/^[A-Za-z0-9_~.-]{1,64}$/.test(idOrRef) || /^\.+$/.test(idOrRef)) {
    throw invalidInput(PROVIDER, "the id has characters that Midtrans does not allow");
  }
  return encodeURIComponent(idOrRef);
}

/** Longer keys are silently ignored, which would undo their purpose (providers/midtrans.md §7). */
export function writeKey(idempotencyKey: string): Record<string, string> {
  if (!/^[\x21-\x7e]{1,36}$/.test(idempotencyKey)) {
    throw invalidInput(PROVIDER, "the idempotency key is not 1 to 36 plain characters");
  }
  return { "idempotency-key": idempotencyKey };
}

export function chargeBody(input: QrisInput): Record<string, unknown> {
  return {
    payment_type: "qris",
    ...common(input),
    qris: { acquirer: "gopay" },
    custom_expiry: {
      order_time: zoned(input.orderTime),
      expiry_duration: minutes(input.expiryMinutes),
      unit: "minute",
    },
  };
}

export function snapBody(input: SnapInput): Record<string, unknown> {
  return {
    ...common(input),
    expiry: {
      start_time: zoned(input.startTime),
      duration: minutes(input.expiryMinutes),
      unit: "minute",
    },
    ...(input.finishUrl === undefined ? {} : { callbacks: { finish: input.finishUrl } }),
  };
}

export function refundBody(input: RefundInput): Record<string, unknown> {
  return {
    refund_key: input.refundKey,
    amount: amount(input.amountIdr),
    reason: input.reason.slice(0, 255),
  };
}

type Common = Pick<QrisInput, "providerRef" | "amountIdr" | "items" | "customer">;

function common({ providerRef, amountIdr, items, customer }: Common): Record<string, unknown> {
  if (!/^[A-Za-z0-9_~.-]{1,50}$/.test(providerRef)) {
    throw invalidInput(PROVIDER, "the order id is not 1 to 50 allowed characters");
  }
  const sum = items?.reduce((total, item) => total + item.priceIdr * item.quantity, 0);
  if (sum !== undefined && sum !== amountIdr) {
    throw invalidInput(PROVIDER, "the items do not add up to the amount");
  }
  return {
    transaction_details: { order_id: providerRef, gross_amount: amount(amountIdr) },
    ...(items && {
      item_details: items.map((item) => ({
        id: item.id.slice(0, 50),
        price: item.priceIdr,
        quantity: item.quantity,
        name: item.name.slice(0, 50),
      })),
    }),
    ...(customer && {
      customer_details: {
        ...(customer.name && { first_name: customer.name.slice(0, 255) }),
        ...(customer.email && { email: customer.email }),
        ...(customer.phone && { phone: customer.phone }),
      },
    }),
  };
}

/** Requests carry whole rupiah without decimals; answers have two (providers/midtrans.md §2). */
function amount(amountIdr: number): number {
  if (!Number.isSafeInteger(amountIdr) || amountIdr < 1) {
    throw invalidInput(PROVIDER, "the amount is not a positive whole number of rupiah");
  }
  return amountIdr;
}

function minutes(expiryMinutes: number): number {
  if (!Number.isInteger(expiryMinutes) || expiryMinutes < 1) {
    throw invalidInput(PROVIDER, "the expiry is not a positive whole number of minutes");
  }
  return expiryMinutes;
}

/** The vendor's request samples name the zone; its answers leave it out. */
function zoned(at: Date): string {
  return `${formatWib(at)} +0700`;
}
