/** What the object keeps of a slug and since when it is known to hold (milliseconds). */
export interface Kept {
  state: string;
  loadedAt: number;
  checkedAt: number;
}

/** What the decisions need and do not do themselves: the clock, the database, the object's own storage. */
export interface Surroundings<S extends { state: string }> {
  now(): number;
  /** Reads everything. `cause` is the id of the request that waits for it. */
  load(cause: string): Promise<S>;
  /** Reads the state word only. */
  check(cause: string): Promise<string>;
  kept(): Kept | null;
  keep(snapshot: S, at: number): void;
  /** What is kept was still true at that moment. */
  confirm(at: number): void;
  forget(): void;
  /** Work that no visitor waits for; its failure is expected to be swallowed there. */
  behind(work: Promise<void>): void;
}

/** Younger than this is served as it is. */
export const FRESH_MS = 30_000;
/** Younger than this is served and checked behind the answer; older waits for the check. */
export const HEAL_MS = 60_000;
/** Large stocks change without a new version, so the whole is read again now and then. */
export const WHOLE_MS = 10 * 60_000;
/** How long "no such store" is believed; in memory only, so that made-up names fill no storage. */
export const UNKNOWN_MS = 10_000;
/** How long a database that has just failed is left alone. */
export const RETRY_MS = 5_000;

export type Outcome = "kept" | "unknown" | "unavailable";

/**
 * When a store's snapshot is read again. Guarantee: what is older than HEAL_MS is shown only while the database has
 * failed within the last HEAL_MS, however late a visit comes and also when a refresh was lost; any number of visitors and refreshes cause one read at a time; and while the database
 * is down, what is kept is shown however old it is.
 */
export class Freshness<S extends { state: string }> {
  readonly #around: Surroundings<S>;
  #running: Promise<void> | null = null;
  #stale = false;
  #unknownAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(around: Surroundings<S>) {
    this.#around = around;
  }

  /** Makes sure that what is kept may be shown, and says whether there is anything. */
  async ready(cause: string): Promise<Outcome> {
    const kept = this.#around.kept();
    const now = this.#around.now();
    const sinceFailure = now - this.#failedAt;
    const resting = sinceFailure < RETRY_MS;
    if (!kept) {
      if (now - this.#unknownAt < UNKNOWN_MS) return "unknown";
      if (!resting) await this.#turn(cause).catch(() => undefined);
      return this.#outcome();
    }
    const age = this.#stale ? Number.POSITIVE_INFINITY : now - kept.checkedAt;
    if (age < FRESH_MS || resting) return "kept";
    if (age < HEAL_MS || sinceFailure < HEAL_MS) {
      this.#around.behind(this.#turn(`${cause}/behind`));
      return "kept";
    }
    await this.#turn(cause).catch(() => undefined);
    return this.#outcome();
  }

  /** Reads everything again: also what was written while an earlier read was on its way. */
  async refresh(cause: string): Promise<void> {
    this.#stale = true;
    while (this.#stale) await this.#turn(cause);
  }

  #outcome(): Outcome {
    if (this.#around.kept()) return "kept";
    return this.#around.now() - this.#unknownAt < UNKNOWN_MS ? "unknown" : "unavailable";
  }

  #turn(cause: string): Promise<void> {
    this.#running ??= this.#read(cause).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #read(cause: string): Promise<void> {
    const around = this.#around;
    const at = around.now();
    const kept = around.kept();
    const whole = this.#stale || !kept || at - kept.loadedAt >= WHOLE_MS;
    try {
      if (whole || (await around.check(cause)) !== kept.state) await this.#load(cause);
      else around.confirm(at);
      this.#failedAt = Number.NEGATIVE_INFINITY;
    } catch (error) {
      this.#failedAt = around.now();
      throw error;
    }
  }

  async #load(cause: string): Promise<void> {
    const at = this.#around.now();
    this.#stale = false;
    try {
      const snapshot = await this.#around.load(cause);
      if (snapshot.state === "unknown") {
        this.#around.forget();
        this.#unknownAt = at;
      } else {
        this.#around.keep(snapshot, at);
      }
    } catch (error) {
      this.#stale = this.#around.kept() !== null;
      throw error;
    }
  }
}
