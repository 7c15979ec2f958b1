import { inTime } from "../../shared/time/in-time.ts";

interface Parcel<T, R> {
  item: T;
  resolve(reply: R): void;
  reject(error: unknown): void;
}

/** How many items one call carries at most. */
const MAX_PER_CALL = 500;
/** A destination that takes longer is taken for silent: whoever waits for it is told so. */
const SILENT_MS = 10_000;
/** How many may wait for one destination; a destination that far behind gets no more. */
const MAX_WAITING = 20_000;

/**
 * Brings items to one destination in order, with at most one call under way: the first leaves at once, what comes
 * while it is under way leaves together as the next. So a lone item is not delayed and a rush costs few calls. A call that
 * is not answered in time fails, with all that waits behind it: nobody waits for longer than two of them.
 */
export class Courier<T, R> {
  readonly #send: (items: T[]) => Promise<R[]>;
  readonly #silentMs: number;
  #waiting: Parcel<T, R>[] = [];
  #isUnderWay = false;

  constructor(send: (items: T[]) => Promise<R[]>, silentMs: number = SILENT_MS) {
    this.#send = send;
    this.#silentMs = silentMs;
  }

  /** True when nothing waits and nothing is under way. */
  get isIdle(): boolean {
    return !this.#isUnderWay;
  }

  /** Settles with the destination's reply to this item, or fails with its call. */
  deliver(item: T): Promise<R> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new Error("too much waits for this destination"));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#isUnderWay) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isUnderWay = true;
    // Items of the same turn (a batch of frames, a poll's packets) leave together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const parcels = this.#waiting.splice(0, MAX_PER_CALL);
      await this.#call(parcels);
    }
    this.#isUnderWay = false;
  }

  async #call(parcels: Parcel<T, R>[]): Promise<void> {
    const items = parcels.map((parcel) => parcel.item);
    let isAnswered = false;
    try {
      const sent = this.#send(items).finally(() => {
        isAnswered = true;
      });
      const replies = await inTime(this.#silentMs, sent);
      parcels.forEach((parcel, i) => {
        const reply = replies[i];
        if (reply === undefined)
          parcel.reject(new Error("the destination left an item unanswered"));
        else parcel.resolve(reply);
      });
    } catch (error) {
      const behind = isAnswered ? [] : this.#waiting.splice(0);
      for (const parcel of [...parcels, ...behind]) parcel.reject(error);
    }
  }
}

/** How many couriers are kept; beyond it those with nothing to do are let go. */
const MAX_KEPT = 256;

/** A courier for each destination, made when it is first needed. */
export class Couriers<T, R> {
  readonly #send: (destination: string, items: T[]) => Promise<R[]>;
  readonly #all = new Map<string, Courier<T, R>>();

  constructor(send: (destination: string, items: T[]) => Promise<R[]>) {
    this.#send = send;
  }

  deliver(destination: string, item: T): Promise<R> {
    const known = this.#all.get(destination);
    if (known) return known.deliver(item);
    if (this.#all.size >= MAX_KEPT) this.#forgetIdle();
    const made = new Courier<T, R>((items) => this.#send(destination, items));
    this.#all.set(destination, made);
    return made.deliver(item);
  }

  #forgetIdle(): void {
    for (const [name, courier] of this.#all) if (courier.isIdle) this.#all.delete(name);
  }
}

/** Calls again once where the platform says that it may help and the call may be repeated; the waiting is its own. */
export async function callTwice<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (error) {
    if (!isRetryable(error)) throw error;
    return await call();
  }
}

/** The platform's own marks on a failed call of an object. */
function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const marks = error as Error & { retryable?: boolean; overloaded?: boolean };
  return marks.retryable === true && marks.overloaded !== true;
}
