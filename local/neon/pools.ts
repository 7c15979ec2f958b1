import pg from "pg";

/** The parts of a driver's connection string that decide whom the endpoint logs in as. */
export type Target = { user: string; password: string; database: string };

const HOST = "127.0.0.1";
const ignore = () => undefined;

/**
 * One pool per login and database. The login is part of the key, so a wrong password never rides on a
 * connection that a right one opened: Postgres itself checks it.
 */
export class Pools {
  readonly #pools = new Map<string, pg.Pool>();
  readonly #postgresPort: number;
  readonly #maxConnections: number;

  constructor(postgresPort: number, maxConnections: number) {
    this.#postgresPort = postgresPort;
    this.#maxConnections = maxConnections;
  }

  /** Lends a connection; one that is left inside a transaction is not lent again. */
  async use<T>(target: Target, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const key = JSON.stringify([target.user, target.password, target.database]);
    const pool = this.#pools.get(key) ?? this.#open(key, target);
    const client = await pool.connect().catch(async (error: unknown) => {
      if (pool.totalCount === 0) await this.#close(key, pool);
      throw error;
    });
    // Lent, it is cut between two statements where Postgres stops: the next statement tells so.
    client.on("error", ignore);
    try {
      return await work(client);
    } finally {
      client.off("error", ignore);
      client.release(client.getTransactionStatus() !== "I");
    }
  }

  /** Closes all; a statement that still runs is not waited for longer than `patienceMs`. */
  async end(patienceMs = 1_000): Promise<void> {
    const ends = [...this.#pools].map(([key, pool]) => this.#close(key, pool));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([Promise.all(ends), patience]);
    clearTimeout(timer);
  }

  #open(key: string, target: Target): pg.Pool {
    const pool = new pg.Pool({
      host: HOST,
      port: this.#postgresPort,
      ...target,
      max: this.#maxConnections,
      // A fresh connection compiles every SQL function anew.
      idleTimeoutMillis: 60_000,
      application_name: "neon-endpoint",
    });
    // An idle connection may be cut (its database dropped by force); the pool replaces it.
    pool.on("error", ignore);
    this.#pools.set(key, pool);
    return pool;
  }

  async #close(key: string, pool: pg.Pool): Promise<void> {
    if (this.#pools.get(key) !== pool) return;
    this.#pools.delete(key);
    await pool.end();
  }
}
