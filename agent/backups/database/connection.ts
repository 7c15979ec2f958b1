import type { Connection as Core } from "mysql2";
import { type Connection, createConnection } from "mysql2/promise";
import { CommandError } from "../../command-error.ts";
import type { AgentCtx } from "../../ctx.ts";

/** Only what lies inside the wrapper of promises streams, and the wrapper's types do not name it. */
const hasCore = (connection: Connection): connection is Connection & { connection: Core } =>
  "connection" in connection;

/** A session with the server; values go as parameters, names through `escapeId`. */
export class Session {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async rows<T>(sql: string, values: unknown[] = []): Promise<T[]> {
    try {
      const [found] = await this.#connection.query(sql, values);
      return Array.isArray(found) ? (found as T[]) : [];
    } catch (error) {
      throw databaseError(error);
    }
  }

  /** Rows as lists of texts, one after another: a table may be larger than memory. */
  async *stream(sql: string): AsyncGenerator<(string | null)[]> {
    if (!hasCore(this.#connection)) throw new Error("a session that cannot stream");
    const query = this.#connection.connection.query({ sql, rowsAsArray: true });
    try {
      yield* query.stream({ highWaterMark: 64 });
    } catch (error) {
      throw databaseError(error);
    }
  }

  /** The rows that a procedure of the server's owner answers with. */
  async called<T>(sql: string, values: unknown[]): Promise<T[]> {
    const [first] = await this.rows<unknown>(sql, values);
    return Array.isArray(first) ? (first as T[]) : [];
  }

  /** A name as it stands in a statement. */
  name(...path: string[]): string {
    return path.map((part) => `\`${part.replaceAll("`", "``")}\``).join(".");
  }

  async close(): Promise<void> {
    await this.#connection.end().catch(() => this.#connection.destroy());
  }
}

/** The server's words may quote data: only its number is kept. */
export class DatabaseError extends CommandError {
  readonly errno: number;

  constructor(errno: number, words = `the database refused (error ${errno})`) {
    super("tool_failed", words);
    this.errno = errno;
  }
}

const GONE = "the database cannot be reached";
/** Codes of the client's own, which have no number of the server's. */
const LOST = /^(?:PROTOCOL_CONNECTION_LOST|ECONN\w+|EPIPE|ENOENT|ETIMEDOUT)$/;

function databaseError(error: unknown): unknown {
  const isLost = error instanceof Error && "code" in error && LOST.test(String(error.code));
  if (isLost) return new CommandError("unavailable", GONE, { retryable: true });
  const errno = error instanceof Error && "errno" in error ? error.errno : undefined;
  if (typeof errno !== "number") return error;
  if (errno === 1021 || errno === 1114) return new CommandError("disk_full", "the disk is full");
  if (errno < 1000) return new CommandError("unavailable", GONE, { retryable: true });
  return new DatabaseError(errno);
}

/** A session of the agent's own account, or of another; the caller closes it. */
export async function openSession(
  { settings: { mariadb } }: Pick<AgentCtx, "settings">,
  account: { user: string; password?: string } = { user: mariadb.user },
): Promise<Session> {
  const connection = await createConnection({
    socketPath: mariadb.socket,
    ...account,
    charset: "utf8mb4",
    // What tenants wrote is one statement or none.
    multipleStatements: false,
    supportBigNumbers: true,
    bigNumberStrings: true,
  }).catch((error: unknown) => {
    throw databaseError(error);
  });
  // A session that is killed under us says so with its next statement.
  connection.on("error", () => undefined);
  return new Session(connection);
}

/** Runs `work` with a session of its own, closed afterwards: what it had locked is free again. */
export async function withSession<T>(
  ctx: AgentCtx,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(ctx);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** What every program of the server's own is told first. */
export const clientOptions = ({ settings: { mariadb } }: AgentCtx): string[] => [
  "--no-defaults",
  `--socket=${mariadb.socket}`,
  `--user=${mariadb.user}`,
  "--default-character-set=utf8mb4",
  "--max-allowed-packet=1073741824",
];
