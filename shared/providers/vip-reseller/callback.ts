import { z } from "zod";
import { md5Hex, timingSafeEqual } from "../../crypto/index.ts";
import { isStorable } from "../storable.ts";
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
  status: z.string().min(1).max(50).refine(isStorable),
  note: text,
  sn: text,
  target: text,
  price: amountIdr.nullish().catch(null),
});

/** A callback that lists more is no real one. */
const MOST_LISTED = 200;

/**
 * Verifies and reads a callback: the supplier's own form (`X-Client-Signature` = md5(API_ID + API_KEY), `data` an
 * object or a list), or the specification's (`trx_id`, `status`, md5(trx_id + status + API_KEY)); as JSON or as a form.
 * Every order that it readably names; none where no signature is right.
 */
export async function readCallbacks(
  account: Account,
  rawBody: string,
  headers: CallbackHeaders,
): Promise<SupplierCallback[]> {
  const { apiId, apiKey } = account;
  // The signature of empty credentials is known to everybody.
  if (apiId === "" || apiKey === "") return [];
  const named = claimedOrders(rawBody);
  const [first] = named;
  const given = HEADERS.map((name) => headers.get(name)?.trim().toLowerCase() ?? "");
  const own = md5Hex(apiId + apiKey);
  const spoken = `${wordOf(first?.trxid)}${wordOf(first?.status)}`;
  const specified = md5Hex(spoken + apiKey);
  // All are compared, so that the time tells nothing about which of them came near.
  const [byProvider] = await Promise.all([timingSafeEqual(given[0] ?? "", own)]);
  const bySpecification = await Promise.all(
    given.map((value) => timingSafeEqual(value, specified)),
  );
  if (!byProvider && !(first?.flat === true && bySpecification.includes(true))) return [];
  const form = byProvider ? "provider" : "specification";
  return named.flatMap((fields) => callbackOf(form, fields) ?? []);
}

/** Whether it carries the supplier's own signature, which is the same on all that it sends, whatever the body says. */
export async function carriesSignature(
  { apiId, apiKey }: Account,
  headers: CallbackHeaders,
): Promise<boolean> {
  if (apiId === "" || apiKey === "") return false;
  const given = headers.get(HEADERS[0])?.trim().toLowerCase() ?? "";
  return await timingSafeEqual(given, md5Hex(apiId + apiKey));
}

/** What a signature is made over; an object has no text, or throws when it is asked for one. */
const wordOf = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : "";

function callbackOf(form: SupplierCallback["form"], fields: Fields): SupplierCallback | null {
  const claim = Claim.safeParse(fields);
  if (!claim.success) return null;
  const { trxid, status, note, sn, target, price } = claim.data;
  return {
    form,
    trxid,
    status: mapStatus(status),
    statusText: status.trim().toLowerCase(),
    note,
    sn: sn || null,
    target: target || null,
    priceIdr: price ?? null,
  };
}

/** The form in which a body names an order and a status, whoever sent it; null: it is no callback. */
export function claimedForm(rawBody: string): SupplierCallback["form"] | null {
  const claimed = claimedOrders(rawBody).find((fields) => Claim.safeParse(fields).success);
  if (!claimed) return null;
  return claimed.flat ? "specification" : "provider";
}

type Fields = Record<string, unknown>;

/** The fields of each order that a body speaks of, under one spelling. `flat`: they stand on the top level. */
function claimedOrders(rawBody: string): (Fields & { flat: boolean })[] {
  const body = parsed(rawBody);
  if (!body) return [];
  const nested = nestedData(body.data);
  return (nested ?? [body]).slice(0, MOST_LISTED).map((source) => ({
    flat: nested === null,
    trxid: source.trxid ?? source.trx_id,
    status: source.status,
    note: source.note,
    sn: source.sn,
    // On the top level `data` is the target itself, inside `data` too.
    target: typeof source.data === "string" ? source.data : undefined,
    price: source.price,
  }));
}

/** What `data` holds, one or several; null where it is a target, or nothing. */
function nestedData(data: unknown): Fields[] | null {
  if (typeof data === "string" && /^\s*[[{]/.test(data)) return nestedData(json(data));
  const found = (Array.isArray(data) ? data : [data]).filter(isFields);
  return found.length > 0 ? found : null;
}

/** JSON, or a form in PHP's notation: `data[trxid]=…`, `data[0][trxid]=…`, or flat. */
function parsed(rawBody: string): Fields | null {
  const value = json(rawBody);
  if (value !== undefined) return isFields(value) ? value : null;
  if (!rawBody.includes("=")) return null;
  const body: Fields = {};
  const data = new Map<string, Fields>();
  for (const [name, text] of new URLSearchParams(rawBody)) {
    const [, place = "", inner] = /^data(?:\[(\d{0,4})\])?\[(\w{1,40})\]$/.exec(name) ?? [];
    if (inner === undefined) {
      body[name] ??= text;
      continue;
    }
    const order = data.get(place) ?? {};
    order[inner] ??= text;
    data.set(place, order);
  }
  return data.size > 0 ? { ...body, data: [...data.values()] } : body;
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
