import { hmacSha256Hex } from "../../crypto/index.ts";

/** One app at TikTok Shop. */
export interface TikTokAccount {
  appKey: string;
  appSecret: string;
}

/**
 * The signature of a request (providers/tokopedia.md §4): path, the query's names and decoded values sorted by name
 * without `sign` and `access_token`, the exact body unless it is a multipart form; all between two app secrets.
 */
export async function signRequest(
  appSecret: string,
  path: string,
  query: Record<string, string>,
  body: string,
): Promise<string> {
  const sorted = Object.entries(query)
    .filter(([name]) => name !== "sign" && name !== "access_token")
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => name + value)
    .join("");
  return await hmacSha256Hex(appSecret, `${appSecret}${path}${sorted}${body}${appSecret}`);
}

/** The query with the signature in it. */
export async function signedQuery(
  { appKey, appSecret }: TikTokAccount,
  path: string,
  own: Record<string, string>,
  { now, body }: { now: Date; body: string },
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const query = { ...own, app_key: appKey, timestamp };
  return { ...query, sign: await signRequest(appSecret, path, query, body) };
}

/** The signature of a push (providers/tokopedia.md §7): app key and raw body. */
export async function signPush(
  { appKey, appSecret }: TikTokAccount,
  rawBody: string,
): Promise<string> {
  return await hmacSha256Hex(appSecret, appKey + rawBody);
}
