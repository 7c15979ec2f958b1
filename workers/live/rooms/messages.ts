import type { ObjectTables } from "../object-tables.ts";

export const KEPT_MESSAGES = 100;

/** The last 100 chat messages of a room, in as many rows that are written over in turn: one row a message. */
export class Messages {
  readonly #tables: ObjectTables;
  readonly #now: () => number;
  #next: number | null = null;

  constructor(tables: ObjectTables, now: () => number = () => Date.now()) {
    this.#tables = tables;
    this.#now = now;
  }

  keep(json: string): void {
    const seq = this.#next ?? this.#last() + 1;
    this.#tables.write(
      "insert or replace into messages values (?, ?, ?, ?)",
      seq % KEPT_MESSAGES,
      seq,
      this.#now(),
      json,
    );
    this.#next = seq + 1;
  }

  /** Oldest first. */
  list(): string[] {
    return this.#tables
      .rows<{ json: string }>("select json from messages order by seq")
      .map(({ json }) => json);
  }

  /** When the last one was said; 0 where nothing was. */
  lastAt(): number {
    const [row] = this.#tables.rows<{ at: number | null }>("select max(at) as at from messages");
    return row?.at ?? 0;
  }

  #last(): number {
    const [row] = this.#tables.rows<{ seq: number | null }>("select max(seq) as seq from messages");
    return row?.seq ?? 0;
  }
}
