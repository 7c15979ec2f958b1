import { hmacSha256Hex } from "../../crypto/index.ts";

/** One app at Lazada. */
export interface LazadaAccount {
  appKey: string;
  appSecret: string;
}

/**
 * The signature of a call (providers/lazada.md §3): the path without `/rest`, then every parameter but `sign` and
 * files, sorted by name, each as name and value, empty ones left out; upper-case hex.
 */
export async function signCall(
  appSecret: string,
  path: string,
  params: Record<string, string>,
): Promise<string> {
  const sorted = Object.entries(params)
    .filter(([name, value]) => name !== "sign" && value !== "")
    // By code unit: a locale would sort in another order.
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const joined = sorted.map(([name, value]) => name + value).join("");
  return (await hmacSha256Hex(appSecret, path + joined)).toUpperCase();
}

/** What every call carries beside its own parameters, the signature over both included. */
export async function systemParams(
  { appKey, appSecret }: LazadaAccount,
  path: string,
  own: Record<string, string>,
  context: { now: Date; accessToken?: string | undefined },
): Promise<Record<string, string>> {
  const system = {
    app_key: appKey,
    timestamp: String(context.now.getTime()),
    sign_method: "sha256",
    ...(context.accessToken ? { access_token: context.accessToken } : {}),
  };
  return { ...system, sign: await signCall(appSecret, path, { ...own, ...system }) };
}

/** The signature of a push (providers/lazada.md §6): lower-case hex over app key and raw body. */
export async function signPush(
  { appKey, appSecret }: LazadaAccount,
  rawBody: string,
): Promise<string> {
  return await hmacSha256Hex(appSecret, appKey + rawBody);
}
