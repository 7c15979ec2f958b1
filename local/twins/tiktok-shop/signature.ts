import { createHmac, timingSafeEqual } from "node:crypto";

/** tokopedia.md section 4: query but `sign` and `access_token`, path in front, body behind, secret around. */
export function requestSign(
  secret: string,
  path: string,
  query: Iterable<readonly [string, string]>,
  body: Buffer | string,
): string {
  const sorted = [...query]
    .filter(([name]) => name !== "sign" && name !== "access_token")
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const text = path + sorted.map(([name, value]) => name + value).join("");
  return createHmac("sha256", secret)
    .update(secret + text)
    .update(body)
    .update(secret)
    .digest("hex");
}

/** tokopedia.md section 7: app key and body. */
export function pushSign(secret: string, appKey: string, body: string): string {
  return createHmac("sha256", secret)
    .update(appKey + body)
    .digest("hex");
}

export function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
