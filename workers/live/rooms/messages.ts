import { z } from "zod";
import type { ObjectTables } from "../object-tables.ts";

export const KEPT_MESSAGES = 100;
/** How long a message waits to be written at most. */
export const SAVE_AFTER_MS = 1_000;

interface Kept {
  /** Oldest first, each as it was said. */
  list: string[];
  /** When the last one was said; 0 where nothing was. */
  lastAt: number;
}

const List = z.array(z.string());

/**
 * The last 100 chat messages of a room, in memory, and behind it in one row that is written over at most once a second
 * while something new is said. Nobody waits for that write: an eviction may take the last second of chat out of this
 * history. Only chat is kept so; gifts and membership are written before anybody hears of them.
 */
export class Messages {
  readonly #tables: ObjectTables;
  readonly #now: () => number;
  readonly #later: (ms: number, act: () => void) => void;
  #kept: Kept | null = null;
  #isUnsaved = false;

  constructor(
    tables: ObjectTables,
    now: () => number = () => Date.now(),
    later: (ms: number, act: () => void) => void = (ms, act) => void setTimeout(act, ms),
  ) {
    this.#tables = tables;
    this.#now = now;
    this.#later = later;
  }

  keep(json: string): void {
    const kept = this.#load();
    kept.list.push(json);
    if (kept.list.length > KEPT_MESSAGES) kept.list.shift();
    kept.lastAt = this.#now();
    if (this.#isUnsaved) return;
    this.#isUnsaved = true;
    this.#later(SAVE_AFTER_MS, () => this.#save());
  }

  /** Oldest first. */
  list(): string[] {
    return [...this.#load().list];
  }

  /** When the last one was said; 0 where nothing was. */
  lastAt(): number {
    return this.#load().lastAt;
  }

  /** The room forgets everything, and its tables are dropped. */
  forget(): void {
    this.#kept = null;
    this.#isUnsaved = false;
  }

  #save(): void {
    if (!this.#isUnsaved) return;
    this.#isUnsaved = false;
    const { list, lastAt } = this.#load();
    this.#tables.write(
      "insert or replace into chat values (1, ?, ?)",
      lastAt,
      JSON.stringify(list),
    );
  }

  #load(): Kept {
    if (this.#kept) return this.#kept;
    const [row] = this.#tables.rows<{ last_at: number; list: string }>("select * from chat");
    this.#kept = row
      ? { list: List.parse(JSON.parse(row.list)), lastAt: row.last_at }
      : { list: [], lastAt: 0 };
    return this.#kept;
  }
}
