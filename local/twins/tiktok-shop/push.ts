import type { Json } from "../common/fields.ts";
import type { MarketEvent } from "../common/market/market.ts";
import type { Rendered } from "../common/outbox.ts";
import { pushSign } from "./signature.ts";

export interface TiktokKeys {
  appKey: string;
  appSecret: string;
}

export const orderWords = {
  unpaid: "UNPAID",
  paid: "AWAITING_SHIPMENT",
  shipped: "IN_TRANSIT",
  delivered: "DELIVERED",
  cancelled: "CANCELLED",
} as const;

/** tokopedia.md section 7: the types of the pushes that this twin sends. */
function content(event: MarketEvent, now: number): { type: number; data: Json } {
  switch (event.kind) {
    case "order": {
      const { id, stage, updatedAt } = event.order;
      const update = Math.floor(updatedAt / 1000);
      const data = { is_on_hold_order: false, order_id: id, order_status: orderWords[stage] };
      return { type: 1, data: { ...data, update_time: update } };
    }
    case "product":
      return {
        type: 5,
        data: { product_id: event.product.id, status: "PRODUCT_AUDIT_PASS", update_time: now },
      };
    case "authorised":
      return { type: 7, data: { message: "authorized", authorization_time: now } };
    case "revoked":
      return { type: 6, data: { message: "seller deauthorized", cancel_time: now } };
    case "expiring":
      return { type: 7, data: { message: "authorization will expire", expiration_time: now } };
    default:
      return event satisfies never;
  }
}

/** A push as of now; its notification id stays the same when it is repeated. */
export function renderPush(
  keys: TiktokKeys,
  event: MarketEvent,
  id: string,
  now: number,
  forged: boolean,
): Rendered {
  const timestamp = Math.floor(now / 1000);
  const { type, data } = content(event, timestamp);
  const body = JSON.stringify({
    type,
    tts_notification_id: id,
    shop_id: event.shop.id,
    timestamp,
    data,
  });
  const secret = forged ? `${keys.appSecret}?` : keys.appSecret;
  return { body, headers: { authorization: pushSign(secret, keys.appKey, body) } };
}
