import { createHmac } from "node:crypto";

/** replicate.md section 3: base64 HMAC-SHA256 under the decoded secret, over id, time and body. */
export function webhookSignature(
  secret: string,
  id: string,
  timestamp: string,
  body: string,
): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const sum = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return `v1,${sum}`;
}
