import type { Json } from "../common/fields.ts";
import type { MarketEvent } from "../common/market/market.ts";
import type { Rendered } from "../common/outbox.ts";
import { pushSign } from "./signature.ts";

export interface LazadaKeys {
  appKey: string;
  appSecret: string;
}

export const orderWords = {
  unpaid: "unpaid",
  paid: "pending",
  shipped: "shipped",
  delivered: "delivered",
  cancelled: "canceled",
} as const;

/** lazada.md section 6: message types and what they hold. */
function content(event: MarketEvent): { message_type: number; data: Json } {
  switch (event.kind) {
    case "order": {
      const data = {
        order_status: orderWords[event.order.stage],
        trade_order_id: event.order.id,
        status_update_time: Math.floor(event.order.updatedAt / 1000),
      };
      return { message_type: 0, data };
    }
    case "product":
      return { message_type: 4, data: { item_id: event.product.id } };
    case "authorised":
    case "revoked":
    case "expiring":
      return { message_type: 8, data: { seller_id: event.shop.id } };
    default:
      return event satisfies never;
  }
}

/** A push as of now: Lazada reads the latest state before each repeat. */
export function renderPush(
  keys: LazadaKeys,
  event: MarketEvent,
  now: number,
  forged: boolean,
): Rendered {
  const body = JSON.stringify({
    seller_id: event.shop.id,
    ...content(event),
    timestamp: now,
    site: "lazada_id",
  });
  const secret = forged ? `${keys.appSecret}?` : keys.appSecret;
  return { body, headers: { authorization: pushSign(secret, keys.appKey, body) } };
}
