import {
  fromBase64Url,
  randomToken,
  sha256Hex,
  toBase64Url,
  toHex,
} from "../../../shared/crypto/index.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";

/**
 * A key as its owner copies it: `lbk_<user>_<id of the key><secret>`. It names its owner and itself, so that a request
 * can act for him while the key is still being checked, in the same transaction.
 */
const KEY = /^lbk_([0-9a-z]{1,11})_([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{43})$/;
const SHOWN_OF_ID = 8;

export interface ReadKey {
  id: string;
  userId: number;
  /** What lists show of it. */
  prefix: string;
  hash: string;
}

/** What a key claims; null when it is none of ours. The database says whether it holds. */
export async function readKey(text: string): Promise<ReadKey | null> {
  const [, owner = "", name = ""] = KEY.exec(text) ?? [];
  const userId = Number.parseInt(owner, 36);
  const id = fromBase64Url(name);
  if (!Number.isSafeInteger(userId) || userId <= 0 || id?.length !== 16) return null;
  return { id: uuidOf(id), userId, prefix: prefixOf(owner, name), hash: await sha256Hex(text) };
}

/** A new key of that user: its secret part holds 256 random bits, so a plain digest of it is enough to keep. */
export async function makeKey(userId: number, now: Date): Promise<ReadKey & { key: string }> {
  const id = uuidv7(now);
  const name = toBase64Url(
    Uint8Array.from(id.replaceAll("-", "").match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)),
  );
  const owner = userId.toString(36);
  const key = `lbk_${owner}_${name}${randomToken(32)}`;
  return { key, id, userId, prefix: prefixOf(owner, name), hash: await sha256Hex(key) };
}

/** The end of the id: its beginning is a time, which two keys may share. */
const prefixOf = (owner: string, name: string) => `lbk_${owner}_…${name.slice(-SHOWN_OF_ID)}`;

function uuidOf(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
