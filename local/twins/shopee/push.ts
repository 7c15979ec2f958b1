import type { Json } from "../common/fields.ts";
import type { MarketEvent } from "../common/market/market.ts";
import type { Rendered } from "../common/outbox.ts";
import { pushSign } from "./signature.ts";

export const orderWords = {
  unpaid: "UNPAID",
  paid: "READY_TO_SHIP",
  shipped: "SHIPPED",
  delivered: "COMPLETED",
  cancelled: "CANCELLED",
} as const;

/** shopee.md section 8: the codes of the pushes that this twin sends. */
function content(event: MarketEvent, timestamp: number): Json {
  const shopId = Number(event.shop.id);
  switch (event.kind) {
    case "order": {
      const { id, stage, updatedAt } = event.order;
      const data = {
        ordersn: id,
        status: orderWords[stage],
        update_time: Math.floor(updatedAt / 1000),
      };
      return { shop_id: shopId, code: 3, timestamp, data };
    }
    case "product":
      return {
        shop_id: shopId,
        code: 6,
        timestamp,
        data: { item_id: Number(event.product.id), item_status: "BANNED" },
      };
    case "authorised":
    case "revoked": {
      const data = { shop_id: shopId, shop_id_list: [shopId], success: 1 };
      return { code: event.kind === "authorised" ? 1 : 2, shop_id: shopId, timestamp, data };
    }
    case "expiring": {
      const data = { shop_expire_soon: [shopId], page_no: 1, total_page: 1 };
      return { code: 12, timestamp, data };
    }
    default:
      return event satisfies never;
  }
}

/** A push as of now; a forged one is signed under another key. */
export function renderPush(
  pushKey: string,
  event: MarketEvent,
  url: string,
  now: number,
  forged: boolean,
): Rendered {
  const body = JSON.stringify(content(event, Math.floor(now / 1000)));
  const key = forged ? `${pushKey}?` : pushKey;
  return { body, headers: { authorization: pushSign(key, url, body) } };
}
