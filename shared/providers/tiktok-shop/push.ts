import { z } from "zod";
import { sha256Hex, timingSafeEqual } from "../../crypto/index.ts";
import { parseBigJson } from "../big-json.ts";
import { id, seconds, text } from "../marketplace/fields.ts";
import type { MarketPush, PushInput } from "../marketplace/push.ts";
import { signPush, type TikTokAccount } from "./signature.ts";

const Push = z.object({
  type: z.coerce.number().int(),
  // Some samples print ids unquoted.
  tts_notification_id: id.nullish().catch(null),
  shop_id: id.nullish().catch(null),
  timestamp: seconds,
  data: z.record(z.string(), z.unknown()).nullish().catch(null),
});
type Body = z.output<typeof Push>;

/** Checks and reads a push (providers/tokopedia.md §7). */
export async function parsePush(
  account: TikTokAccount,
  { authorization, rawBody }: PushInput,
): Promise<MarketPush | null> {
  const given = (authorization ?? "").trim();
  if (!(await timingSafeEqual(given, await signPush(account, rawBody)))) return null;
  const body = bodyOf(rawBody);
  if (!body) return null;
  return {
    key: body.tts_notification_id ?? `${body.type}:${await sha256Hex(rawBody)}`,
    shopId: body.shop_id ?? null,
    at: body.timestamp,
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

const ORDER = 1;
const LISTING = new Set([5, 37]);
const DEAUTHORISED = 6;
const EXPIRING = 7;

function eventOf({ type, data, shop_id }: Body): MarketPush["event"] {
  const orderId = text.parse(data?.order_id);
  const itemId = text.parse(data?.product_id);
  if (type === ORDER && orderId !== "") {
    return { kind: "order", orderId, status: text.parse(data?.order_status) };
  }
  if (LISTING.has(type) && itemId !== "") return { kind: "listing", itemId };
  if (type === DEAUTHORISED) return { kind: "deauthorised" };
  if (type === EXPIRING) return { kind: "expiring", shopIds: shop_id ? [shop_id] : [] };
  return { kind: "other", code: String(type) };
}
