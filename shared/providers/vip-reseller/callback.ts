import { z } from "zod";
import { md5Hex, timingSafeEqual } from "../../crypto/index.ts";
import { amountIdr, code, text } from "./fields.ts";
import { mapStatus, type SupplierStatus } from "./status.ts";

/** What of the request is looked at: any object whose `get` finds a header by its lower-case name. */
export interface CallbackHeaders {
  get(name: string): string | null | undefined;
}

/** What a verified callback claims. */
export interface SupplierCallback {
  /** `provider`: signed as the supplier documents it. `specification`: signed over `trx_id` and `status`. */
  form: "provider" | "specification";
  trxid: string;
  status: SupplierStatus;
  /** The word as it came, in lower case. */
  statusText: string;
  note: string;
  /** Documented nowhere by the supplier, so never preferred to the note. */
  sn: string | null;
  target: string | null;
  priceIdr: number | null;
}

interface Account {
  apiId: string;
  apiKey: string;
}

const HEADERS = ["x-client-signature", "x-vip-signature", "signature"] as const;

const Claim = z.object({
  trxid: code,
  status: z.string().min(1).max(50),
  note: text,
  sn: text,
  target: text,
  price: amountIdr.nullish().catch(null),
});

/**
 * Verifies and reads a callback: the supplier's own form (`X-Client-Signature` = md5(API_ID + API_KEY), `data` an
 * object or a list of one), or the specification's (`trx_id`, `status`, md5(trx_id + status + API_KEY)); as JSON or as
 * a form. Null where no signature is right, or nothing readable is signed.
 */
export async function readCallback(
  account: Account,
  rawBody: string,
  headers: CallbackHeaders,
): Promise<SupplierCallback | null> {
  const { apiId, apiKey } = account;
  // The signature of empty credentials is known to everybody.
  if (apiId === "" || apiKey === "") return null;
  const fields = claimedFields(rawBody);
  const claim = Claim.safeParse(fields);
  const given = HEADERS.map((name) => headers.get(name)?.trim().toLowerCase() ?? "");
  const own = md5Hex(apiId + apiKey);
  const spoken = `${String(fields?.trxid ?? "")}${String(fields?.status ?? "")}`;
  const specified = md5Hex(spoken + apiKey);
  // All are compared, so that the time tells nothing about which of them came near.
  const [byProvider] = await Promise.all([timingSafeEqual(given[0] ?? "", own)]);
  const bySpecification = await Promise.all(
    given.map((value) => timingSafeEqual(value, specified)),
  );
  if (!claim.success) return null;
  const flat = fields?.flat === true;
  if (!byProvider && !(flat && bySpecification.includes(true))) return null;
  const { trxid, status, note, sn, target, price } = claim.data;
  return {
    form: byProvider ? "provider" : "specification",
    trxid,
    status: mapStatus(status),
    statusText: status.trim().toLowerCase(),
    note,
    sn: sn || null,
    target: target || null,
    priceIdr: price ?? null,
  };
}

/** Whether a body names an order and a status in one of the forms, whoever sent it. */
export const isCallback = (rawBody: string): boolean =>
  Claim.safeParse(claimedFields(rawBody)).success;

type Fields = Record<string, unknown>;

/** The fields of the order that a body speaks of, under one spelling. `flat`: they stand on the top level. */
function claimedFields(rawBody: string): (Fields & { flat: boolean }) | null {
  const body = parsed(rawBody);
  if (!body) return null;
  const nested = nestedData(body.data);
  const source = nested ?? body;
  return {
    flat: nested === null,
    trxid: source.trxid ?? source.trx_id,
    status: source.status,
    note: source.note,
    sn: source.sn,
    // On the top level `data` is the target itself, inside `data` too.
    target: typeof source.data === "string" ? source.data : undefined,
    price: source.price,
  };
}

function nestedData(data: unknown): Fields | null {
  if (typeof data === "string" && /^\s*[[{]/.test(data)) return nestedData(json(data));
  const value: unknown = Array.isArray(data) ? data[0] : data;
  return isFields(value) ? value : null;
}

/** JSON, or a form in PHP's notation: `data[trxid]=…`, `data[0][trxid]=…`, or flat. */
function parsed(rawBody: string): Fields | null {
  const value = json(rawBody);
  if (value !== undefined) return isFields(value) ? value : null;
  if (!rawBody.includes("=")) return null;
  const body: Fields = {};
  const data: Fields = {};
  for (const [name, text] of new URLSearchParams(rawBody)) {
    const inner = /^data(?:\[0?\])?\[(\w{1,40})\]$/.exec(name)?.[1];
    if (inner === undefined) body[name] ??= text;
    else data[inner] ??= text;
  }
  return Object.keys(data).length > 0 ? { ...body, data } : body;
}

function json(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
