import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import {
  type Bytes,
  decryptOnce,
  encryptOnce,
  gunzip,
  gzip,
  seal,
  sha256Hex,
  toBase64,
  unseal,
  utf8,
} from "../../../shared/crypto/index.ts";

/** The key of a parcel is sealed under this name. */
const OWNER = "topup-callback-refused";
/** What one message holds, before it is packed. As base64 it is a third longer at most, and a queue takes 128 KB. */
const MOST_BYTES = 90_000;
/** Of the addresses that it came from, the busiest are named beside the parcel. */
const MOST_NAMED = 5;

export type Refusal = "forged" | "unreadable";

/** A callback that is refused, as far as it was read. */
export interface Refused {
  verdict: Refusal;
  form: "provider" | "specification" | null;
  from: string;
  /** The supplier's signature is right; it is refused for what it says, or for its length. */
  isSigned: boolean;
  bytes: Bytes;
  length: number;
}

/** What is kept of it. Equal ones from one address that come together are one entry. */
const Entry = z.object({
  verdict: z.enum(["forged", "unreadable"]),
  form: z.enum(["provider", "specification"]).nullable(),
  from: z.string(),
  at: z.string(),
  lastAt: z.string(),
  times: z.number(),
  length: z.number(),
  /** Of what was read of it. */
  sha256: z.string(),
  /** Base64, byte for byte: all of it, or its beginning. */
  body: z.string(),
});
export type Entry = z.output<typeof Entry>;

/** The entry of a callback, with no more than so many bytes of its body. */
export async function entryOf(ctx: Ctx, refused: Refused, mostBytes: number): Promise<Entry> {
  const { verdict, form, from, bytes, length } = refused;
  const at = ctx.now().toISOString();
  const body = toBase64(bytes.subarray(0, mostBytes));
  const sha256 = await sha256Hex(bytes);
  return { verdict, form, from, at, lastAt: at, times: 1, length, sha256, body };
}

/** What a parcel is on the queue: what may be read of it, and the rest encrypted under a key of its own. */
export const Packed = z.object({
  v: z.literal(2),
  place: z.string(),
  verdict: z.enum(["forged", "unreadable"]),
  count: z.number(),
  /** How many addresses, and the busiest of them. */
  sources: z.number(),
  from: z.array(z.object({ address: z.string(), count: z.number() })),
  firstAt: z.string(),
  lastAt: z.string(),
  key: z.string(),
  entries: z.string(),
});
export type Packed = z.output<typeof Packed>;

/** Refused callbacks that go on the queue together. */
export class Parcel {
  state: "open" | "sending" | "kept" | "lost" = "open";
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** Whether there was room for it. An empty parcel has room for anything that a callback may be. */
  add(entry: Entry): boolean {
    const key = [entry.verdict, entry.form, entry.from, entry.length, entry.sha256].join("/");
    const known = this.#entries.get(key);
    if (known) {
      known.times += 1;
      known.lastAt = entry.at;
      return true;
    }
    // All of it is ASCII.
    const bytes = JSON.stringify(entry).length;
    if (this.#bytes > 0 && this.#bytes + bytes > MOST_BYTES) return false;
    this.#bytes += bytes;
    this.#entries.set(key, entry);
    return true;
  }

  async pack(ctx: Ctx): Promise<Packed> {
    const entries = [...this.#entries.values()];
    const { key, encrypted } = await encryptOnce(await gzip(utf8(JSON.stringify(entries))));
    const counts = new Map<string, number>();
    for (const { from, times } of entries) counts.set(from, (counts.get(from) ?? 0) + times);
    const busiest = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_NAMED);
    const times = entries.map(({ at }) => at).concat(entries.map(({ lastAt }) => lastAt));
    times.sort();
    return {
      v: 2,
      place: crypto.randomUUID(),
      verdict: entries.some(({ verdict }) => verdict === "forged") ? "forged" : "unreadable",
      count: entries.reduce((sum, entry) => sum + entry.times, 0),
      sources: counts.size,
      from: busiest.map(([address, count]) => ({ address, count })),
      firstAt: times[0] ?? "",
      lastAt: times.at(-1) ?? "",
      key: await seal(ctx.config, OWNER, key),
      entries: toBase64(encrypted),
    };
  }
}

/** What was packed, or null: its sealing key is gone. */
export async function unpack(ctx: Ctx, key: string, encrypted: Bytes): Promise<Entry[] | null> {
  const opened = await unseal(ctx.config, OWNER, key);
  const packed = opened === null ? null : await decryptOnce(opened, encrypted);
  if (!packed) return null;
  return z.array(Entry).parse(JSON.parse(new TextDecoder().decode(await gunzip(packed))));
}
