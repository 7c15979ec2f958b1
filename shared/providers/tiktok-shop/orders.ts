import { z } from "zod";
import { checkBatch } from "../marketplace/batch.ts";
import { amountIdr, id, readable, seconds, text } from "../marketplace/fields.ts";
import type { MarketOrder, MarketOrderStatus, OrderPage } from "../marketplace/orders.ts";
import type { ShopAuth } from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { PLATFORM, type TikTokLine } from "./line.ts";

const STATUS: Record<string, MarketOrderStatus> = {
  UNPAID: "unpaid",
  // Paid; the buyer may still change his mind for an hour.
  ON_HOLD: "to_ship",
  AWAITING_SHIPMENT: "to_ship",
  AWAITING_COLLECTION: "to_ship",
  TO_SHIP: "to_ship",
  PARTIALLY_SHIPPING: "to_ship",
  IN_TRANSIT: "shipped",
  DELIVERED: "delivered",
  COMPLETED: "delivered",
  CANCELLED: "cancelled",
};

export const statusOf = (word: string): MarketOrderStatus => STATUS[word] ?? "unknown";

const List = z.object({
  data: z
    .object({
      next_page_token: text,
      orders: z.array(z.object({ id, status: text, update_time: seconds })).nullish(),
    })
    .nullish(),
});

export async function listOrders(
  line: TikTokLine,
  auth: ShopAuth,
  span: { since: Date; until: Date; cursor?: string | null },
): Promise<OrderPage> {
  const { data } = await line.call(auth, {
    method: "POST",
    path: "/order/202309/orders/search",
    query: {
      page_size: "100",
      sort_field: "update_time",
      sort_order: "ASC",
      ...(span.cursor ? { page_token: span.cursor } : {}),
    },
    json: {
      update_time_ge: Math.floor(span.since.getTime() / 1000),
      update_time_lt: Math.ceil(span.until.getTime() / 1000),
    },
    schema: List,
    reads: true,
  });
  return {
    orders: (data?.orders ?? []).map((order) => ({
      orderId: order.id,
      status: statusOf(order.status),
      updatedAt: order.update_time,
    })),
    cursor: data?.next_page_token || null,
  };
}

const Line = z.object({
  id,
  product_id: text,
  sku_id: text,
  seller_sku: text,
  product_name: text,
  sale_price: amountIdr,
  display_status: text,
});
const Row = z.object({
  id,
  status: text,
  create_time: seconds,
  update_time: seconds,
  payment: z.object({ total_amount: amountIdr }).nullish().catch(null),
  line_items: z.array(Line).nullish(),
});
const Details = z.object({ data: z.object({ orders: readable(Row).nullish() }).nullish() });

/** Orders with a line for every single piece, as TikTok Shop counts them. What they say of the buyer is dropped. */
export async function getOrders(
  line: TikTokLine,
  auth: ShopAuth,
  orderIds: string[],
): Promise<MarketOrder[]> {
  checkBatch(PLATFORM, orderIds.length, LIMITS.orderBatch);
  if (orderIds.length === 0) return [];
  const { data } = await line.call(auth, {
    method: "GET",
    path: "/order/202309/orders",
    query: { ids: orderIds.join(",") },
    schema: Details,
  });
  return (data?.orders ?? []).map(toOrder);
}

function toOrder(row: z.output<typeof Row>): MarketOrder {
  const status = statusOf(row.status);
  return {
    orderId: row.id,
    status,
    statusText: row.status,
    createdAt: row.create_time,
    updatedAt: row.update_time,
    totalIdr: row.payment?.total_amount ?? null,
    lines: (row.line_items ?? []).map((item) => ({
      lineId: item.id,
      itemId: item.product_id,
      skuId: item.sku_id || null,
      sku: item.seller_sku,
      name: item.product_name,
      quantity: 1,
      priceIdr: item.sale_price ?? 0,
      status: item.display_status ? statusOf(item.display_status) : status,
    })),
  };
}
