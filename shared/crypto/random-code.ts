import { toBase64Url } from "./encoding.ts";

/** Crockford's base 32: no I, L, O or U, so that a code survives being read aloud or copied by hand. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A code of `length` symbols with 5 random bits each. 32 divides 256, so every symbol is equally likely. */
export function randomBase32(length: number): string {
  let code = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) code += ALPHABET[byte & 31];
  return code;
}

/** An unguessable token of `byteLength` random bytes, in base64url. */
export function randomToken(byteLength = 32): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(byteLength)));
}
