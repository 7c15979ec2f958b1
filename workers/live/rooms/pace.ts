/**
 * Lets a number of things through a second, with a burst. State is a number and a time: after an eviction the bucket
 * is full again, which is right, because the object was idle.
 */
export class Pace {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #at: number;

  constructor(limits: { burst: number; perSecond: number }, now: number) {
    this.#burst = limits.burst;
    this.#perSecond = limits.perSecond;
    this.#left = limits.burst;
    this.#at = now;
  }

  /** Takes `weight` (at most the burst) where so much is left. */
  take(now: number, weight = 1): boolean {
    const wanted = Math.min(weight, this.#burst);
    const gained = (Math.max(0, now - this.#at) / 1_000) * this.#perSecond;
    this.#left = Math.min(this.#burst, this.#left + gained);
    this.#at = now;
    if (this.#left < wanted) return false;
    this.#left -= wanted;
    return true;
  }
}

/** Calls `act` at once, and whatever is asked within `everyMs` after it as one more call at the end of that time. */
export class Coalesced {
  readonly #act: () => void;
  readonly #everyMs: () => number;
  readonly #later: (ms: number, act: () => void) => void;
  #isResting = false;
  #isAsked = false;

  constructor(
    everyMs: () => number,
    act: () => void,
    later: (ms: number, act: () => void) => void = (ms, run) => void setTimeout(run, ms),
  ) {
    this.#act = act;
    this.#everyMs = everyMs;
    this.#later = later;
  }

  ask(): void {
    if (this.#isResting) {
      this.#isAsked = true;
      return;
    }
    this.#isResting = true;
    this.#isAsked = false;
    this.#act();
    this.#later(this.#everyMs(), () => {
      this.#isResting = false;
      if (this.#isAsked) this.ask();
    });
  }
}
