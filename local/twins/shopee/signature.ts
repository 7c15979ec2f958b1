import { createHmac, timingSafeEqual } from "node:crypto";

/** shopee.md section 4: lower-case hex HMAC-SHA256 over the parts joined without separators. */
export function requestSign(partnerKey: string, parts: readonly string[]): string {
  return createHmac("sha256", partnerKey).update(parts.join("")).digest("hex");
}

/** shopee.md section 8: over the registered address, a bar and the body. */
export function pushSign(pushKey: string, url: string, body: string): string {
  return createHmac("sha256", pushKey).update(`${url}|${body}`).digest("hex");
}

export function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
