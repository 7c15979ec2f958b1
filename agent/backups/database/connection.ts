import { type Connection, createConnection } from "mysql2/promise";
import { CommandError } from "../../command-error.ts";
import type { AgentCtx } from "../../ctx.ts";

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

  constructor(errno: number, cause: unknown) {
    super("tool_failed", `the database refused (error ${errno})`, { cause });
    this.errno = errno;
  }
}

function databaseError(error: unknown): unknown {
  const errno = error instanceof Error && "errno" in error ? error.errno : undefined;
  if (typeof errno !== "number") return error;
  if (errno === 1021 || errno === 1114) return new CommandError("disk_full", "the disk is full");
  if (errno < 1000)
    return new CommandError("unavailable", "the database cannot be reached", { retryable: true });
  return new DatabaseError(errno, undefined);
}

/** Runs `work` with a session of its own, closed afterwards: what it had locked is free again. */
export async function withSession<T>(
  ctx: AgentCtx,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { socket, user } = ctx.settings.mariadb;
  const connection = await createConnection({
    socketPath: socket,
    user,
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
  const session = new Session(connection);
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
