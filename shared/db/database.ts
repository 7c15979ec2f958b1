import {
  type FullQueryResults,
  NeonDbError,
  type NeonQueryPromise,
} from "@neondatabase/serverless";
import { createLog } from "../log.ts";
import type { Client } from "./client.ts";
import { withDeadline } from "./deadline.ts";
import {
  type ConstraintErrors,
  lostRace,
  toAppError,
  Unanswered,
  UnstorableText,
} from "./errors.ts";
import type { Statement } from "./statement.ts";

/** A statement that must hold before a request's first query, in the same transaction and round trip. */
export interface Gate {
  statement: Statement<unknown>;
  /** Called once it has held. */
  passed(): void;
}

type Results<Q extends readonly Statement<unknown>[]> = {
  [K in keyof Q]: Q[K] extends Statement<infer T> ? T : never;
};

/** How often a transaction is sent that loses a race each time. */
const ATTEMPTS = 3;
const JITTER_MS = 40;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** How long Postgres may keep somebody waiting where the configuration says nothing else. */
const PATIENCE_MS = 10_000;

/**
 * One request's way to Postgres: each call is one round trip, a batch is one transaction. What is not answered within
 * `patienceMs` ends as `unavailable`, as any outage does. It may have been done, so it is not sent again here: a repeat
 * under its key or its order's number finds out.
 */
export class Database {
  readonly #client: Client;
  readonly #requestId: string;
  readonly #patienceMs: number;
  #gate: Gate | undefined;
  #passed: Gate | undefined;
  #also: Statement<unknown>[] = [];

  constructor(client: Client, requestId: string, patienceMs = PATIENCE_MS) {
    this.#client = client;
    this.#requestId = requestId;
    this.#patienceMs = patienceMs;
  }

  /** A way of its own for the same request: it passes no gate, and its failure touches none. */
  beside(): Database {
    return new Database(this.#client, this.#requestId, this.#patienceMs);
  }

  /** From here on nothing is read or written unless the gate holds (a session that must be verified). */
  guard(gate: Gate): void {
    this.#gate = gate;
  }

  /** Rides behind the gate, in front of the next query and in its transaction: what it raises refuses that query. */
  also(statement: Statement<unknown>): void {
    this.#also.push(statement);
  }

  /** The gate must hold once more with the next query: money moves there, and an earlier query took the check along. */
  guardAgain(): void {
    this.#gate ??= this.#passed;
  }

  /** Asks the gate by itself, where a request's work needed no query: nothing is answered past an ended session. */
  async passGate(): Promise<void> {
    if (this.#gate || this.#also.length > 0) await this.batch([]);
  }

  /** Runs one statement. `constraints` maps the names of violated constraints to what the caller is told. */
  async run<T>(query: Statement<T>, constraints?: ConstraintErrors): Promise<T> {
    const [result] = await this.batch([query], constraints);
    return result;
  }

  /** Runs the statements as one transaction; a violated constraint in any of them undoes all. */
  async batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ): Promise<Results<Q>> {
    const gate = this.#gate;
    const first = [...(gate ? [gate.statement] : []), ...this.#also];
    const sent = [...first, ...queries];
    let results: FullQueryResults<boolean>[];
    try {
      results = await withDeadline(this.#patienceMs, (signal) => this.#send(sent, signal));
    } catch (error) {
      throw toAppError(error, constraints);
    }
    if (gate) {
      this.#gate = undefined;
      this.#passed = gate;
      gate.passed();
    }
    this.#also = [];
    results = results.slice(first.length);
    // The mapped tuple has the statements' own types by construction.
    return queries.map((query, i) =>
      query.map(results[i] as FullQueryResults<boolean>),
    ) as Results<Q>;
  }

  /**
   * Sends the whole again when it lost a race, which undid all of it: nothing else is ever sent twice, because it may
   * have been done. Each time is told in the log, because rivals ought to take their locks in one order.
   */
  async #send(
    queries: Statement<unknown>[],
    signal: AbortSignal,
  ): Promise<FullQueryResults<boolean>[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#sendOnce(queries, signal);
      } catch (error) {
        const code = lostRace(error);
        if (!code || attempt === ATTEMPTS) throw error;
        createLog(this.#requestId).warn("transaction lost a race and is sent again", { code });
        await pause(Math.random() * JITTER_MS * attempt);
        // Whoever waited for it has been told that it was not answered.
        if (signal.aborted) throw error;
      }
    }
  }

  async #sendOnce(
    queries: Statement<unknown>[],
    signal: AbortSignal,
  ): Promise<FullQueryResults<boolean>[]> {
    const fetchOptions = { requestId: this.#requestId, signal };
    const built = queries.map((query) => this.#query(query, fetchOptions));
    const [only] = built;
    try {
      if (built.length === 1 && only) return [(await only) as FullQueryResults<boolean>];
      const results = await this.#client.transaction(built, { fetchOptions });
      return results as FullQueryResults<boolean>[];
    } catch (error) {
      if (error instanceof NeonDbError) throw error;
      // The driver knows a fetch that fails; an answer that breaks off after its first byte it does not.
      throw new Unanswered("the answer broke off", { cause: error });
    }
  }

  #query(
    { sql, params, arrayMode }: Statement<unknown>,
    fetchOptions: Record<string, unknown>,
  ): NeonQueryPromise<boolean, boolean> {
    if (params.some(isUnstorable)) throw new UnstorableText();
    return this.#client.query(sql, params, { arrayMode, fullResults: true, fetchOptions });
  }
}

/** Postgres text holds no NUL and no half of a surrogate pair. */
function isUnstorable(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isUnstorable);
  return typeof value === "string" && (value.includes("\0") || !value.isWellFormed());
}
