import { systemParams } from "../lazada/signature.ts";
import { createLazada, type LazadaOptions } from "../lazada.ts";
import type { MarketplaceClient } from "../marketplace.ts";
import type { FakeNetwork } from "./fake-network.ts";

export const BASE = "https://lazada.example/rest";
export const AUTH = "https://auth.lazada.example";
export const APP_KEY = "123456";
export const APP_SECRET = "helloworld";
/** The moment of the vectors in providers/lazada.md §3. */
export const AT = new Date(1_517_820_392_000);

/** A client that talks to nobody but the fake network, and never waits. */
export function fakeLazada(
  network: FakeNetwork,
  changes: Partial<LazadaOptions> = {},
): MarketplaceClient {
  return createLazada({
    appKey: APP_KEY,
    appSecret: APP_SECRET,
    baseUrl: BASE,
    authUrl: AUTH,
    timeoutMs: 25,
    fetch: network.fetch,
    random: () => 0,
    sleep: async () => undefined,
    now: () => AT,
    ...changes,
  });
}

export const ok = (data: unknown) => ({ code: "0", data, request_id: "req-1" });
export const no = (code: string, message = "", more: Record<string, unknown> = {}) => ({
  code,
  type: "ISV",
  message,
  request_id: "req-1",
  ...more,
});

/** The system part of a call's query. The signature itself is proven by the vectors. */
async function systemQuery(path: string, own: Record<string, string>, accessToken: string | null) {
  const account = { appKey: APP_KEY, appSecret: APP_SECRET };
  return await systemParams(account, path, own, {
    now: AT,
    ...(accessToken ? { accessToken } : {}),
  });
}

/** The address of a read, all of whose parameters stand in the query. */
export async function readAddress(path: string, own: Record<string, string> = {}) {
  const query = { ...(await systemQuery(path, own, "sample_access_token")), ...own };
  return `${BASE}${path}?${new URLSearchParams(query).toString()}`;
}

/** The address of a write, whose own parameters stand in its form; of the auth gateway where there is no token. */
export async function writeAddress(
  path: string,
  own: Record<string, string>,
  accessToken: string | null = "sample_access_token",
) {
  const query = await systemQuery(path, own, accessToken);
  const base = accessToken === null ? `${AUTH}/rest` : BASE;
  return `${base}${path}?${new URLSearchParams(query).toString()}`;
}

export const payloadOf = (product: unknown) => ({
  payload: JSON.stringify({ Request: { Product: product } }),
});
