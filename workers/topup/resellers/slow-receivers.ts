/** What takes no longer than this is in nobody's way. */
const QUICK_MS = 2_000;
/** The owner of a receiver that took longer is left alone for so many times as long. */
const REST_FACTOR = 4;
const MOST_OWNERS = 1_000;

interface Owner {
  until: number;
  /** His receivers that answered quickly the last time: they do not rest with the others. */
  quick: Set<string>;
}

/**
 * Who let us wait, in this isolate. A batch of the queue ends with its slowest delivery, and orders in doubt and the
 * catalogue's sync wait behind it: some hundred events for a receiver that never answers held them up for ten minutes.
 * By owner, because one person may have many receivers.
 */
export class SlowReceivers {
  readonly #owners = new Map<number, Owner>();

  /** How long a delivery to this receiver should wait; 0: not at all. What rests comes back spread out. */
  restMs(owner: number, endpoint: string, now: number): number {
    const known = this.#owners.get(owner);
    if (!known || known.until <= now || known.quick.has(endpoint)) return 0;
    const leftMs = known.until - now;
    return leftMs + Math.random() * leftMs;
  }

  note(owner: number, endpoint: string, tookMs: number, now: number): void {
    const isQuick = tookMs <= QUICK_MS;
    const known = this.#owners.get(owner);
    if (!known && isQuick) return;
    const { until = 0, quick = new Set<string>() } = known ?? {};
    if (isQuick) quick.add(endpoint);
    else quick.delete(endpoint);
    // The latest last, so that the first is the one to forget.
    this.#owners.delete(owner);
    this.#owners.set(owner, { until: isQuick ? until : now + REST_FACTOR * tookMs, quick });
    if (this.#owners.size <= MOST_OWNERS) return;
    for (const [first] of this.#owners) {
      this.#owners.delete(first);
      return;
    }
  }
}
