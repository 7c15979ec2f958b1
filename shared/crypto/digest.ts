import { createHash } from "node:crypto";
import { type Bytes, toBase64, toBase64Url, toBytes, toHex, utf8 } from "./encoding.ts";

type HashName = "SHA-256" | "SHA-512";

async function digest(name: HashName, value: string | Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(name, toBytes(value)));
}

export function sha256(value: string | Bytes): Promise<Bytes> {
  return digest("SHA-256", value);
}

export async function sha256Hex(value: string | Bytes): Promise<string> {
  return toHex(await digest("SHA-256", value));
}

export async function sha512Hex(value: string | Bytes): Promise<string> {
  return toHex(await digest("SHA-512", value));
}

/** MD5 in lower-case hex, for a provider that signs with it; nothing of ours does. */
export function md5Hex(value: string | Bytes): string {
  return createHash("md5").update(toBytes(value)).digest("hex");
}

/** HMAC-SHA256 of a text or bytes under a text or raw key. */
export async function hmacSha256(key: string | Bytes, value: string | Bytes): Promise<Bytes> {
  // WebCrypto in Node refuses a key of no bytes; an empty secret is a mistake anyway.
  const raw = toBytes(key);
  if (raw.byteLength === 0) throw new Error("an HMAC key is empty");
  const imported = await crypto.subtle.importKey(
    "raw",
    raw,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, toBytes(value)));
}

export async function hmacSha256Hex(key: string | Bytes, value: string | Bytes): Promise<string> {
  return toHex(await hmacSha256(key, value));
}

export async function hmacSha256Base64(
  key: string | Bytes,
  value: string | Bytes,
): Promise<string> {
  return toBase64(await hmacSha256(key, value));
}

export async function hmacSha256Base64Url(
  key: string | Bytes,
  value: string | Bytes,
): Promise<string> {
  return toBase64Url(await hmacSha256(key, value));
}

/** `Basic …` of RFC 7617 for a user name and a password. */
export function basicAuth(user: string, password: string): string {
  return `Basic ${toBase64(utf8(`${user}:${password}`))}`;
}
