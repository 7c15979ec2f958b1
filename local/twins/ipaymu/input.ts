import { parseWib } from "../common/clock.ts";
import { Fields } from "../common/fields.ts";
import { type Channel, channelsOf, findChannel, methods } from "./channels.ts";
import type { Session } from "./state.ts";

export type SessionInput = Omit<Session, "sid" | "text" | "createdAt" | "transaction">;

export interface DirectInput extends SessionInput {
  channel: Channel;
}

/** Wrong fields and what is wrong with each, as `Error` of a refusal shows them. */
export interface Refusal {
  wrong: Record<string, string[]>;
}

export function isRefusal(value: object): value is Refusal {
  return "wrong" in value;
}

function refusalOf(fields: Fields): Refusal | null {
  if (fields.errors.length === 0) return null;
  const wrong: Record<string, string[]> = {};
  for (const error of fields.errors) {
    const [path = "", ...words] = error.split(" ");
    wrong[path] = [...(wrong[path] ?? []), `The ${path} ${words.join(" ")}.`];
  }
  return { wrong };
}

const hourMs = 3_600_000;
const unitMs: Record<string, number> = {
  days: 24 * hourMs,
  hours: hourMs,
  minutes: 60_000,
  seconds: 1000,
};
const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

function url(fields: Fields, name: string, required: boolean): string {
  const value = fields.text(name, { required });
  if (value === undefined) return "";
  const parsed = URL.canParse(value) ? new URL(value).protocol : "";
  if (parsed !== "http:" && parsed !== "https:") fields.fail(name, "format is invalid");
  return value;
}

/** What both kinds of payment share. */
function readCommon(
  fields: Fields,
  merchant: { va: string; feeDirection: Session["feeDirection"] },
): Omit<SessionInput, "price" | "products" | "buyer" | "method" | "referenceId"> {
  const account = fields.text("account");
  if (account !== undefined && account !== merchant.va) fields.fail("account", "is not yours");
  const life = fields.int("expired", { min: 1 }) ?? 24;
  const unit = fields.text("expiredType", { oneOf: Object.keys(unitMs) }) ?? "hours";
  const direction = fields.text("feeDirection", { oneOf: ["BUYER", "MERCHANT"] });
  fields.text("lang");
  return {
    notifyUrl: url(fields, "notifyUrl", true),
    returnUrl: "",
    cancelUrl: "",
    feeDirection:
      direction === "BUYER" || direction === "MERCHANT" ? direction : merchant.feeDirection,
    comments: fields.text("comments") ?? "",
    escrow: ["true", "1"].includes(String(fields.raw("escrow"))),
    lifeMs: life * (unitMs[unit] ?? hourMs),
  };
}

/** The rows of the cart: arrays of one length, whose price times quantity is what is to be paid. */
function readCart(fields: Fields): { price: number; products: string[] } {
  const names = ["product", "qty", "price", "description"];
  const lists = names.map((name) => fields.list(name, { required: true, min: 1 }));
  const [products = [], quantities = [], prices = [], descriptions = []] = lists;
  lists.forEach((list, index) => {
    if (list.length > 0 && list.length !== products.length) {
      fields.fail(names[index] ?? "", "must have as many items as product");
    }
  });
  const wholes = (name: string, values: unknown[]) => {
    const good = values.every((value) => Number.isSafeInteger(value) && Number(value) >= 1);
    if (!good) fields.fail(name, "must hold integers above 0");
  };
  const texts = (name: string, values: unknown[]) => {
    const good = values.every((value) => typeof value === "string" && value !== "");
    if (!good) fields.fail(name, "must hold strings");
  };
  wholes("qty", quantities);
  wholes("price", prices);
  texts("product", products);
  texts("description", descriptions);
  const price = prices.reduce(
    (sum: number, value, index) => sum + Number(value) * Number(quantities[index]),
    0,
  );
  return { price, products: products.map(String) };
}

/** `POST /payment`: the hosted page. */
export function readPayment(
  value: unknown,
  merchant: { va: string; feeDirection: Session["feeDirection"] },
): SessionInput | Refusal {
  const fields = new Fields(value);
  const input: SessionInput = {
    ...readCommon(fields, merchant),
    ...readCart(fields),
    returnUrl: url(fields, "returnUrl", true),
    cancelUrl: url(fields, "cancelUrl", true),
    referenceId: fields.text("referenceId", { max: 255 }) ?? null,
    method: fields.text("paymentMethod", { oneOf: methods }) ?? null,
    buyer: {
      name: fields.text("buyerName", { max: 255 }) ?? "",
      email: fields.text("buyerEmail", { max: 255, pattern: email }) ?? "",
      phone: fields.text("buyerPhone", { max: 30 }) ?? "",
    },
  };
  return refusalOf(fields) ?? input;
}

/** `POST /payment/direct`: one channel, chosen by the merchant. */
export function readDirect(
  value: unknown,
  merchant: { va: string; feeDirection: Session["feeDirection"] },
): DirectInput | Refusal {
  const fields = new Fields(value);
  const method = fields.text("paymentMethod", { required: true, oneOf: methods }) ?? "";
  const code = fields.text("paymentChannel", { required: true }) ?? "";
  const channel = findChannel(method, code);
  if (method && code && !channel) {
    const known = channelsOf(method).map((one) => one.code);
    fields.fail("paymentChannel", `must be one of ${known.join(", ")}`);
  }
  const input: SessionInput = {
    ...readCommon(fields, merchant),
    returnUrl: url(fields, "successUrl", false),
    price: fields.int("amount", { required: true, min: 1 }) ?? 0,
    products: [],
    referenceId: fields.text("referenceId", { required: true, max: 255 }) ?? null,
    method,
    buyer: {
      name: fields.text("name", { required: true, max: 255 }) ?? "",
      email: fields.text("email", { required: true, max: 255, pattern: email }) ?? "",
      phone: fields.text("phone", { required: true, max: 30 }) ?? "",
    },
  };
  const refusal = refusalOf(fields);
  if (refusal) return refusal;
  if (!channel) return { wrong: { paymentChannel: ["The paymentChannel is invalid."] } };
  return { ...input, channel };
}

export interface HistoryInput {
  id: number | null;
  status: number | null;
  fromMs: number | null;
  untilMs: number | null;
  page: number;
  limit: number;
  oldestFirst: boolean;
}

/** A whole number that PHP clients also send as text. */
function loose(fields: Fields, name: string, min: number, max: number): number | null {
  const value = fields.raw(name);
  if (value === undefined || value === null || value === "") return null;
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= min) {
    if (number <= max) return number;
  }
  fields.fail(name, `must be an integer from ${min} to ${max}`);
  return null;
}

function day(fields: Fields, name: string): number | null {
  const value = fields.text(name);
  if (value === undefined) return null;
  const ms = parseWib(value.length === 10 ? `${value} 00:00:00` : value);
  if (ms === null) fields.fail(name, "must be YYYY-MM-DD");
  return ms;
}

/** `POST /history`: the documented filters; neither the reference nor the session is one of them. */
export function readHistory(value: unknown): HistoryInput | Refusal {
  const fields = new Fields(value);
  fields.text("date", { oneOf: ["created_at", "indate"] });
  const untilMs = day(fields, "enddate");
  const wholeDay = String(fields.raw("enddate")).length === 10;
  const order = fields.text("order", { oneOf: ["asc", "desc", "ASC", "DESC"] });
  const input: HistoryInput = {
    id: loose(fields, "id", 1, Number.MAX_SAFE_INTEGER),
    status: loose(fields, "status", -2, 7),
    fromMs: day(fields, "startdate"),
    untilMs: untilMs !== null && wholeDay ? untilMs + 24 * hourMs : untilMs,
    page: loose(fields, "page", 1, 1_000_000) ?? 1,
    limit: loose(fields, "limit", 1, 20) ?? 20,
    oldestFirst: order?.toLowerCase() === "asc",
  };
  return refusalOf(fields) ?? input;
}

/** `POST /transaction`: iPaymu's own number, as a number or a text of digits. */
export function readTransactionId(value: unknown, va: string): { id: number } | Refusal {
  const fields = new Fields(value);
  const account = fields.text("account");
  if (account !== undefined && account !== va) fields.fail("account", "is not yours");
  const id = loose(fields, "transactionId", 1, Number.MAX_SAFE_INTEGER);
  if (id === null && fields.errors.length === 0) fields.fail("transactionId", "is required");
  return refusalOf(fields) ?? { id: id ?? 0 };
}

/** `POST /balance`: the account is required and must be the caller's own. */
export function readBalance(value: unknown, va: string): Refusal | null {
  const fields = new Fields(value);
  const account = fields.text("account", { required: true });
  if (account !== undefined && account !== va) fields.fail("account", "is not yours");
  return refusalOf(fields);
}
