import type { Frame } from "./ops.ts";

/** Longer than a socket is on its way from one shard to another. */
const KEPT_MS = 8_000;
const MAX_KEPT = 500;
const PER_MS = 1_000;

/**
 * What a room said in the last seconds, numbered: a socket that comes from another shard gets here what was said after
 * the last that reached it there. Numbers are made of the time, so that those of two lives of the object do not meet.
 */
export class Recent {
  #mark = 0;
  #kept: Frame[] = [];

  /** The number of what was said last. */
  get mark(): number {
    return this.#mark;
  }

  /** Numbers what is about to be said, and keeps it unless the next of its kind replaces it. */
  note(frame: Omit<Frame, "mark">, now: number): Frame {
    this.#mark = Math.max(this.#mark + 1, now * PER_MS);
    const noted = { ...frame, mark: this.#mark };
    if (frame.isVolatile) return noted;
    this.#kept.push(noted);
    if (this.#kept.length > MAX_KEPT * 2) this.#kept = this.#kept.slice(-MAX_KEPT);
    return noted;
  }

  /** What a socket has not heard that heard everything up to a number; nothing for one that names none. */
  since(mark: number | null, socket: string, now: number): Frame[] {
    const oldest = (now - KEPT_MS) * PER_MS;
    this.#kept = this.#kept.filter((frame) => frame.mark >= oldest);
    if (mark === null) return [];
    return this.#kept.filter((frame) => frame.mark > mark && frame.except !== socket);
  }
}
