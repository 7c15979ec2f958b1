import { z } from "zod";
import { invalidInput, ProviderError } from "../provider-error.ts";
import { amountIdr, code, count, PROVIDER, text } from "./fields.ts";
import {
  badAnswer,
  ENDPOINTS,
  type Envelope,
  field,
  type Line,
  type MayLeave,
  refusedRead,
} from "./line.ts";
import { type RefusalReason, refusalOf } from "./refusals.ts";
import type { SupplierFamily } from "./services.ts";
import { mapStatus, type SupplierStatus } from "./status.ts";

export type { RefusalReason } from "./refusals.ts";
export { mapStatus, type SupplierStatus } from "./status.ts";

export interface GameOrderInput {
  service: string;
  target: string;
  zone?: string | null;
}
export interface PrepaidOrderInput {
  service: string;
  target: string;
}
export interface SocialOrderInput {
  service: string;
  quantity: number;
  target: string;
}
interface AnyOrderInput {
  service: string;
  target: string;
  zone?: string | null;
  quantity?: number;
}

/**
 * One order by its id, or the latest `limit` ones; `whole`: rather none (code `unreadable_rows`) than a list with rows
 * that cannot be read.
 */
export type OrderQuery = { trxid: string; visitorMs?: number } | { limit: number; whole?: boolean };

export interface SupplierOrder {
  trxid: string;
  family: SupplierFamily;
  /** The customer's target as the supplier keeps it; never a serial number. */
  target: string;
  zone: string | null;
  /** The service's display name, or whatever stands there; `code` only where the supplier tells it (prepaid). */
  service: string;
  code: string | null;
  status: SupplierStatus;
  /** The supplier's own word, in lower case. */
  statusText: string;
  /** Serial number or voucher after success, the reason after an error. */
  note: string;
  /** What the order cost us; null where the supplier does not say. */
  priceIdr: number | null;
  /** Social only. */
  quantity: number | null;
  remain: number | null;
  startCount: number | null;
  /** Our balance after the order; only in the answer to an order. */
  balanceAfterIdr: number | null;
}

export type OrderResult =
  | { state: "accepted"; order: SupplierOrder }
  /** Surely not bought. `text` is the supplier's, for logs and admins. */
  | { state: "refused"; reason: RefusalReason; text: string };

/** An order as the supplier shows it: in the answer to `order`, in lists, and in callbacks. */
export const OrderRow = z.object({
  trxid: code,
  data: text,
  zone: text,
  code: text,
  service: text,
  status: z.string().min(1),
  note: text,
  sn: text,
  price: amountIdr.nullish().catch(null),
  balance: amountIdr.nullish().catch(null),
  quantity: count,
  remain: count,
  // Documented as `count`; the other spelling is read where only it is there.
  count,
  start_count: count,
});

export function toOrder(family: SupplierFamily, row: z.output<typeof OrderRow>): SupplierOrder {
  const status = mapStatus(row.status);
  return {
    trxid: row.trxid,
    family,
    target: row.data,
    zone: row.zone || null,
    service: row.service,
    code: row.code || null,
    status,
    statusText: row.status.trim().toLowerCase().slice(0, 50),
    note: noteOf(status, row),
    priceIdr: row.price ?? null,
    quantity: row.quantity,
    remain: row.remain,
    startCount: row.count ?? row.start_count,
    balanceAfterIdr: row.balance ?? null,
  };
}

/**
 * The serial number stands in `note`. A field `sn` is documented nowhere, and the specification's callback has one
 * beside a note that says something else: what was delivered is told all the same.
 */
function noteOf(status: SupplierStatus, { note, sn }: { note: string; sn: string }): string {
  const isOpenOrFailed = status === "waiting" || status === "processing" || status === "error";
  if (isOpenOrFailed || note.includes(sn)) return note;
  return note === "" ? sn : `${note} / ${sn}`;
}

/** Buys, in one attempt (providers/vip-reseller.md, "Operations"). */
export async function createOrder(
  line: Line,
  family: SupplierFamily,
  input: AnyOrderInput,
  mayLeave?: MayLeave,
): Promise<OrderResult> {
  const fields = orderFields(family, input);
  let envelope: Envelope;
  try {
    envelope = await line.order(ENDPOINTS[family], fields, mayLeave);
  } catch (error) {
    // A status alone tells nothing about the order: a gate in front may answer for a supplier that has acted.
    if (error instanceof ProviderError && error.status !== undefined) throw error.inDoubt();
    throw error;
  }
  const order = OrderRow.safeParse(first(envelope.data));
  if (envelope.result) {
    if (!order.success) throw badAnswer("an order was accepted without an id");
    return { state: "accepted", order: toOrder(family, order.data) };
  }
  const reason = refusalOf(envelope.message);
  if (!reason) throw badAnswer("an order was refused in words that are not known");
  if (order.success) throw badAnswer("an order was refused with an id");
  return { state: "refused", reason, text: envelope.message };
}

function orderFields(family: SupplierFamily, input: AnyOrderInput): Record<string, string> {
  const service = field("service", input.service);
  const target = field("target", input.target);
  if (family === "social") {
    const { quantity = 0 } = input;
    if (!Number.isSafeInteger(quantity) || quantity < 1) {
      throw invalidInput(PROVIDER, "quantity is no positive whole number");
    }
    return { type: "order", service, quantity: String(quantity), data: target };
  }
  const zone = family === "game" && input.zone ? { data_zone: field("zone", input.zone) } : {};
  return { type: "order", service, data_no: target, ...zone };
}

const NOT_FOUND = /^transaksi tidak ditemukan/i;
const MOST_LISTED = 5_000;
/** Of the longest list, with a kilobyte for each order: what cannot be read would never settle a doubt. */
const MOST_BYTES = 5_000_000;

/** The order of an id, or the latest ones (providers/vip-reseller.md, `status`); unreadable rows are left out. */
export async function getOrders(
  line: Line,
  family: SupplierFamily,
  query: OrderQuery,
): Promise<SupplierOrder[]> {
  const fields: Record<string, string> =
    "trxid" in query
      ? { type: "status", trxid: field("trxid", query.trxid) }
      : { type: "status", limit: String(limitOf(query.limit)) };
  const visitorMs = "trxid" in query ? query.visitorMs : undefined;
  const envelope = await line.ask(ENDPOINTS[family], fields, { maxBytes: MOST_BYTES, visitorMs });
  if (!envelope.result) {
    if (NOT_FOUND.test(envelope.message)) return [];
    throw refusedRead(envelope.message);
  }
  const { data } = envelope;
  if (typeof data !== "object" || data === null) throw badAnswer("a status without orders");
  const list: unknown[] = Array.isArray(data) ? data : [data];
  const orders = list.flatMap((row) => {
    const read = OrderRow.safeParse(row);
    return read.success ? [toOrder(family, read.data)] : [];
  });
  if (orders.length === 0 && list.length > 0) throw badAnswer("a status of unreadable orders");
  if ("limit" in query && query.whole && orders.length < list.length) {
    const failure = { kind: "bad_answer", retryable: true, outcome: "unknown" } as const;
    throw new ProviderError(PROVIDER, { ...failure, code: "unreadable_rows" }, "a list with them");
  }
  return "trxid" in query ? orders.filter(({ trxid }) => trxid === query.trxid.trim()) : orders;
}

function limitOf(limit: number): number {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_LISTED) {
    throw invalidInput(PROVIDER, `a list has 1 to ${MOST_LISTED} orders`);
  }
  return limit;
}

const first = (data: unknown): unknown => (Array.isArray(data) ? data[0] : data);
