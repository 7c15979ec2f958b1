import { hmacSha256Hex } from "../../crypto/index.ts";

/** One app at Shopee. */
export interface ShopeeAccount {
  partnerId: string;
  partnerKey: string;
}

/** What a shop's own calls are signed with beside the path and the time. */
export interface ShopeeShop {
  accessToken: string;
  shopId: string;
}

/**
 * The signature of a request (providers/shopee.md §4): partner id, path, seconds, and for a shop's call its token and
 * id. Query extras and body are not signed.
 */
export async function signPath(
  { partnerId, partnerKey }: ShopeeAccount,
  path: string,
  timestamp: number,
  shop?: ShopeeShop,
): Promise<string> {
  const owner = shop ? shop.accessToken + shop.shopId : "";
  return await hmacSha256Hex(partnerKey, `${partnerId}${path}${timestamp}${owner}`);
}

/** The query that carries the signature; it stands in the query for POST too. */
export async function signedQuery(
  account: ShopeeAccount,
  path: string,
  now: Date,
  shop?: ShopeeShop,
): Promise<Record<string, string>> {
  const timestamp = Math.floor(now.getTime() / 1000);
  return {
    partner_id: account.partnerId,
    timestamp: String(timestamp),
    sign: await signPath(account, path, timestamp, shop),
    ...(shop ? { access_token: shop.accessToken, shop_id: shop.shopId } : {}),
  };
}

/** The signature of a push (providers/shopee.md §8): over the registered address, a bar and the raw body. */
export async function signPush(key: string, url: string, rawBody: string): Promise<string> {
  return await hmacSha256Hex(key, `${url}|${rawBody}`);
}
