import { setTimeout as delay } from "node:timers/promises";

/**
 * How an outage looks from outside: the connection breaks, the endpoint answers 503, nothing is answered (and done)
 * until it is over, or (the nastiest) the statement runs and only its answer is lost.
 */
export const OUTAGE_MODES = ["destroy", "503", "freeze", "lose-answer"] as const;
export type OutageMode = (typeof OUTAGE_MODES)[number];

export type Outage = {
  on?: boolean | undefined;
  ms?: number | undefined;
  mode?: OutageMode | undefined;
};

/** Round trips seen: of one request id, or of all. */
export type Counts = {
  total: number;
  refused: number;
  pipes: number;
  requests: Record<string, number>;
};

const THAW_STEP_MS = 20;
const REMEMBERED_REQUESTS = 10_000;

/** What a test or a benchmark turns and reads on a running endpoint. */
export class Dials {
  #latencyMs = 0;
  #outageUntil = 0;
  #outageMode: OutageMode = "destroy";
  #total = 0;
  #refused = 0;
  #pipes = 0;
  readonly #requests = new Map<string, number>();
  readonly #onOutage = new Set<() => void>();

  get latencyMs(): number {
    return this.#latencyMs;
  }

  setLatency(ms: number): void {
    this.#latencyMs = ms;
  }

  /** Turns the outage on for `ms`, or until turned off. Open pipes break at once. */
  setOutage({ on, ms, mode }: Outage): void {
    const starts = on ?? ms !== undefined;
    this.#outageMode = mode ?? "destroy";
    this.#outageUntil = starts ? (ms === undefined ? Infinity : Date.now() + ms) : 0;
    if (starts) for (const listener of [...this.#onOutage]) listener();
  }

  /** The mode of the outage that is on, or undefined while all is well. */
  outage(): OutageMode | undefined {
    return Date.now() < this.#outageUntil ? this.#outageMode : undefined;
  }

  /** Once no outage is on. */
  async thawed(): Promise<void> {
    while (this.outage() !== undefined) await delay(THAW_STEP_MS);
  }

  onOutage(listener: () => void): () => void {
    this.#onOutage.add(listener);
    return () => this.#onOutage.delete(listener);
  }

  countCall(requestId: string | undefined): void {
    this.#total++;
    if (requestId === undefined) return;
    this.#requests.set(requestId, (this.#requests.get(requestId) ?? 0) + 1);
    if (this.#requests.size <= REMEMBERED_REQUESTS) return;
    for (const oldest of this.#requests.keys()) {
      this.#requests.delete(oldest);
      return;
    }
  }

  countRefusal(): void {
    this.#refused++;
  }

  countPipe(): void {
    this.#pipes++;
  }

  countOf(requestId: string): number {
    return this.#requests.get(requestId) ?? 0;
  }

  counts(): Counts {
    return {
      total: this.#total,
      refused: this.#refused,
      pipes: this.#pipes,
      requests: Object.fromEntries(this.#requests),
    };
  }

  resetCounts(): void {
    this.#total = 0;
    this.#refused = 0;
    this.#pipes = 0;
    this.#requests.clear();
  }

  /** Half of a round trip's delay. */
  async halfTrip(): Promise<void> {
    if (this.#latencyMs > 0) await delay(this.#latencyMs / 2);
  }

  /** Delivers in order, each item half a round trip after it was pushed; many may be under way. */
  delayLine(): (deliver: () => void) => void {
    let tail: Promise<void> = Promise.resolve();
    let underWay = 0;
    return (deliver) => {
      if (this.#latencyMs === 0 && underWay === 0) return deliver();
      const due = Date.now() + this.#latencyMs / 2;
      underWay++;
      tail = tail.then(async () => {
        const waitMs = due - Date.now();
        if (waitMs > 0) await delay(waitMs);
        underWay--;
        deliver();
      });
    };
  }
}
