import { SIGNATURE_HEADERS, SIGNATURE_WINDOW_MS } from "../../../shared/agent-protocol/index.ts";
import { fromBase64Url, utf8 } from "../../../shared/crypto/index.ts";

export interface Signed {
  server: string;
  time: number;
  nonce: string;
  signature: string;
}

/** What a call says of its signature, or null where that cannot be one or is not of this minute. */
export function readSigned(headers: Headers, now: number): Signed | null {
  const word = (name: keyof typeof SIGNATURE_HEADERS) => headers.get(SIGNATURE_HEADERS[name]) ?? "";
  const [server, stamp, nonce, signature] = [
    word("server"),
    word("time"),
    word("nonce"),
    word("signature"),
  ];
  const isShaped =
    /^[\w-]{1,100}$/.test(server) &&
    /^\d{13}$/.test(stamp) &&
    /^[\w-]{16,64}$/.test(nonce) &&
    /^[\w-]{86}$/.test(signature);
  const time = Number(stamp);
  if (!isShaped || Math.abs(now - time) > SIGNATURE_WINDOW_MS) return null;
  return { server, time, nonce, signature };
}

/** Whether the key (raw Ed25519, base64url) signed the text. */
export async function hasSigned(
  publicKey: string,
  signature: string,
  text: string,
): Promise<boolean> {
  const [key, signed] = [fromBase64Url(publicKey), fromBase64Url(signature)];
  if (key?.length !== 32 || signed?.length !== 64) return false;
  const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, [
    "verify",
  ]);
  return await crypto.subtle.verify({ name: "Ed25519" }, imported, signed, utf8(text));
}
