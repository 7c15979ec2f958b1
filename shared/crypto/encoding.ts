/** Bytes that `crypto.subtle` accepts: never a view on shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

export function utf8(text: string): Bytes {
  // The copy pins the buffer's type, which the two runtimes' type packages declare differently.
  return new Uint8Array(encoder.encode(text));
}

/** Text is taken as UTF-8, bytes as they are. */
export function toBytes(value: string | Bytes): Bytes {
  return typeof value === "string" ? utf8(value) : value;
}

export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** RFC 4648 section 5, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of strict base64, or null: `atob` alone would forgive white space and missing padding. */
export function fromBase64(text: string): Bytes | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The bytes of base64url with or without padding, or null. */
export function fromBase64Url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*={0,2}$/.test(text)) return null;
  const bare = text.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
  return fromBase64(bare.padEnd(Math.ceil(bare.length / 4) * 4, "="));
}
