import type { FullQueryResults, NeonQueryPromise } from "@neondatabase/serverless";
import { createLog } from "../log.ts";
import type { Client } from "./client.ts";
import { type ConstraintErrors, lostRace, toAppError, UnstorableText } from "./errors.ts";
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

/** One request's way to Postgres: each call is one round trip, a batch is one transaction. */
export class Database {
  readonly #client: Client;
  readonly #requestId: string;
  #gate: Gate | undefined;
  #passed: Gate | undefined;
  #also: Statement<unknown>[] = [];

  constructor(client: Client, requestId: string) {
    this.#client = client;
    this.#requestId = requestId;
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
      results = await this.#send(sent);
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
  async #send(queries: Statement<unknown>[]): Promise<FullQueryResults<boolean>[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#sendOnce(queries);
      } catch (error) {
        const code = lostRace(error);
        if (!code || attempt === ATTEMPTS) throw error;
        createLog(this.#requestId).warn("transaction lost a race and is sent again", { code });
        await pause(Math.random() * JITTER_MS * attempt);
      }
    }
  }

  async #sendOnce(queries: Statement<unknown>[]): Promise<FullQueryResults<boolean>[]> {
    const built = queries.map((query) => this.#query(query));
    const [only] = built;
    if (built.length === 1 && only) return [(await only) as FullQueryResults<boolean>];
    const results = await this.#client.transaction(built, {
      fetchOptions: { requestId: this.#requestId },
    });
    return results as FullQueryResults<boolean>[];
  }

  #query({ sql, params, arrayMode }: Statement<unknown>): NeonQueryPromise<boolean, boolean> {
    if (params.some(isUnstorable)) throw new UnstorableText();
    return this.#client.query(sql, params, {
      arrayMode,
      fullResults: true,
      fetchOptions: { requestId: this.#requestId },
    });
  }
}

/** Postgres text holds no NUL and no half of a surrogate pair. */
function isUnstorable(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isUnstorable);
  return typeof value === "string" && (value.includes("\0") || !value.isWellFormed());
}
