/** Lets one thing through in every `intervalMs` and key; what is held back is merged and waits for the next. */
export class Pace<T> {
  readonly #intervalMs: number;
  readonly #merge: (held: T, next: T) => T;
  readonly #last = new Map<string, number>();
  readonly #held = new Map<string, T>();

  constructor(intervalMs: number, merge: (held: T, next: T) => T) {
    this.#intervalMs = intervalMs;
    this.#merge = merge;
  }

  /** What may be told now, or null while it is too soon. */
  offer(key: string, next: T, now: number): T | null {
    const held = this.#held.get(key);
    const merged = held === undefined ? next : this.#merge(held, next);
    const last = this.#last.get(key);
    if (last !== undefined && now - last < this.#intervalMs) {
      this.#held.set(key, merged);
      return null;
    }
    this.#last.set(key, now);
    this.#held.delete(key);
    return merged;
  }

  /** What is held back, if anything is: it is told now. */
  take(key: string, now: number): T | null {
    const held = this.#held.get(key) ?? null;
    if (held !== null) this.#last.set(key, now);
    this.#held.delete(key);
    return held;
  }

  /** What is still held back of a key that is done with, or null. */
  finish(key: string): T | null {
    const held = this.#held.get(key) ?? null;
    this.#held.delete(key);
    this.#last.delete(key);
    return held;
  }
}
