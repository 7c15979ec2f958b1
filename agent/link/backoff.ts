const FIRST_MS = 1_000;
const MOST_MS = 60_000;

/**
 * How long to wait before the next attempt: from a second up to a minute, doubled each time, of which a random half is
 * left out so that a thousand agents that lost one edge come back spread.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const whole = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(whole * (1 - random() / 2));
}

/** Where coming back at once would only push somebody else out, or be refused again. */
export const longPauseMs = (random: () => number): number =>
  Math.round(MOST_MS * (1 + random() / 2));
