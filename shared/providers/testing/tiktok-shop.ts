import type { MarketplaceClient } from "../marketplace.ts";
import { signedQuery } from "../tiktok-shop/signature.ts";
import { createTikTokShop, type TikTokShopOptions } from "../tiktok-shop.ts";
import type { FakeNetwork } from "./fake-network.ts";

export const BASE = "https://tts.example";
export const AUTH = "https://auth.tts.example";
export const APP_KEY = "testkey123";
export const APP_SECRET = "testsecret456";
export const CIPHER = "sample_cipher";
/** The second of the computed vectors in providers/tokopedia.md §4. */
export const AT = new Date(1_700_000_000_000);

/** A client that talks to nobody but the fake network, and never waits. */
export function fakeTikTokShop(
  network: FakeNetwork,
  changes: Partial<TikTokShopOptions> = {},
): MarketplaceClient {
  return createTikTokShop({
    appKey: APP_KEY,
    appSecret: APP_SECRET,
    serviceId: "7300000000000000001",
    baseUrl: BASE,
    authUrl: AUTH,
    servicesUrl: "https://services.tts.example",
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
    now: () => AT,
    ...changes,
  });
}

export const ok = (data: unknown) => ({ code: 0, message: "Success", request_id: "req-1", data });
export const no = (code: number, message: string) => ({
  code,
  message,
  request_id: "req-1",
  data: null,
});

/** The address of a call with the shop's cipher, or without. The signature itself is proven by the vectors. */
export async function address(
  path: string,
  given: { query?: Record<string, string>; json?: unknown; cipher?: string | null } = {},
): Promise<string> {
  const { query = {}, json, cipher = CIPHER } = given;
  const own = cipher === null ? query : { ...query, shop_cipher: cipher };
  const body = json === undefined ? "" : JSON.stringify(json);
  const account = { appKey: APP_KEY, appSecret: APP_SECRET };
  const signed = await signedQuery(account, path, own, { now: AT, body });
  return `${BASE}${path}?${new URLSearchParams(signed).toString()}`;
}
