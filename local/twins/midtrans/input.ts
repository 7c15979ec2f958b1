import { parseWib } from "../common/clock.ts";
import { Fields, isObject, type Json } from "../common/fields.ts";
import type { Method, PaymentType } from "./state.ts";

/** Known to Midtrans, not switched on for this merchant: answered with body code 402. */
const otherTypes = [
  "credit_card",
  "shopeepay",
  "dana",
  "ovo",
  "cstore",
  "akulaku",
  "kredivo",
  "cimb_clicks",
  "bca_klikpay",
  "bca_klikbca",
  "bri_epay",
  "danamon_online",
];
const ourTypes: readonly string[] = ["qris", "gopay", "bank_transfer", "echannel"];
export const banks = ["bca", "bni", "bri", "permata", "cimb"] as const;
export const qrisAcquirers = ["gopay", "airpay shopee"] as const;

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const unitMs: Record<string, number> = {
  second: 1000,
  minute: minuteMs,
  hour: 60 * minuteMs,
  day: dayMs,
};

export interface OrderInput {
  orderId: string;
  amount: number;
  itemNames: string[];
  customFields: Record<string, string>;
}

export interface ChargeInput extends OrderInput {
  method: Method;
  expiresAt: number;
}

export interface SnapInput extends OrderInput {
  expiresAt: number;
  expiryGiven: boolean;
  enabledPayments: string[];
  finishUrl: string;
}

function isPaymentType(type: string): type is PaymentType {
  return ourTypes.includes(type);
}

/** How long a method may stay unpaid: default and bounds of midtrans.md section 3. */
export function lifeOf(method: Method): { defaultMs: number; minMs: number; maxMs: number } {
  if (method.type === "qris" || method.type === "gopay") {
    const days = method.acquirer === "airpay shopee" ? 5 : 7;
    return { defaultMs: 15 * minuteMs, minMs: 20_000, maxMs: days * dayMs };
  }
  return { defaultMs: dayMs, minMs: minuteMs, maxMs: 180 * dayMs };
}

/** What Core charge and Snap share: the order, its items, the buyer. */
function readOrder(fields: Fields): OrderInput {
  const details = fields.inner("transaction_details");
  const orderId = details.text("order_id", {
    required: true,
    max: 50,
    pattern: /^[A-Za-z0-9\-_~.]+$/,
  });
  const amount = details.int("gross_amount", { required: true, min: 1 });
  const itemNames: string[] = [];
  if (fields.has("item_details")) {
    let sum = 0;
    fields.list("item_details", { min: 1 }).forEach((value, index) => {
      const item = fields.at("item_details", index, value);
      sum +=
        (item.int("price", { required: true }) ?? 0) *
        (item.int("quantity", { required: true, min: 1 }) ?? 0);
      itemNames.push(item.text("name", { required: true, max: 50 }) ?? "");
      if (typeof item.raw("id") !== "number") item.text("id", { max: 50 });
    });
    if (amount !== undefined && sum !== amount) {
      details.fail("gross_amount", "is not equal to the sum of item_details");
    }
  }
  if (fields.has("customer_details")) readCustomer(fields.inner("customer_details"));
  const customFields: Record<string, string> = {};
  for (const name of ["custom_field1", "custom_field2", "custom_field3"]) {
    const value = fields.text(name, { max: 255 });
    if (value !== undefined) customFields[name] = value;
  }
  if (fields.has("metadata") && !isObject(fields.raw("metadata"))) {
    fields.fail("metadata", "must be an object");
  }
  return { orderId: orderId ?? "", amount: amount ?? 0, itemNames, customFields };
}

function readCustomer(customer: Fields): void {
  customer.text("first_name", { max: 255 });
  customer.text("last_name", { max: 255 });
  customer.text("email", { max: 255, pattern: /^[^\s@]+@[^\s@]+\.[^\s@]+$/ });
  customer.text("phone", { max: 255 });
  if (customer.has("billing_address")) customer.inner("billing_address");
  if (customer.has("shipping_address")) customer.inner("shipping_address");
}

function readMethod(fields: Fields, type: PaymentType): Method {
  const method: Method = { type, acquirer: "", bank: "", vaNumber: "" };
  if (type === "qris") {
    const wanted = fields.has("qris")
      ? fields.inner("qris").text("acquirer", { oneOf: qrisAcquirers })
      : undefined;
    return { ...method, acquirer: wanted ?? "gopay" };
  }
  if (type === "gopay") {
    if (fields.has("gopay")) fields.inner("gopay").text("callback_url");
    return { ...method, acquirer: "gopay" };
  }
  if (type === "bank_transfer") {
    const transfer = fields.inner("bank_transfer");
    const bank = transfer.text("bank", { required: true, oneOf: banks }) ?? "";
    const vaNumber = transfer.text("va_number", { max: 18, pattern: /^\d+$/ }) ?? "";
    return { ...method, bank, vaNumber };
  }
  const bill = fields.inner("echannel");
  bill.text("bill_info1", { required: true });
  bill.text("bill_info2", { required: true });
  return { ...method, bank: "mandiri" };
}

function readTime(fields: Fields, name: string, now: number): number {
  const text = fields.text(name);
  if (text === undefined) return now;
  const at = parseWib(text);
  if (at === null) fields.fail(name, "format is invalid");
  return at ?? now;
}

/** `{order_time, expiry_duration, unit}` to the moment it ends, within the method's bounds. */
function readCustomExpiry(fields: Fields, method: Method, now: number): number {
  const life = lifeOf(method);
  if (!fields.has("custom_expiry")) return now + life.defaultMs;
  const expiry = fields.inner("custom_expiry");
  const start = readTime(expiry, "order_time", now);
  const duration = expiry.int("expiry_duration", { required: true, min: 1 }) ?? 0;
  const unit = expiry.text("unit", { oneOf: ["second", "minute", "hour", "day"] }) ?? "minute";
  const lasts = duration * (unitMs[unit] ?? minuteMs);
  if (lasts < life.minMs || lasts > life.maxMs) {
    expiry.fail("expiry_duration", "is outside the range of this payment type");
  }
  if (start + lasts <= now) expiry.fail("expiry_duration", "ends in the past");
  return start + lasts;
}

export type Refusal = { code: "400" | "402"; messages: string[] };

/** Reads the body of POST /v2/charge, or says why Midtrans would refuse it. */
export function readCharge(body: unknown, now: number): ChargeInput | Refusal {
  const fields = new Fields(body);
  const type = fields.text("payment_type", { required: true }) ?? "";
  if (otherTypes.includes(type)) {
    return { code: "402", messages: ["Payment channel is not activated."] };
  }
  const order = readOrder(fields);
  if (!isPaymentType(type)) {
    if (type) fields.fail("payment_type", "is not supported");
    return { code: "400", messages: fields.errors };
  }
  const method = readMethod(fields, type);
  const expiresAt = readCustomExpiry(fields, method, now);
  if (fields.errors.length > 0) return { code: "400", messages: fields.errors };
  return { ...order, method, expiresAt };
}

/** Reads the body of POST /snap/v1/transactions. */
export function readSnap(body: unknown, now: number): SnapInput | Refusal {
  const fields = new Fields(body);
  const order = readOrder(fields);
  const enabledPayments: string[] = [];
  for (const [index, value] of fields.list("enabled_payments").entries()) {
    if (typeof value === "string") enabledPayments.push(value);
    else fields.fail(`enabled_payments[${index}]`, "must be a string");
  }
  const finish = fields.has("callbacks") ? fields.inner("callbacks").text("finish") : undefined;
  if (finish !== undefined && !URL.canParse(finish)) {
    fields.fail("callbacks.finish", "format is invalid");
  }
  let expiresAt = now + dayMs;
  if (fields.has("expiry")) {
    const expiry = fields.inner("expiry");
    const start = readTime(expiry, "start_time", now);
    const duration = expiry.int("duration", { required: true, min: 1 }) ?? 0;
    const unit = expiry.text("unit", {
      required: true,
      oneOf: ["minute", "minutes", "hour", "hours", "day", "days"],
    });
    expiresAt = start + duration * (unitMs[(unit ?? "minute").replace(/s$/, "")] ?? minuteMs);
    if (expiresAt <= now) expiry.fail("duration", "ends in the past");
  }
  if (fields.errors.length > 0) return { code: "400", messages: fields.errors };
  return {
    ...order,
    expiresAt,
    expiryGiven: fields.has("expiry"),
    enabledPayments,
    finishUrl: finish ?? "",
  };
}

export interface RefundInput {
  key: string | undefined;
  amount: number | undefined;
  reason: string;
}

export function readRefund(body: unknown): RefundInput | Refusal {
  const fields = new Fields(body === null ? {} : body);
  const key = fields.text("refund_key", { max: 255 });
  const amount = fields.int("amount");
  const reason = fields.text("reason", { max: 255 }) ?? "";
  if (fields.errors.length > 0) return { code: "400", messages: fields.errors };
  return { key, amount, reason };
}

export function isRefusal(value: Json | object): value is Refusal {
  return "messages" in value && "code" in value;
}
