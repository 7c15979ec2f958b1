import type { Storage } from "./storage.ts";

/** Everything that the object must do at a time (ms), null where there is nothing; kept in one row. */
export interface Times {
  /** The next ping round. */
  ping_at: number | null;
  /** When the round before must be answered. */
  check_at: number | null;
  /** When the last round went out. */
  pinged_at: number | null;
  /** The earliest time at which a connection or an upgrade may be late. */
  deadline_at: number | null;
  /** The earliest time at which something kept for recovery is too old. */
  expiry_at: number | null;
  /** When the application wants to be called. */
  wake_at: number | null;
}

const ALARMS = ["ping_at", "check_at", "deadline_at", "expiry_at", "wake_at"] as const;
const COLUMNS = [...ALARMS, "pinged_at"] as const;

/**
 * The object's one alarm, shared by all that is due: set to the earliest, absent when there is nothing. What is too old for
 * recovery is refused by its time; deleting it is done beside the heartbeat, and an object that has none waits for its next.
 */
export class Clock {
  readonly #storage: DurableObjectStorage;
  readonly #db: Storage;
  /** What the alarm is set to; undefined before it is known in this life of the object. */
  #armed: number | null | undefined;
  #times: Times | null = null;

  constructor(storage: DurableObjectStorage, db: Storage) {
    this.#storage = storage;
    this.#db = db;
  }

  read(): Times {
    this.#times ??= this.#stored();
    return this.#times;
  }

  #stored(): Times {
    const [row] = this.#db.rows<Times & Record<string, number | null>>(
      `select ${COLUMNS.join(", ")} from socketio_clock`,
    );
    if (!row) throw new Error("the clock has no row");
    return row;
  }

  /** Changes some times and moves the alarm if need be. */
  set(change: Partial<Times>): void {
    const times = this.read();
    const changed = COLUMNS.filter((name) => name in change && change[name] !== times[name]);
    if (changed.length > 0) {
      this.#times = { ...times, ...change };
      const pairs = changed.map((name) => `${name} = ?`).join(", ");
      this.#db.write(
        `update socketio_clock set ${pairs}`,
        ...changed.map((n) => change[n] ?? null),
      );
    }
    this.#arm({ ...times, ...change });
  }

  /** Moves a time forward to `at` where it is later or unset. */
  noLaterThan(name: (typeof ALARMS)[number], at: number): void {
    const now = this.read()[name];
    if (now === null || now > at) this.set({ [name]: at });
  }

  /** The alarm has rung: answers what the row says, whatever we remember. */
  rang(): Times {
    this.#times = this.#stored();
    return this.#times;
  }

  /** Sets the alarm anew after it has rung. */
  rearm(): void {
    this.#armed = null;
    this.#arm(this.read());
  }

  #arm(times: Times): void {
    const { ping_at, check_at, deadline_at, wake_at } = times;
    const expiry_at = ping_at === null ? null : times.expiry_at;
    const all = [ping_at, check_at, deadline_at, wake_at, expiry_at].filter((at) => at !== null);
    const next = all.length > 0 ? Math.min(...all) : null;
    if (next === this.#armed) return;
    this.#armed = next;
    // Writes are confirmed by the output gate, before anything that depends on them leaves the object.
    void (next === null ? this.#storage.deleteAlarm() : this.#storage.setAlarm(next));
  }
}
