import type { ObjectTables } from "../object-tables.ts";
import { lightOf } from "../socketio/index.ts";
import type { Frame } from "./ops.ts";

/** As long as a socket may be away and go on. */
const KEPT_MS = 60_000;
const MAX_KEPT = 500;
const PER_MS = 1_000;
/** Of a room that speaks more often than that, each word is not written down. */
const QUIET_MS = 2_000;

/** What a socket has not heard; not `isWhole` where some of it is no longer kept, or may not be. */
export interface Missed {
  frames: Frame[];
  isWhole: boolean;
}

/**
 * What a room said lately, numbered: a socket that comes back gets here what was said after the last that reached its
 * shard. Numbers are made of the time, so that those of two lives of the object do not meet. The last number is written
 * with every word of a slow room; a busy one writes that it speaks, and the last when it is quiet again: a life that was
 * cut off in between may have said anything.
 */
export class Recent {
  readonly #tables: ObjectTables;
  readonly #now: () => number;
  readonly #later: (ms: number, act: () => void) => void;
  #isKnown = false;
  #mark = 0;
  #kept: Frame[] = [];
  /** All that was said after this number is kept; what an earlier life of the object said is not. */
  #goneTo = 0;
  #isSpeaking = false;
  #writtenAt = 0;

  constructor(
    tables: ObjectTables,
    now: () => number,
    later: (ms: number, act: () => void) => void = (ms, act) => void setTimeout(act, ms),
  ) {
    this.#tables = tables;
    this.#now = now;
    this.#later = later;
  }

  /** The number of what was said last; 0 where nothing was. */
  get mark(): number {
    this.#load();
    return this.#mark;
  }

  /** Numbers what is about to be said, and keeps it. What the next of its kind replaces has no number of its own. */
  note(frame: Omit<Frame, "after" | "mark">): Frame {
    const after = this.mark;
    if (frame.isVolatile) return { ...frame, after, mark: after };
    this.#mark = Math.max(after + 1, this.#now() * PER_MS);
    this.#speak();
    const noted = { ...frame, after, mark: this.#mark };
    this.#kept.push({ ...noted, event: lightOf(noted.event) });
    if (this.#kept.length > MAX_KEPT * 2) this.#forget(MAX_KEPT);
    return noted;
  }

  /** What a socket has not heard that heard everything up to a number; of one that names none nothing is known. */
  since(mark: number | null, socket: string): Missed {
    this.#load();
    const oldest = (this.#now() - KEPT_MS) * PER_MS;
    this.#forget(this.#kept.filter((frame) => frame.mark < oldest).length);
    if (mark === null) return { frames: [], isWhole: false };
    return {
      frames: this.#kept.filter((frame) => frame.mark > mark && frame.except !== socket),
      isWhole: mark >= this.#goneTo,
    };
  }

  #forget(count: number): void {
    const gone = this.#kept.splice(0, count);
    this.#goneTo = gone.at(-1)?.mark ?? this.#goneTo;
  }

  /** Written before it is said. A room without tables was never joined: nobody can have missed anything of it. */
  #speak(): void {
    if (this.#isSpeaking || !this.#tables.made) return;
    this.#isSpeaking = this.#now() - this.#writtenAt < QUIET_MS;
    this.#write(this.#isSpeaking ? 1 : 0);
    if (this.#isSpeaking) this.#later(QUIET_MS, () => this.#rest());
  }

  #rest(): void {
    const quietMs = this.#now() - this.mark / PER_MS;
    if (quietMs < QUIET_MS) {
      this.#later(QUIET_MS, () => this.#rest());
      return;
    }
    this.#isSpeaking = false;
    if (this.#tables.made) this.#write(0);
  }

  #write(isSpeaking: 0 | 1): void {
    this.#writtenAt = this.#now();
    const query = "insert or replace into said values (1, ?, ?)";
    this.#tables.write(query, this.mark, isSpeaking);
  }

  #load(): void {
    if (this.#isKnown) return;
    this.#isKnown = true;
    const [row] = this.#tables.rows<{ last: number; is_speaking: number }>("select * from said");
    const last = row?.last ?? 0;
    this.#mark = row?.is_speaking ? Math.max(last, (this.#now() + 1) * PER_MS) : last;
    this.#goneTo = this.#mark;
  }
}
