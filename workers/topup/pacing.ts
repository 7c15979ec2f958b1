import type { Lane, Turn } from "../../shared/providers/vip-reseller.ts";

/** Orders that would wait longer than this are better told now than bought later. */
const LONGEST_QUEUE_MS = 20_000;

/** More room after a request nobody gets. */
const MOST_SPARE_MS = 1_000;
/** Gaps that are shorter than this are not those of a real supplier, and not held to the millisecond. */
const LEAST_HELD_MS = 100;

export interface PacerOptions {
  intervalMs: number;
  now: () => number;
  /** The moment from which the next request may leave, kept where an eviction does not lose it; undefined: never set. */
  load: () => number | undefined;
  save: (next: number) => void;
}

/**
 * Hands out moments at least `intervalMs` apart. An order gets the next free one. A read gets one only while at most
 * one other request is ahead of it, and else is told to come again: so an order never waits behind more than that.
 * `spareMs`: the answer takes time, so the request may leave so much after its moment, and the next one's is that later.
 */
export function takeTurn(options: PacerOptions, lane: Lane, spareMs = 0): Turn {
  const { intervalMs, load, save } = options;
  const isHeld = spareMs > 0 && intervalMs >= LEAST_HELD_MS;
  const spare = isHeld ? Math.min(spareMs, MOST_SPARE_MS) : 0;
  const now = options.now();
  const kept = load() ?? 0;
  // Further ahead than any place that was ever given: the clock was set back, and the gate must not stay shut.
  const isSane = kept <= now + LONGEST_QUEUE_MS + intervalMs + MOST_SPARE_MS;
  const next = isSane ? Math.max(kept, now) : now + intervalMs;
  const aheadMs = next - now;
  if (lane === "order" && aheadMs > LONGEST_QUEUE_MS) return { granted: false, waitMs: aheadMs };
  if (lane === "read" && aheadMs > intervalMs + spare) {
    return { granted: false, waitMs: aheadMs - intervalMs - spare };
  }
  save(next + intervalMs + spare);
  return { granted: true, waitMs: aheadMs, ...(isHeld ? { spareMs: spare } : {}) };
}
