import { ProviderError } from "../provider-error.ts";
import { PROVIDER } from "./fields.ts";

/** Orders leave before reads, and what the work needs (`read`) before what somebody would like to see (`visitor`). */
export type Lane = "order" | "read" | "visitor";
/**
 * Resolves when the next request may leave; throws a `ProviderError` (`busy`) instead of waiting too long, of which
 * the caller may have less patience of his own.
 */
export type Pace = (lane: Lane, longestMs?: number) => Promise<void>;

/**
 * A place in the queue to the supplier, or how long to wait before asking for one again. `spareMs`: so much later than
 * its moment the request may leave without coming too near to the next one; without it, whenever.
 */
export type Turn = { granted: boolean; waitMs: number; spareMs?: number };

/**
 * Hands out the moments at which requests may leave, to all isolates alike, with so much room after each. A visitor waits
 * no longer than `longestMs`: a moment that comes later would be lost.
 */
export interface Gate {
  take(lane: Lane, spareMs: number, longestMs: number): Promise<Turn>;
}

export interface Patience {
  /** Longer than this nobody waits for a turn. */
  longestMs: number;
  sleep?: (ms: number) => Promise<void>;
  now?: () => number;
}

/**
 * Room after each turn. A supplier counts when requests arrive, and we know only when they leave: half of the room is for
 * what leaves late (the gate answers sooner than that, as a rule), the other half stays for the way.
 */
const SPARE_MS = 100;
const MOST_SPARE_MS = 1_000;

/**
 * A pace that asks `gate` before each request. No request leaves without a turn: a gate that does not answer, or asks
 * for more patience than there is, ends in a `ProviderError` with code `busy`, and nothing was sent. A turn whose answer
 * came so late that half of the room after it is gone is not used: with more room another is asked for.
 */
export function paceOf(gate: () => Gate, patience: Patience): Pace {
  const { sleep = pause, now = Date.now } = patience;
  return async (lane, patienceMs = Number.POSITIVE_INFINITY) => {
    const longestMs = Math.min(patience.longestMs, patienceMs);
    let spare = SPARE_MS;
    for (let waitedMs = 0; ; ) {
      const askedAt = now();
      const {
        granted,
        waitMs,
        spareMs = Number.POSITIVE_INFINITY,
      } = await turnOf(gate, lane, spare, longestMs - waitedMs);
      if (waitedMs + waitMs > longestMs) throw busy(`no turn within ${longestMs} ms`);
      if (waitMs > 0) await sleep(waitMs);
      // The moment was meant from when the gate heard of us, which was after we asked.
      const lateMs = now() - askedAt - waitMs;
      if (granted && lateMs <= spareMs / 2) return;
      if (granted) spare = Math.min(4 * lateMs, MOST_SPARE_MS);
      waitedMs += Math.max(waitMs, lateMs, 1);
    }
  };
}

async function turnOf(gate: () => Gate, ...asked: Parameters<Gate["take"]>): Promise<Turn> {
  try {
    return await gate().take(...asked);
  } catch {
    throw busy("the gate does not answer");
  }
}

/** Nothing was sent, and may be sent later. */
export function busy(why: string): ProviderError {
  return new ProviderError(
    PROVIDER,
    { kind: "unavailable", retryable: true, outcome: "not_done", code: "busy" },
    `${PROVIDER}: not sent, ${why}`,
  );
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
