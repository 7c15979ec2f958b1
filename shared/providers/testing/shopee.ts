import type { MarketplaceClient } from "../marketplace.ts";
import { signedQuery } from "../shopee/signature.ts";
import { createShopee, type ShopeeOptions } from "../shopee.ts";
import type { FakeNetwork } from "./fake-network.ts";
import { auth } from "./marketplace.ts";

export const BASE = "https://shopee.example";
export const PARTNER_ID = "2001887";
export const PARTNER_KEY = "test_partner_key_0001";
export const PUSH_KEY = "test_push_key_0001";
export const PUSH_URL = "https://app.example.com/webhooks/shopee";
/** The second of the vectors in providers/shopee.md §4. */
export const AT = new Date(1_655_714_431_000);

/** A client that talks to nobody but the fake network, and never waits. */
export function fakeShopee(
  network: FakeNetwork,
  changes: Partial<ShopeeOptions> = {},
): MarketplaceClient {
  return createShopee({
    partnerId: PARTNER_ID,
    partnerKey: PARTNER_KEY,
    pushKey: PUSH_KEY,
    pushUrl: PUSH_URL,
    baseUrl: BASE,
    authUrl: "https://open.shopee.example",
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
    now: () => AT,
    ...changes,
  });
}

export const ok = (response: unknown, warning = "") => ({
  error: "",
  message: "",
  warning,
  request_id: "req-1",
  response,
});
export const no = (error: string, message = "", response?: unknown) => ({
  error,
  message,
  request_id: "req-1",
  ...(response === undefined ? {} : { response }),
});

/** The address of a call, signed for the shop, or for none. The signature itself is proven by the vectors. */
export async function address(
  name: string,
  extra: Record<string, string> = {},
  shop: { accessToken: string; shopId: string } | null = auth(),
): Promise<string> {
  const path = `/api/v2/${name}`;
  const account = { partnerId: PARTNER_ID, partnerKey: PARTNER_KEY };
  const query = { ...(await signedQuery(account, path, AT, shop ?? undefined)), ...extra };
  return `${BASE}${path}?${new URLSearchParams(query).toString()}`;
}
