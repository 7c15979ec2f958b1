import { z } from "zod";
import type { ObjectTables } from "../object-tables.ts";
import type { GiftNews } from "./news.ts";

/** A repeat of what is older than the last so many is taken for shown: hundreds of gifts are less than a second of a busy room. */
const MAX_KEPT = 500;

const Ids = z.array(z.number());

type Told = Pick<GiftNews, "giftRowId" | "repeated">;

/**
 * Which gifts a room has shown, by their numbers. A gift can be told to it more than once, by whoever wrote it and by who
 * asked for the same again and cannot know whether that was the first: it shows it the first time.
 */
export class ShownGifts {
  readonly #tables: ObjectTables;
  #known: Set<number> | null = null;
  /** All up to this number count as shown. */
  #upTo = 0;

  constructor(tables: ObjectTables) {
    this.#tables = tables;
  }

  /**
   * Those that were not shown before, and from now on are: written in one row before anything is sent. A room without
   * tables was never joined: there was nobody to show them to. One without a number is told by the release before, once.
   */
  take<Gift extends Told>(gifts: readonly Gift[]): Gift[] {
    const known = this.#load();
    const fresh = gifts.filter(({ giftRowId: id, repeated = true }) => {
      if (id === undefined) return true;
      if (known.has(id) || (repeated && id <= this.#upTo)) return false;
      known.add(id);
      return true;
    });
    if (fresh.length === 0) return fresh;
    this.#forgetOldest(known);
    if (this.#tables.made) {
      const query = "insert or replace into shown_gifts values (1, ?, ?)";
      this.#tables.write(query, this.#upTo, JSON.stringify([...known]));
    }
    return fresh;
  }

  #forgetOldest(known: Set<number>): void {
    if (known.size <= MAX_KEPT) return;
    const gone = [...known].sort((a, b) => a - b).slice(0, known.size - MAX_KEPT);
    for (const id of gone) known.delete(id);
    this.#upTo = Math.max(this.#upTo, gone.at(-1) ?? 0);
  }

  #load(): Set<number> {
    if (this.#known) return this.#known;
    const [row] = this.#tables.rows<{ up_to: number; ids: string }>("select * from shown_gifts");
    this.#upTo = row?.up_to ?? 0;
    this.#known = new Set(row ? Ids.parse(JSON.parse(row.ids)) : []);
    return this.#known;
  }
}
