import { type Bytes, fromBase64, toBase64 } from "./encoding.ts";

const KEY_BYTES = 32;
/** Its key encrypts one thing, once: no two share this. */
const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };

/**
 * Encrypts bytes under a new key of their own (AES-256-GCM). The key (base64) is to be sealed where sealing keys are
 * rotated, so that what lies elsewhere, in a bucket, is never sealed anew.
 */
export async function encryptOnce(bytes: Bytes): Promise<{ key: string; encrypted: Bytes }> {
  const raw = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
  const encrypted = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, bytes));
  return { key: toBase64(raw), encrypted };
}

/** The bytes that `encryptOnce` encrypted, or null: another key, a changed byte. */
export async function decryptOnce(key: string, encrypted: Bytes): Promise<Bytes | null> {
  const raw = fromBase64(key);
  if (raw?.length !== KEY_BYTES) return null;
  const opened = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, opened, encrypted));
  } catch {
    return null;
  }
}
