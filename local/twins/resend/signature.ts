import { createHmac } from "node:crypto";

/** `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; the key is what follows `whsec_`, decoded. */
export function webhookSignature(
  secret: string,
  id: string,
  timestampSeconds: number,
  body: string,
): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = createHmac("sha256", key).update(`${id}.${timestampSeconds}.${body}`);
  return `v1,${signed.digest("base64")}`;
}
