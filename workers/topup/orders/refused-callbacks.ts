import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { type Bytes, seal, toBase64 } from "../../../shared/crypto/index.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type NoticeApplier, receiveNotice } from "../../../shared/inbox/inbox.ts";

const PROVIDER = "vip-reseller-refused";
const OWNER = "topup-callback-refused";
/** What one message holds. Sealed it is a third longer, and a queue takes 128 KB. */
const MOST_BYTES = 64_000;
/**
 * So many messages a minute and isolate begin at once; then each gathers for a second, so that real notices are not held
 * up. Who sends less than a message a second is never turned away; a flood is, after 7 MB in a minute.
 */
const PACE = { gatherMs: 20, busyMs: 1_000, quickAMinute: 60, mostAMinute: 120 };
/** What all refused callbacks together may take in the database; the oldest make room, and are counted. */
const MOST_STORED_BYTES = 100_000_000;
/** They are looked over for that with every so many messages of an isolate. */
const TRIM_EVERY = 32;

export type Refusal = "forged" | "unreadable";

/** A callback that is refused: its body, or the beginning of one that is too long, with what tells the rest. */
export interface Refused {
  verdict: Refusal;
  bytes: Bytes;
  tooLong?: { length: number; sha256: string };
}

interface Entry {
  verdict: Refusal;
  at: string;
  /** Base64: byte for byte, whatever was sent. */
  body: string;
  times: number;
  tooLong?: Refused["tooLong"];
}

/** Refused callbacks that go on the queue together. Equal ones are one entry. */
interface Parcel {
  entries: Map<string, Entry>;
  bytes: number;
  counts: Record<Refusal, number>;
  state: "open" | "sending" | "kept" | "lost";
}

/**
 * Keeps every callback that is refused, without the database on the way: those that come while a message is gathered go
 * with it, and what does not fit goes with the next one. Only of a flood that goes on are some turned away, with nothing
 * of them taken; how many is said by the next message.
 */
export class RefusedCallbacks {
  readonly #pace: typeof PACE;
  #open: Parcel | null = null;
  #minute = "";
  #openedInMinute = 0;
  #sent = 0;
  #turnedAway = 0;

  constructor(pace: Partial<typeof PACE> = {}) {
    this.#pace = { ...PACE, ...pace };
  }

  /**
   * Resolves when it is kept. Throws `rate_limited` for one that is turned away, and `unavailable` when the queue is out.
   * It goes on though the caller hangs up.
   */
  async keep(ctx: Ctx, refused: Refused): Promise<void> {
    const kept = this.#keep(ctx, refused);
    ctx.waitUntil(kept.catch(() => undefined));
    await kept;
  }

  async #keep(ctx: Ctx, refused: Refused): Promise<void> {
    const parcel = this.#put(ctx, refused);
    const { gatherMs, busyMs, quickAMinute } = this.#pace;
    await pause(this.#openedInMinute <= quickAMinute ? gatherMs : busyMs);
    if (parcel.state === "open") await this.#send(ctx, parcel);
    await isSent(parcel, gatherMs);
  }

  /** Puts it into the open parcel, or into a new one. */
  #put(ctx: Ctx, { verdict, bytes, tooLong }: Refused): Parcel {
    const at = ctx.now().toISOString();
    const entry: Entry = {
      verdict,
      at,
      body: toBase64(bytes),
      times: 1,
      ...(tooLong && { tooLong }),
    };
    if (this.#open && add(this.#open, entry)) return this.#open;
    const minute = at.slice(0, 16);
    if (this.#minute !== minute) [this.#minute, this.#openedInMinute] = [minute, 0];
    if (this.#openedInMinute >= this.#pace.mostAMinute) {
      this.#turnedAway += 1;
      throw new AppError("rate_limited", "Too many callbacks that are refused");
    }
    this.#openedInMinute += 1;
    this.#open = newParcel();
    add(this.#open, entry);
    return this.#open;
  }

  async #send(ctx: Ctx, parcel: Parcel): Promise<void> {
    parcel.state = "sending";
    if (this.#open === parcel) this.#open = null;
    this.#sent += 1;
    const dropped = this.#turnedAway;
    this.#turnedAway = 0;
    try {
      const { entries, counts } = parcel;
      const kept: Kept = {
        v: 1,
        place: crypto.randomUUID(),
        verdict: counts.forged > 0 ? "forged" : "unreadable",
        count: counts.forged + counts.unreadable,
        dropped,
        trim: this.#sent % TRIM_EVERY === 0,
        original: await seal(ctx.config, OWNER, JSON.stringify([...entries.values()])),
      };
      await receiveNotice(ctx, { provider: PROVIDER, body: JSON.stringify(kept) });
      parcel.state = "kept";
    } catch (error) {
      parcel.state = "lost";
      this.#turnedAway += dropped;
      throw error;
    }
  }
}

const MOST_LOOKS = 500;

/** Who woke first sends for all. The others look at its word: a promise of its request may not outlive it. */
async function isSent(parcel: Parcel, everyMs: number): Promise<void> {
  for (let look = 0; parcel.state === "sending" && look < MOST_LOOKS; look += 1) {
    await pause(everyMs);
  }
  if (parcel.state !== "kept") throw new AppError("unavailable", "");
}

const newParcel = (): Parcel => ({
  entries: new Map(),
  bytes: 0,
  counts: { forged: 0, unreadable: 0 },
  state: "open",
});

/** Whether there was room for it. An empty parcel has room for anything that a callback may be. */
function add(parcel: Parcel, entry: Entry): boolean {
  const { entries, counts } = parcel;
  const key = `${entry.verdict}/${entry.tooLong?.sha256 ?? ""}/${entry.body}`;
  const known = entries.get(key);
  if (known) {
    known.times += 1;
  } else {
    // All of it is ASCII.
    const bytes = JSON.stringify(entry).length;
    if (parcel.bytes + bytes > MOST_BYTES) return false;
    parcel.bytes += bytes;
    entries.set(key, entry);
  }
  counts[entry.verdict] += 1;
  return true;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What is kept of those that were gathered: how many, and their bodies sealed. */
const Kept = z.object({
  v: z.literal(1),
  place: z.string(),
  verdict: z.enum(["forged", "unreadable"]),
  count: z.number(),
  dropped: z.number(),
  trim: z.boolean(),
  original: z.string(),
});
type Kept = z.output<typeof Kept>;

/** What was refused has no effect; it is only kept, as long as there is room for it. */
export const refusedCallbackApplier: NoticeApplier = {
  provider: PROVIDER,
  eventKey: (_ctx, body) => Kept.parse(JSON.parse(body)).place,
  async apply(ctx, body) {
    if (Kept.parse(JSON.parse(body)).trim) await trimRefused(ctx);
    return "applied";
  },
};

/** Makes room: the oldest refused callbacks are forgotten, and how many they were is noted. */
export async function trimRefused(ctx: Ctx, mostBytes = MOST_STORED_BYTES): Promise<void> {
  const input = { provider: PROVIDER, most_bytes: mostBytes };
  const shape = z.object({ forgotten: z.number() });
  const { forgotten } = await ctx.db.run(call("topup_callbacks_trim", input, shape));
  if (forgotten > 0) ctx.log.warn("refused callbacks forgotten", { forgotten, alert: true });
}
