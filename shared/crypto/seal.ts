import type { Config } from "../config/config.ts";
import { type Bytes, fromBase64, toBase64, utf8 } from "./encoding.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;
const TAG_BITS = TAG_BYTES * 8;

/** What sealing needs of the configuration: the first key seals, all of them open. */
type SealingKeys = Pick<Config, "SEALING_KEYS">;

/**
 * Encrypts a text that only its owner may read (AES-256-GCM): `<key id>.<base64 of iv, tag, ciphertext>`. `owner` says
 * what it belongs to ("order/…"): opened for anything else it is as good as forged, so that a row cannot be given
 * another row's secret.
 */
export async function seal(config: SealingKeys, owner: string, text: string): Promise<string> {
  const [first] = config.SEALING_KEYS;
  if (!first) throw new Error("there is no sealing key");
  const [kid, secret] = first;
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const key = await keyOf(secret);
  const algorithm = { name: "AES-GCM", iv, additionalData: utf8(owner), tagLength: TAG_BITS };
  // WebCrypto puts the tag last.
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, utf8(text)));
  const body = sealed.subarray(0, -TAG_BYTES);
  const tag = sealed.subarray(-TAG_BYTES);
  return `${kid}.${toBase64(joined(iv, tag, body))}`;
}

/** The text that `seal` sealed for this owner, or null: another owner, a key that is gone, a changed byte. */
export async function unseal(
  config: SealingKeys,
  owner: string,
  sealed: string,
): Promise<string | null> {
  const dot = sealed.lastIndexOf(".");
  const secret = config.SEALING_KEYS.find(([kid]) => kid === sealed.slice(0, dot))?.[1];
  const bytes = fromBase64(sealed.slice(dot + 1));
  if (dot < 0 || !secret || !bytes || bytes.length < IV_BYTES + TAG_BYTES) return null;
  const iv = bytes.slice(0, IV_BYTES);
  const tag = bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
  const body = bytes.subarray(IV_BYTES + TAG_BYTES);
  const algorithm = { name: "AES-GCM", iv, additionalData: utf8(owner), tagLength: TAG_BITS };
  try {
    const opened = await crypto.subtle.decrypt(algorithm, await keyOf(secret), joined(body, tag));
    return new TextDecoder().decode(opened);
  } catch {
    return null;
  }
}

function joined(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const keys = new Map<string, Promise<CryptoKey>>();

/** The AES key of a configured secret (HKDF-SHA256), derived once per isolate. */
function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const made = derive(secret);
  keys.set(secret, made);
  return made;
}

async function derive(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", utf8(secret), "HKDF", false, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: utf8("lumbung"), info: utf8("seal/v1") };
  const aes = { name: "AES-GCM", length: 256 };
  return await crypto.subtle.deriveKey(hkdf, material, aes, false, ["encrypt", "decrypt"]);
}
