import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export interface Signed {
  method: string;
  target: string;
  time: string;
  nonce: string;
  timeout: string;
  /** Base64url, as it was sent. */
  headers: string;
  body: Buffer;
}

/** `relay-signature` of docs/relay.md. */
export function relaySignature(key: string, signed: Signed): string {
  const hash = createHash("sha256").update(signed.body).digest("hex");
  const { method, target, time, nonce, timeout, headers } = signed;
  const text = ["lumbung-relay-1", method, target, time, nonce, timeout, headers, hash].join("\n");
  return createHmac("sha256", key).update(text, "utf8").digest("hex");
}

export function isSigned(key: string, signed: Signed, given: string): boolean {
  const wanted = Buffer.from(relaySignature(key, signed));
  const said = Buffer.from(given);
  return said.length === wanted.length && timingSafeEqual(said, wanted);
}
