import { z } from "zod";
import { sha256Hex, timingSafeEqual } from "../../crypto/index.ts";
import { parseBigJson } from "../big-json.ts";
import { id, text } from "../marketplace/fields.ts";
import type { MarketPush, PushInput } from "../marketplace/push.ts";
import { type LazadaAccount, signPush } from "./signature.ts";

const Push = z.object({
  seller_id: id,
  message_type: z.coerce.number().int(),
  timestamp: z.number().nullish().catch(null),
  data: z.record(z.string(), z.unknown()).nullish().catch(null),
});
type Body = z.output<typeof Push>;

/** Checks and reads a push (providers/lazada.md §6). There is no event id: the key is made of the body. */
export async function parsePush(
  account: LazadaAccount,
  { authorization, rawBody }: PushInput,
): Promise<MarketPush | null> {
  const given = (authorization ?? "").trim();
  if (!(await timingSafeEqual(given, await signPush(account, rawBody)))) return null;
  const body = bodyOf(rawBody);
  if (!body) return null;
  return {
    key: `${body.message_type}:${await sha256Hex(rawBody)}`,
    shopId: body.seller_id,
    at: typeof body.timestamp === "number" ? new Date(body.timestamp) : null,
    signedWith: "app",
    event: eventOf(body),
  };
}

function bodyOf(rawBody: string): Body | null {
  try {
    return Push.safeParse(parseBigJson(rawBody)).data ?? null;
  } catch {
    return null;
  }
}

const ORDER = new Set([0, 10, 14]);
const LISTING = new Set([3, 4, 5, 21]);
const EXPIRING = 8;

function eventOf({ message_type, data, seller_id }: Body): MarketPush["event"] {
  const orderId = text.parse(data?.trade_order_id);
  const itemId = text.parse(data?.item_id);
  if (ORDER.has(message_type) && orderId !== "") {
    return { kind: "order", orderId, status: text.parse(data?.order_status) };
  }
  if (LISTING.has(message_type) && itemId !== "") return { kind: "listing", itemId };
  if (message_type === EXPIRING) return { kind: "expiring", shopIds: [seller_id] };
  return { kind: "other", code: String(message_type) };
}
