import type { Connection } from "mysql2/promise";
import { z } from "zod";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";

/** One session of MariaDB. Values travel as parameters of prepared statements; names are quoted by the server. */
export interface Database {
  /** The rows of a statement with `?` for every value. */
  rows<S extends z.ZodType>(sql: string, row: S, values?: Value[]): Promise<z.output<S>[]>;
  act(sql: string, values?: Value[]): Promise<void>;
  /** A statement with a name where no value may stand: `before`, the name in backticks, `after`. */
  rowsOf<S extends z.ZodType>(named: Named, row: S): Promise<z.output<S>[]>;
  actOn(named: Named): Promise<void>;
  /** For reading many rows one after another; not to be ended by the caller. */
  connection: Connection;
}

export type Value = string | number | null;

/** `before` and `after` are written in our code, `name` may hold anything. */
export interface Named {
  before: string;
  name: string;
  after?: string;
}

export interface DatabaseOptions {
  database?: string;
  /** For one statement. */
  timeoutMs?: number;
}

const CONNECT_MS = 5_000;
const STATEMENT_MS = 60_000;

/**
 * Opens a session as the agent's own account over the Unix socket, works, and closes it, whatever happens. Cancelling
 * the command ends it. Throws `CommandError` with our own words: the server's may hold what was sent.
 */
export async function withDatabase<T>(
  ctx: Pick<AgentCtx, "settings" | "signal">,
  work: (database: Database) => Promise<T>,
  { database, timeoutMs = STATEMENT_MS }: DatabaseOptions = {},
): Promise<T> {
  const { socket, user } = ctx.settings.mariadb;
  if (ctx.signal.aborted) throw new CommandError("cancelled", "the command was ended");
  let connection: Connection | undefined;
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      connection?.destroy();
      reject(new CommandError("cancelled", "the command was ended"));
    };
  });
  ctx.signal.addEventListener("abort", abort, { once: true });
  try {
    // Loaded when it is needed: an agent at rest stays small.
    const { createConnection } = await import("mysql2/promise");
    connection = await createConnection({
      socketPath: socket,
      user,
      ...(database !== undefined && { database }),
      charset: "utf8mb4_bin",
      connectTimeout: CONNECT_MS,
      supportBigNumbers: true,
      multipleStatements: false,
    });
    // Else mysql2 throws a lost connection at the process.
    connection.on("error", () => undefined);
    const session = sessionOf(connection, timeoutMs);
    // A lock that somebody holds ends in an answer, not in a command past its deadline.
    await session.act("SET SESSION lock_wait_timeout = CAST(? AS UNSIGNED)", [
      Math.ceil(timeoutMs / 1_000),
    ]);
    return await Promise.race([work(session), aborted]);
  } catch (error) {
    throw toCommandError(error);
  } finally {
    ctx.signal.removeEventListener("abort", abort);
    await connection?.end().catch(() => connection?.destroy());
  }
}

function sessionOf(connection: Connection, timeout: number): Database {
  const execute = async (sql: string, values: Value[] = []) =>
    (await connection.execute({ sql, timeout, values }))[0];
  const onName = async ({ before, name, after = "" }: Named) => {
    await execute("SET @before = ?, @name = ?, @after = ?", [before, name, after]);
    const sql = "EXECUTE IMMEDIATE CONCAT(@before, '`', REPLACE(@name, '`', '``'), '`', @after)";
    return (await connection.query({ sql, timeout }))[0];
  };
  return {
    rows: async (sql, row, values) => parseRows(await execute(sql, values), row),
    act: async (sql, values) => {
      await execute(sql, values);
    },
    rowsOf: async (named, row) => parseRows(await onName(named), row),
    actOn: async (named) => {
      await onName(named);
    },
    connection,
  };
}

/** A CALL answers with a list of results, of which the first holds the rows. */
function parseRows<S extends z.ZodType>(answer: unknown, row: S): z.output<S>[] {
  if (!Array.isArray(answer)) return [];
  const rows: unknown = Array.isArray(answer[0]) ? answer[0] : answer;
  return z.array(row).parse(rows);
}

const serverError = z.object({ errno: z.number().optional(), code: z.string().optional() });

const LOST = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "PROTOCOL_CONNECTION_LOST",
]);

/** The server's and the socket's errors in our words; anything else is a mistake of ours, and stays what it is. */
function toCommandError(error: unknown): unknown {
  if (error instanceof CommandError) return error;
  const { errno = 0, code = "" } = serverError.safeParse(error).data ?? {};
  if (errno === 0 && code === "") return error;
  if (LOST.has(code) || [1040, 1053, 1152, 1158, 1159, 1160, 1161, 1927].includes(errno)) {
    return new CommandError("unavailable", "MariaDB does not answer", { retryable: true });
  }
  switch (errno) {
    case 30_001:
      return new CommandError("invalid", "MariaDB takes no such name");
    case 30_002:
      return new CommandError("conflict", "this account or database belongs to the server itself");
    case 30_003:
      return new CommandError("not_found", "there is no such database");
    // Access denied; no right to execute; no such procedure.
    case 1044:
    case 1045:
    case 1142:
    case 1227:
    case 1305:
    case 1370:
    case 1698:
      return new CommandError("unavailable", "the agent's account in MariaDB is not set up");
    case 1021:
    case 1114:
      return new CommandError("disk_full", "MariaDB has no space left", { retryable: true });
    case 1205:
    case 1213:
    case 1969:
      return new CommandError("timeout", "MariaDB was busy for too long", { retryable: true });
    case 0:
      if (code === "PROTOCOL_SEQUENCE_TIMEOUT") {
        return new CommandError("timeout", "MariaDB took too long", { retryable: true });
      }
  }
  return new CommandError("tool_failed", `MariaDB refused (error ${errno || code})`);
}
