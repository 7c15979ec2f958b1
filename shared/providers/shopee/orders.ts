import { z } from "zod";
import { checkBatch } from "../marketplace/batch.ts";
import { MarketplaceError } from "../marketplace/error.ts";
import { amountIdr, count, id, readable, seconds, text } from "../marketplace/fields.ts";
import type { MarketOrder, MarketOrderStatus, OrderPage } from "../marketplace/orders.ts";
import { nextCursor, windowAt } from "../marketplace/window.ts";
import type { ShopAuth } from "../marketplace.ts";
import { LIMITS } from "./limits.ts";
import { PLATFORM, type ShopeeLine } from "./line.ts";

const STATUS: Record<string, MarketOrderStatus> = {
  UNPAID: "unpaid",
  PENDING: "to_ship",
  INVOICE_PENDING: "to_ship",
  READY_TO_SHIP: "to_ship",
  PROCESSED: "to_ship",
  RETRY_SHIP: "to_ship",
  // Asked for, not yet granted.
  IN_CANCEL: "to_ship",
  SHIPPED: "shipped",
  TO_CONFIRM_RECEIVE: "shipped",
  COMPLETED: "delivered",
  CANCELLED: "cancelled",
  TO_RETURN: "returned",
};

export const statusOf = (word: string): MarketOrderStatus => STATUS[word] ?? "unknown";

/** Shopee looks at no more than 15 days at once. */
const WINDOW_SECONDS = 15 * 86_400;

const List = z.object({
  response: z.object({
    more: z.boolean().nullish(),
    next_cursor: z.string().nullish(),
    order_list: z.array(z.object({ order_sn: id, order_status: text })).nullish(),
  }),
});

export async function listOrders(
  line: ShopeeLine,
  auth: ShopAuth,
  span: { since: Date; until: Date; cursor?: string | null },
): Promise<OrderPage> {
  const window = windowAt(span, WINDOW_SECONDS);
  const query = {
    time_range_field: "update_time",
    time_from: String(window.from),
    time_to: String(window.to),
    page_size: "100",
    cursor: window.inner,
    response_optional_fields: "order_status",
  };
  const { response } = await line.read(auth, "order/get_order_list", query, List);
  return {
    orders: (response.order_list ?? []).map(({ order_sn, order_status }) => ({
      orderId: order_sn,
      status: statusOf(order_status),
      updatedAt: null,
    })),
    cursor: nextCursor(window, span.until, response.more ? response.next_cursor : null),
  };
}

const Item = z.object({
  item_id: id,
  item_name: text,
  item_sku: text,
  model_id: z.union([z.string(), z.number()]).nullish().transform(String),
  model_sku: text,
  model_quantity_purchased: z.number().int().positive(),
  model_discounted_price: amountIdr,
  model_original_price: amountIdr,
  line_item_id: text,
  order_item_id: text,
  cancelled_qty: count,
});
const Row = z.object({
  order_sn: id,
  order_status: text,
  create_time: seconds,
  update_time: seconds,
  total_amount: amountIdr,
  item_list: z.array(Item).nullish(),
});
const Detail = z.object({ response: z.object({ order_list: readable(Row).nullish() }) });

/** Orders with their lines. Nothing about the buyer is asked for, so that no list of addresses is needed (§7). */
export async function getOrders(
  line: ShopeeLine,
  auth: ShopAuth,
  orderIds: string[],
): Promise<MarketOrder[]> {
  checkBatch(PLATFORM, orderIds.length, LIMITS.orderBatch);
  if (orderIds.length === 0) return [];
  const query = {
    order_sn_list: orderIds.join(","),
    response_optional_fields: "item_list,total_amount",
  };
  try {
    const { response } = await line.read(auth, "order/get_order_detail", query, Detail);
    return (response.order_list ?? []).map(toOrder);
  } catch (error) {
    if (!(error instanceof MarketplaceError) || error.fault !== "not_found") throw error;
    // One unknown number spoils the whole question.
    if (orderIds.length === 1) return [];
    const each = await Promise.all(orderIds.map((orderId) => getOrders(line, auth, [orderId])));
    return each.flat();
  }
}

type Bought = z.output<typeof Item>;

/**
 * Lines with an id that is theirs alone in the order, and that stays theirs when a line before them is gone: the items
 * of a bundle share `order_item_id`, so what was bought stands behind it.
 */
function named(items: Bought[]): [string, Bought][] {
  const taken = new Map<string, number>();
  return items.map((item) => {
    const model = modelOf(item) ?? "0";
    const given = item.line_item_id || `${item.order_item_id || "0"}/${item.item_id}/${model}`;
    const earlier = taken.get(given) ?? 0;
    taken.set(given, earlier + 1);
    return [earlier === 0 ? given : `${given}/${earlier}`, item];
  });
}

/** Products without variants have none, or the model 0. */
const modelOf = ({ model_id: model }: Bought) =>
  ["0", "undefined", "null"].includes(model) ? null : model;

function toOrder(row: z.output<typeof Row>): MarketOrder {
  const status = statusOf(row.order_status);
  return {
    orderId: row.order_sn,
    status,
    statusText: row.order_status,
    createdAt: row.create_time,
    updatedAt: row.update_time,
    totalIdr: row.total_amount,
    lines: named(row.item_list ?? []).map(([lineId, item]) => {
      const left = item.model_quantity_purchased - (item.cancelled_qty ?? 0);
      return {
        lineId,
        itemId: item.item_id,
        skuId: modelOf(item),
        sku: item.model_sku || item.item_sku,
        name: item.item_name,
        quantity: left > 0 ? left : item.model_quantity_purchased,
        priceIdr: item.model_discounted_price ?? item.model_original_price ?? 0,
        status: left > 0 ? status : "cancelled",
      };
    }),
  };
}
