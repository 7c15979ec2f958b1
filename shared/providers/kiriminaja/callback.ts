import { z } from "zod";
import { isStorable } from "../storable.ts";
import { parseWib } from "../wib-time.ts";

export type CourierEventKind =
  | "awb_made"
  | "picked_up"
  | "in_transit"
  | "delivered"
  | "cancelled"
  | "returning"
  | "returned"
  | "validated"
  | "problem"
  | "unknown";

/** One piece of news about one parcel. A hint only: nothing but a shared key proves it, so track the parcel. */
export interface CourierEvent {
  kind: CourierEventKind;
  /** KiriminAja's own name of the event. */
  method: string;
  /** Null in an event that we cannot read; it is kept for a person. */
  orderRef: string | null;
  awb: string | null;
  occurredAt: Date | null;
  reason: string | null;
  /** Equal for repeats of the same news: the callbacks carry no id of their own. */
  eventKey: string;
}

const text = z.string().refine(isStorable).nullish().catch(null);

const Item = z.object({
  order_id: z.string().min(1).max(64).refine(isStorable),
  awb: text,
  status: text,
  date: text,
  shipped_at: text,
  finished_at: text,
  delivered_at: text,
  returned_at: text,
  rejected_at: text,
  canceled_at: text,
  reason: text,
});
type Item = z.output<typeof Item>;

const Envelope = z.object({
  method: z.string().min(1).max(64).refine(isStorable),
  data: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
});

/** Of a piece, in bytes as the queue counts them: well below what it takes (128 KB). */
const LONGEST_PIECE = 60_000;
/** Of one word of a parcel; no field that we read has more to say. */
const LONGEST_WORD = 500;

/** How long the text is once it stands as text in a message: a quote mark takes two bytes, a control character six. */
const sizeOf = (text: string) => new TextEncoder().encode(JSON.stringify(text)).byteLength;

/**
 * A readable callback as pieces that each fit on a queue: a short one as it came, a longer one with some of its parcels
 * in each, of which nothing is left but what we read. The same for every delivery.
 */
export function splitCallback(rawBody: string): string[] {
  if (sizeOf(rawBody) <= LONGEST_PIECE) return [rawBody];
  const { method, data } = Envelope.parse(JSON.parse(rawBody));
  const pieces: string[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const raw of Array.isArray(data) ? data : [data]) {
    const item = JSON.stringify(essence(raw));
    size += sizeOf(item);
    if (size > LONGEST_PIECE) {
      pieces.push([]);
      size = sizeOf(item);
    }
    pieces.at(-1)?.push(item);
  }
  return pieces.map((items) => `{"method":${JSON.stringify(method)},"data":[${items.join(",")}]}`);
}

/** What `toEvent` reads of a parcel, each word cut; of what cannot be read, that it was there. */
function essence(raw: unknown): unknown {
  const parsed = Item.safeParse(raw);
  if (!parsed.success) return null;
  const told = Object.entries(parsed.data).filter(([, value]) => typeof value === "string");
  return Object.fromEntries(
    told.map(([name, value]) => [name, value?.slice(0, LONGEST_WORD).toWellFormed()]),
  );
}

/**
 * Reads a callback in the short form, the full form or with a single object (providers/kiriminaja.md §4); null when
 * the body is none of them. Methods and items that we do not know come back as `unknown`, never dropped.
 */
export function parseCallback(rawBody: string): CourierEvent[] | null {
  let body: unknown;
  try {
    body = JSON.parse(rawBody);
  } catch {
    return null;
  }
  const envelope = Envelope.safeParse(body);
  if (!envelope.success) return null;
  const { method, data } = envelope.data;
  return (Array.isArray(data) ? data : [data]).map((item) => toEvent(method, item));
}

function toEvent(method: string, raw: unknown): CourierEvent {
  const parsed = Item.safeParse(raw);
  if (!parsed.success) {
    const nothing = { orderRef: null, awb: null, occurredAt: null, reason: null };
    return { kind: "unknown", method, ...nothing, eventKey: `${method}:?` };
  }
  const item = parsed.data;
  const { kind, at } = readEvent(method, item);
  const occurredAt = parseWib(at) ?? parseWib(item.date);
  const awb = item.awb || null;
  const when = occurredAt?.toISOString() ?? "";
  return {
    kind,
    method,
    orderRef: item.order_id,
    awb,
    occurredAt,
    reason: item.reason || null,
    eventKey: [method, item.order_id, kind, when, awb ?? ""].join(":"),
  };
}

interface Reading {
  kind: CourierEventKind;
  at?: string | null | undefined;
}

function readEvent(method: string, item: Item): Reading {
  switch (method) {
    case "processed_packages":
      return { kind: "awb_made" };
    case "shipped_packages":
      return { kind: "picked_up", at: item.shipped_at };
    case "canceled_packages":
      return { kind: "cancelled", at: item.canceled_at };
    case "finished_packages":
      return { kind: "delivered", at: item.finished_at };
    case "returned_packages":
      // Without the date the return is only announced.
      return item.returned_at ? { kind: "returned", at: item.returned_at } : { kind: "returning" };
    case "return_finished_packages":
      return { kind: "returned", at: item.returned_at };
    case "rejected_packages":
      return { kind: "problem", at: item.rejected_at };
    case "validated_packages":
      return { kind: "validated" };
    case "update_instant_packages":
      return readInstant(item);
    default:
      return { kind: "unknown" };
  }
}

function readInstant(item: Item): Reading {
  switch (item.status?.toLowerCase()) {
    case "picked_up":
      return { kind: "picked_up", at: item.shipped_at };
    case "sent":
      return { kind: "in_transit", at: item.shipped_at };
    case "delivered":
      return { kind: "delivered", at: item.finished_at ?? item.delivered_at };
    case "cancel":
      return { kind: "cancelled", at: item.canceled_at };
    case "return":
      return { kind: "returning" };
    case "returned":
      return { kind: "returned", at: item.returned_at };
    case "no_driver":
      return { kind: "problem" };
    default:
      return { kind: "unknown" };
  }
}
