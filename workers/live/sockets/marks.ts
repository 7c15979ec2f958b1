/**
 * The number of the last that each room said to this shard, as far as this memory knows. Nobody waits in a room for what
 * it said while this shard slept: it would have woken.
 */
export class Marks {
  readonly #marks = new Map<string, number>();
  /** What is true of a room that this memory has not heard: all is new since a sleep, nothing is known after a crash. */
  readonly #unheard: () => 0 | null;

  constructor(unheard: () => 0 | null) {
    this.#unheard = unheard;
  }

  heard(room: string, mark: number): void {
    this.#marks.set(room, Math.max(mark, this.#marks.get(room) ?? 0));
  }

  /** The first socket of a room here: what was said before is none of its business. */
  joined(room: string, mark: number): void {
    if (!this.#marks.has(room)) this.#marks.set(room, mark);
  }

  of(room: string): number | null {
    return this.#marks.get(room) ?? this.#unheard();
  }

  forget(room: string): void {
    this.#marks.delete(room);
  }
}
