import { z } from "zod";
import type { ObjectTables } from "../object-tables.ts";

const Stored = z.array(z.tuple([z.string(), z.number()]));

/**
 * The number of the last that each room said to this shard and that it has: in memory, and written down when the shard has
 * nothing else to write. What a life that was cut off had heard is not known.
 */
export class Marks {
  readonly #tables: ObjectTables;
  readonly #wasCut: () => boolean;
  #known: Map<string, number> | null = null;

  constructor(tables: ObjectTables, wasCut: () => boolean) {
    this.#tables = tables;
    this.#wasCut = wasCut;
  }

  /** A room said something, after what has the number `after`: false where this shard has not heard all until then. */
  heard(room: string, { after, mark }: { after: number; mark: number }): boolean {
    const marks = this.#load();
    const known = marks.get(room);
    marks.set(room, Math.max(mark, known ?? 0));
    return known === undefined || known >= after;
  }

  /** The first socket of a room here: what was said before is none of its business. */
  joined(room: string, mark: number): void {
    const marks = this.#load();
    if (!marks.has(room)) marks.set(room, mark);
  }

  of(room: string): number | null {
    return this.#load().get(room) ?? null;
  }

  forget(room: string): void {
    this.#load().delete(room);
  }

  /** What nobody here waits for any more is forgotten. */
  save(isWanted: (room: string) => boolean): void {
    const marks = this.#load();
    for (const room of marks.keys()) if (!isWanted(room)) marks.delete(room);
    this.#tables.write("insert or replace into heard values (1, ?)", JSON.stringify([...marks]));
  }

  #load(): Map<string, number> {
    this.#known ??= new Map(this.#wasCut() ? [] : this.#stored());
    return this.#known;
  }

  #stored(): z.infer<typeof Stored> {
    const [row] = this.#tables.rows<{ marks: string }>("select marks from heard");
    return row ? Stored.parse(JSON.parse(row.marks)) : [];
  }
}
