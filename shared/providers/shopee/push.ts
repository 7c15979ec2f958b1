import { z } from "zod";
import { sha256Hex, timingSafeEqual } from "../../crypto/index.ts";
import { parseBigJson } from "../big-json.ts";
import { id, seconds, text } from "../marketplace/fields.ts";
import type { MarketPush, PushInput } from "../marketplace/push.ts";
import { signPush } from "./signature.ts";

export interface PushKeys {
  partnerKey: string;
  pushKey?: string | undefined;
  /** The address as it stands in the console; never the one of the request. */
  pushUrl: string;
}

const Push = z.object({
  code: z.number().int().nullish().catch(null),
  shop_id: id.nullish().catch(null),
  shopid: id.nullish().catch(null),
  timestamp: seconds,
  data: z.record(z.string(), z.unknown()).nullish().catch(null),
});
type Body = z.output<typeof Push>;

/**
 * Checks and reads a push (providers/shopee.md §8). It may be signed with the push key or the partner key. There is no
 * event id: the key is made of the body.
 */
export async function parsePush(keys: PushKeys, input: PushInput): Promise<MarketPush | null> {
  const body = bodyOf(input.rawBody);
  if (!body) return null;
  const signedWith = await signerOf(keys, input);
  const isPing = body.data?.verify_info !== undefined;
  if (signedWith === null && !isPing) return null;
  return {
    key: `${body.code ?? 0}:${await sha256Hex(input.rawBody)}`,
    shopId: body.shop_id ?? body.shopid ?? null,
    at: body.timestamp,
    signedWith,
    event: isPing ? { kind: "ping" } : eventOf(body),
  };
}

function bodyOf(rawBody: string): Body | null {
  try {
    return Push.safeParse(parseBigJson(rawBody)).data ?? null;
  } catch {
    return null;
  }
}

/** All keys are compared, so that the time tells nothing about which of them came near. */
async function signerOf(
  { partnerKey, pushKey, pushUrl }: PushKeys,
  { authorization, rawBody }: PushInput,
): Promise<"push" | "app" | null> {
  const given = (authorization ?? "").trim();
  const matches = async (key: string | undefined) => {
    // The signature of an empty key is known to everybody.
    if (!key) return false;
    return await timingSafeEqual(given, await signPush(key, pushUrl, rawBody));
  };
  const [byPush, byPartner] = await Promise.all([matches(pushKey), matches(partnerKey)]);
  if (byPush) return "push";
  return byPartner ? "app" : null;
}

const DEAUTHORISED = 2;
const ORDER = new Set([3, 4]);
/** A banned item; prices and reserved stock follow our own calls and tell nothing new. */
const LISTING = new Set([6]);
const EXPIRING = 12;

const Expiring = z.object({ shop_expire_soon: z.array(id).nullish().catch(null) });

function eventOf({ code, data }: Body): MarketPush["event"] {
  const orderId = text.parse(data?.ordersn ?? data?.order_sn);
  const itemId = text.parse(data?.item_id);
  if (code === DEAUTHORISED) return { kind: "deauthorised" };
  if (ORDER.has(code ?? 0) && orderId !== "") {
    return { kind: "order", orderId, status: text.parse(data?.status) };
  }
  if (LISTING.has(code ?? 0) && itemId !== "") return { kind: "listing", itemId };
  if (code === EXPIRING) {
    const soon = Expiring.safeParse(data);
    return { kind: "expiring", shopIds: [...new Set(soon.data?.shop_expire_soon ?? [])] };
  }
  return { kind: "other", code: String(code ?? "") };
}
