import { ProviderError } from "../provider-error.ts";
import { PROVIDER } from "./fields.ts";
import type { Lane, Pace } from "./line.ts";

/** A place in the queue to the supplier, or how long to wait before asking for one again. */
export type Turn = { granted: boolean; waitMs: number };

/** Hands out the moments at which requests may leave, to all isolates alike. */
export interface Gate {
  take(lane: Lane): Promise<Turn>;
}

export interface Patience {
  /** Longer than this nobody waits for a turn. */
  longestMs: number;
  sleep?: (ms: number) => Promise<void>;
}

/**
 * A pace that asks `gate` before each request. No request leaves without a turn: a gate that does not answer, or asks
 * for more patience than there is, ends in a `ProviderError` with code `busy`, and nothing was sent.
 */
export function paceOf(gate: () => Gate, { longestMs, sleep = pause }: Patience): Pace {
  return async (lane) => {
    for (let waitedMs = 0; ; ) {
      const { granted, waitMs } = await turnOf(gate, lane);
      if (waitedMs + waitMs > longestMs) throw busy(`no turn within ${longestMs} ms`);
      if (waitMs > 0) await sleep(waitMs);
      if (granted) return;
      waitedMs += Math.max(waitMs, 1);
    }
  };
}

async function turnOf(gate: () => Gate, lane: Lane): Promise<Turn> {
  try {
    return await gate().take(lane);
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
