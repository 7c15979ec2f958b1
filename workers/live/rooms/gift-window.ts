import type { Asker, GiftQueue, WaitingGift } from "./gift-queue.ts";
import type { GiftWish } from "./ops.ts";

/** How many gifts one call of Postgres takes. */
const PER_CALL = 500;
/** So many wait at most, for a database that is away; more are refused while nothing is promised yet. */
const MAX_WAITING = 5_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;
/** After so many failures in a row gifts go one by one, so that one which always fails holds up no other. */
const FAILURES_BEFORE_SINGLE = 4;

/** `full`: too many wait. `mismatch`: another gift waits under this key. */
export type Taken = "taken" | "full" | "mismatch";

/** What its sender hears of a gift that was not taken. */
export const NOT_TAKEN = {
  full: { code: "unavailable", message: "Server sibuk, coba lagi sebentar" },
  mismatch: {
    code: "idempotency_mismatch",
    message: "Idempotency-Key sudah dipakai untuk permintaan lain",
  },
};

export interface Decision<Result> {
  gift: WaitingGift;
  result: Result;
}

export interface GiftWindowParts<Result> {
  queue: GiftQueue;
  now(): number;
  /** Writes the gifts in one call and answers each, in order. Throws when nothing is known of any. */
  send(gifts: WaitingGift[]): Promise<Result[]>;
  /** The gifts of one call are decided; called once, after they have left the queue. */
  decided(decisions: Decision<Result>[]): void;
  failed(error: unknown): void;
  /** `dueAt` changed: the object must be awake then, whatever happens to this memory. */
  dueChanged(): void;
}

/**
 * Gathers the gifts of a room: the first is written at once; while a write is under way the next ones gather and leave
 * together with the end of it. Every gift is in storage, under a key made once, before it is taken, and leaves storage
 * only with its answer; so neither a lost database nor a lost object loses one, and the key keeps it from moving twice.
 */
export class GiftWindow<Result> {
  readonly #parts: GiftWindowParts<Result>;
  #underWay: Promise<void> | null = null;
  #failures = 0;
  /** When to try again, or to look whether a write that is under way has died; 0 after an eviction: at once. */
  #retryAt = 0;

  constructor(parts: GiftWindowParts<Result>) {
    this.#parts = parts;
  }

  /** Takes a gift, once under its key; everybody who asks for it there is answered with it. */
  accept(wish: GiftWish, asker: Asker): Taken {
    const { queue, now } = this.#parts;
    const waiting = queue.find(wish.key);
    if (waiting) {
      if (!isSameGift(waiting.wish, wish)) return "mismatch";
      return queue.addAsker(waiting, asker) ? "taken" : "full";
    }
    if (queue.size >= MAX_WAITING) return "full";
    queue.add(wish, asker, now());
    if (this.#failures === 0) void this.run();
    return "taken";
  }

  /** When the object must be awake for what waits; null when nothing does. */
  get dueAt(): number | null {
    return this.#parts.queue.size > 0 ? this.#retryAt : null;
  }

  /** Writes what waits, window by window, until nothing does or Postgres does not answer. Safe to call at any time. */
  run(): Promise<void> {
    this.#underWay ??= this.#writeAll();
    return this.#underWay;
  }

  async #writeAll(): Promise<void> {
    try {
      // What was asked in the same turn belongs to the first window.
      await Promise.resolve();
      while (this.#parts.queue.size > 0) if (!(await this.#writeOnce())) break;
    } finally {
      this.#underWay = null;
    }
  }

  async #writeOnce(): Promise<boolean> {
    const { queue, now } = this.#parts;
    const isSingle = this.#failures >= FAILURES_BEFORE_SINGLE;
    const gifts = queue.oldest(isSingle ? 1 : PER_CALL);
    this.#plan(LONGEST_RETRY_MS);
    try {
      const results = await this.#parts.send(gifts);
      if (results.length !== gifts.length) throw new Error("not every gift was answered");
      this.#failures = 0;
      const gone = queue.remove(gifts);
      this.#parts.decided(gone.map((gift, i) => ({ gift, result: results[i] as Result })));
      return true;
    } catch (error) {
      this.#failures += 1;
      if (isSingle && gifts[0]) queue.postpone(gifts[0].wish.key, now());
      const backOff = FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10);
      this.#plan(Math.min(backOff, LONGEST_RETRY_MS));
      this.#parts.failed(error);
      return false;
    }
  }

  #plan(inMs: number): void {
    this.#retryAt = this.#parts.now() + inMs;
    this.#parts.dueChanged();
  }
}

/** The same in what Postgres compares of a gift that is written; the room is this one. */
function isSameGift(a: GiftWish, b: GiftWish): boolean {
  const isForSame = a.senderId === b.senderId && a.receiverId === b.receiverId;
  return isForSame && a.giftId === b.giftId && a.count === b.count;
}
