import { z } from "zod";
import { checkBatch } from "../marketplace/batch.ts";
import { MarketplaceError } from "../marketplace/error.ts";
import { amountIdr, id, readable, text } from "../marketplace/fields.ts";
import type {
  MarketOrder,
  MarketOrderLine,
  MarketOrderStatus,
  OrderPage,
} from "../marketplace/orders.ts";
import type { ShopAuth } from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { type LazadaLine, PLATFORM } from "./line.ts";

const STATUS: Record<string, MarketOrderStatus> = {
  unpaid: "unpaid",
  pending: "to_ship",
  packed: "to_ship",
  topack: "to_ship",
  toship: "to_ship",
  ready_to_ship: "to_ship",
  ready_to_ship_pending: "to_ship",
  shipping: "shipped",
  shipped: "shipped",
  // On its way back, not back yet.
  failed: "shipped",
  failed_delivery: "shipped",
  delivered: "delivered",
  confirmed: "delivered",
  canceled: "cancelled",
  cancelled: "cancelled",
  returned: "returned",
  shipped_back: "returned",
  shipped_back_success: "returned",
};

export const statusOf = (word: string): MarketOrderStatus =>
  STATUS[word.trim().toLowerCase()] ?? "unknown";

const ORDER: MarketOrderStatus[] = [
  "unknown",
  "unpaid",
  "to_ship",
  "shipped",
  "delivered",
  "returned",
  "cancelled",
];

/** An order is as far as its least advanced line; lines that were cancelled hold it up no more. */
const overall = (statuses: MarketOrderStatus[]): MarketOrderStatus =>
  ORDER.find((status) => statuses.includes(status)) ?? "unknown";

/** `2026-11-21 10:00:00 +0700`, or ISO 8601 with any zone. */
const time = z
  .union([z.string(), z.number()])
  .nullish()
  .catch(null)
  .transform((value) => {
    const iso = String(value ?? "")
      .trim()
      .replace(/^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?: )?/, "$1T$2")
      .replace(/([+-]\d\d)(\d\d)$/, "$1:$2");
    const at = new Date(iso);
    return iso === "" || Number.isNaN(at.getTime()) ? null : at;
  });

const PAGE = 100;
const List = z.object({
  data: z.object({
    orders: z
      .array(z.object({ order_id: id, statuses: z.array(text).nullish(), updated_at: time }))
      .nullish(),
  }),
});

/**
 * Orders by the time of their last change, the oldest first. A page begins at the last row's time instead of a row
 * number: rows that change in between leave the list, and those behind them would be passed over.
 */
export async function listOrders(
  line: LazadaLine,
  auth: ShopAuth,
  span: { since: Date; until: Date; cursor?: string | null },
): Promise<OrderPage> {
  const { after, offset } = placeOf(span);
  const query = {
    update_after: zoned(after),
    update_before: zoned(span.until),
    sort_by: "updated_at",
    sort_direction: "ASC",
    offset: String(offset),
    limit: String(PAGE),
  };
  const { data } = await line.read(auth, "/orders/get", query, List);
  const rows = data.orders ?? [];
  return {
    orders: rows.map(({ order_id, statuses, updated_at }) => ({
      orderId: order_id,
      status: overall((statuses ?? []).map(statusOf)),
      updatedAt: updated_at,
    })),
    cursor: rows.length < PAGE ? null : cursorAfter(rows.at(-1)?.updated_at, after, offset),
  };
}

function placeOf({ since, cursor }: { since: Date; cursor?: string | null }) {
  const [, seconds, offset] = /^(\d{1,12})~(\d{1,6})$/.exec(cursor ?? "") ?? [];
  if (seconds === undefined) return { after: since, offset: 0 };
  return { after: new Date(Number(seconds) * 1000), offset: Number(offset) };
}

function cursorAfter(last: Date | null | undefined, after: Date, offset: number): string {
  const lastSeconds = Math.floor((last ?? after).getTime() / 1000);
  const afterSeconds = Math.floor(after.getTime() / 1000);
  // More than a page within one second: only then rows are counted.
  return lastSeconds > afterSeconds ? `${lastSeconds}~0` : `${afterSeconds}~${offset + PAGE}`;
}

/** ISO 8601 in seconds with a zone, as the date parameters want it. */
const zoned = (at: Date) => `${at.toISOString().slice(0, 19)}+00:00`;

const Item = z.object({
  order_item_id: id,
  name: text,
  sku: text,
  shop_sku: text,
  sku_id: text,
  product_id: text,
  status: text,
  item_price: amountIdr,
  paid_price: amountIdr,
  created_at: time,
  updated_at: time,
});
const Row = z.object({ order_id: id, order_items: z.array(Item) });
const Details = z.object({ data: readable(Row) });

/** Orders with a line for every single piece, as Lazada counts them. Nothing about the buyer is asked for. */
export async function getOrders(
  line: LazadaLine,
  auth: ShopAuth,
  orderIds: string[],
): Promise<MarketOrder[]> {
  checkBatch(PLATFORM, orderIds.length, LIMITS.orderBatch);
  const ids = orderIds.filter((orderId) => /^\d{1,20}$/.test(orderId));
  if (ids.length === 0) return [];
  try {
    const query = { order_ids: `[${ids.join(",")}]` };
    const { data } = await line.read(auth, "/orders/items/get", query, Details);
    return data.map(toOrder);
  } catch (error) {
    if (!(error instanceof MarketplaceError) || error.fault !== "not_found") throw error;
    // One unknown number spoils the whole question.
    if (ids.length === 1) return [];
    const each = await Promise.all(ids.map((orderId) => getOrders(line, auth, [orderId])));
    return each.flat();
  }
}

function toOrder({ order_id, order_items }: z.output<typeof Row>): MarketOrder {
  const lines = order_items.map(toLine);
  const words = [...new Set(order_items.map(({ status }) => status))];
  const times = order_items.flatMap(({ updated_at }) => updated_at ?? []);
  const latest = Math.max(...times.map((at) => at.getTime()));
  return {
    orderId: order_id,
    status: overall(lines.map(({ status }) => status)),
    statusText: words.join(", "),
    createdAt: order_items[0]?.created_at ?? null,
    updatedAt: times.length > 0 ? new Date(latest) : null,
    totalIdr: lines.reduce((sum, { priceIdr }) => sum + priceIdr, 0),
    lines,
  };
}

function toLine(item: z.output<typeof Item>): MarketOrderLine {
  return {
    lineId: item.order_item_id,
    // The shop's SKU begins with the item: `5758254690_ID-11212296431`.
    itemId: item.product_id || (item.shop_sku.split("_")[0] ?? ""),
    skuId: item.sku_id || (item.shop_sku.split("-").at(-1) ?? null),
    sku: item.sku,
    name: item.name,
    quantity: 1,
    priceIdr: item.paid_price ?? item.item_price ?? 0,
    status: statusOf(item.status),
  };
}
