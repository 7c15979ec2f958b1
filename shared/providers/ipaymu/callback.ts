import { z } from "zod";
import { hmacSha256Hex, timingSafeEqual } from "../../crypto/index.ts";
import { wholeIdr } from "../idr.ts";
import { isStorable } from "../storable.ts";
import { phpJsonSorted } from "./php-json.ts";
import { type Account, signRequest } from "./signature.ts";
import { type IpaymuStatus, statusCode, transactionId } from "./transaction.ts";

/** What a callback says: where to look, never what is true (providers/ipaymu.md §4: its key is no secret). */
export interface IpaymuNotice {
  transactionId: string;
  providerRef: string;
  status: IpaymuStatus;
  /** What was charged, null where the callback does not say; NaN, which equals no amount, where it is unreadable. */
  amountIdr: number | null;
  /** Equal for every delivery of the same news, another for every next news of the payment. */
  eventKey: string;
}

/** Where a callback may be signed: `X-Signature` as iPaymu does it, `signature` as the specification says. */
export interface CallbackSignatures {
  xSignature?: string | null | undefined;
  signature?: string | null | undefined;
}

type Fields = [string, unknown][];

/** Whether a callback, exactly as received, carries a signature that only we and iPaymu (should) know how to make. */
export async function isSigned(
  account: Account,
  rawBody: string,
  signatures: CallbackSignatures,
): Promise<boolean> {
  const fields = fieldsOf(rawBody);
  if (!fields) return false;
  const own = signatures.xSignature ?? fields.find(([name]) => name === "signature")?.[1];
  if (await matches(own, await canonicalSignatures(account, fields))) return true;
  const request = signatures.signature;
  return await matches(request, request ? [await signRequest(account, "POST", rawBody)] : []);
}

async function matches(claimed: unknown, expected: readonly string[]): Promise<boolean> {
  if (typeof claimed !== "string" || !/^[0-9a-f]{64}$/i.test(claimed)) return false;
  const lower = claimed.toLowerCase();
  const equal = await Promise.all(expected.map((one) => timingSafeEqual(one, lower)));
  return equal.includes(true);
}

/**
 * The forms in which iPaymu may have signed these fields. Its own sources differ on letters outside ASCII, on empty
 * values (of which a form may lack one) and on figures as numbers (providers/ipaymu.md §4), and no genuine signature
 * has settled it.
 */
async function canonicalSignatures({ va }: Account, all: Fields): Promise<string[]> {
  const fields = all.filter(([name]) => name !== "signature");
  const isWhole = fields.some(([name]) => name === "payment_no");
  const whole: Fields = isWhole ? fields : [...fields, ["payment_no", ""]];
  const texts = new Set<string>();
  for (const some of [fields, whole, withNumbers(fields), withNumbers(whole)]) {
    const filled = some.filter(([, value]) => value !== "" && value !== null);
    for (const rawUnicode of [false, true]) {
      texts.add(phpJsonSorted(some, { rawUnicode }));
      texts.add(phpJsonSorted(filled, { rawUnicode }));
    }
  }
  return await Promise.all([...texts].map((text) => hmacSha256Hex(va, text)));
}

const FIGURES = ["sub_total", "total", "amount", "fee"];

function withNumbers(fields: Fields): Fields {
  return fields.map(([name, value]) => {
    const isFigure = FIGURES.includes(name) && /^(0|[1-9]\d{0,14})$/.test(String(value));
    return [name, isFigure || typeof value === "boolean" ? Number(value) : value];
  });
}

/** The fields of a JSON or a form body, with the types that are signed. */
function fieldsOf(rawBody: string): Fields | null {
  if (/^\s*[[{]/.test(rawBody)) return jsonFields(rawBody);
  const form = new Map(new URLSearchParams(rawBody));
  if (form.size === 0) return null;
  const fields: Fields = [...form].map(([name, value]) => [name, typed(name, value)]);
  if (!form.has("additional_info")) fields.push(["additional_info", []]);
  return fields;
}

function jsonFields(rawBody: string): Fields | null {
  try {
    const body: unknown = JSON.parse(rawBody);
    if (typeof body !== "object" || body === null || Array.isArray(body)) return null;
    return Object.entries(body);
  } catch {
    return null;
  }
}

const INTEGERS = ["trx_id", "status_code", "transaction_status_code", "paid_off"];
const FLAGS: Record<string, boolean> = { "1": true, true: true, "0": false, false: false };

/** A form knows texts only; iPaymu signs before it makes them texts. */
function typed(name: string, value: string): unknown {
  if (INTEGERS.includes(name) && /^(0|-?[1-9]\d{0,14})$/.test(value)) return Number(value);
  if (name === "is_escrow") return FLAGS[value] ?? value;
  if (name === "additional_info" && (value === "[]" || value === "")) return [];
  return value;
}

const amount = wholeIdr.nullish().catch(Number.NaN);
const Told = z.object({
  trx_id: transactionId,
  reference_id: z.string().min(1).max(64),
  status: z.union([z.string(), z.number()]).nullish().catch(null),
  status_code: statusCode.nullish().catch(null),
  transaction_status_code: statusCode.nullish().catch(null),
  sub_total: amount,
  total: amount,
  amount,
});

/** Reads a callback without judging it; null for what is none, or could not be kept. */
export function readCallback(rawBody: string): IpaymuNotice | null {
  const fields = fieldsOf(rawBody);
  const told = fields && Told.safeParse(Object.fromEntries(fields));
  if (!told?.success) return null;
  const { trx_id, reference_id, status, status_code, transaction_status_code } = told.data;
  const code = status_code ?? statusCode.safeParse(status).data ?? null;
  const eventKey = [trx_id, reference_id, code ?? status, transaction_status_code].join("/");
  if (!isStorable(rawBody) || !isStorable(eventKey)) return null;
  return {
    transactionId: trx_id,
    providerRef: reference_id,
    status: mapCallbackStatus(code, String(status ?? "")),
    // Without a fee on the buyer's side these are one figure; the first is the price.
    amountIdr: told.data.sub_total ?? told.data.total ?? told.data.amount ?? null,
    eventKey,
  };
}

/**
 * The callback's codes (providers/ipaymu.md §4). -2 is "expired" at the real iPaymu and "failed" in the specification,
 * which has -1 for expired; an unknown code is neither paid nor over.
 */
export function mapCallbackStatus(code: number | null, word: string): IpaymuStatus {
  switch (code) {
    case 1:
    case 6:
      return "paid";
    case 0:
      return "pending";
    case -1:
      return "expired";
    case -2:
      return /gagal|fail/i.test(word) ? "failed" : "expired";
    default:
      return "review";
  }
}
