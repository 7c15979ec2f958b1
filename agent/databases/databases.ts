import { z } from "zod";
import { type databasesCommands, SYSTEM_DATABASES } from "../../shared/agent-protocol/databases.ts";
import { databaseWord } from "../../shared/agent-protocol/fields.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import type { HandlersOf } from "../handlers.ts";
import { type Database, withDatabase } from "./connection.ts";

type DatabaseHandlers = HandlersOf<typeof databasesCommands>;

const systemNames = new Set(SYSTEM_DATABASES);
/** Where backups are proven and restores are prepared. */
const isWorkspace = (name: string) => /^nusantara_(?:scratch|old)_[0-9a-f]{12}$/i.test(name);
export const isSystem = (name: string) => systemNames.has(name.toLowerCase());

/** Every database that the agent's account sees, the server's own as well, by name. */
export const listDatabases: DatabaseHandlers["db.list"] = async (ctx) => {
  if (ctx.dryRun) return { databases: [] };
  const names = await withDatabase(ctx, namesIn);
  const shown = names.filter((name) => !isWorkspace(name));
  return { databases: shown.map((name) => ({ name, system: isSystem(name) })) };
};

/** Makes an empty database for any text in any language, unless one has the name. */
export const createDatabase: DatabaseHandlers["db.create"] = async (ctx, { database }) => {
  assertOurs(database);
  if (ctx.dryRun) return { database, created: false };
  return withDatabase(ctx, async (session) => {
    const existed = (await namesIn(session)).includes(database);
    if (!existed) {
      const after = " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
      await session.actOn({ before: "CREATE DATABASE IF NOT EXISTS ", name: database, after });
    }
    if (!(await namesIn(session)).includes(database)) {
      throw new CommandError("tool_failed", "MariaDB made no such database");
    }
    return { database, created: !existed };
  });
};

/** Removes a database with all that is in it, and every right that an account had on it. */
export const dropDatabase: DatabaseHandlers["db.drop"] = async (ctx, { database }) => {
  assertOurs(database);
  if (ctx.dryRun) return { dropped: false };
  return withDatabase(ctx, async (session) => {
    const existed = (await namesIn(session)).includes(database);
    await session.actOn({ before: "DROP DATABASE IF EXISTS ", name: database });
    await session.act("CALL mysql.nusantara_release(?)", [database]);
    if ((await namesIn(session)).includes(database)) {
      throw new CommandError("tool_failed", "MariaDB kept the database");
    }
    return { dropped: existed };
  });
};

/** The bytes that each of the sites' databases takes, as the server reckons them. */
export async function databaseSizes(
  ctx: Pick<AgentCtx, "settings" | "signal">,
): Promise<{ database: string; bytes: number; tables: number }[]> {
  const sql = `SELECT s.SCHEMA_NAME AS name, COUNT(t.TABLE_NAME) AS tables,
      CAST(COALESCE(SUM(t.DATA_LENGTH + t.INDEX_LENGTH), 0) AS UNSIGNED) AS bytes
    FROM information_schema.SCHEMATA s LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME
    GROUP BY s.SCHEMA_NAME ORDER BY s.SCHEMA_NAME`;
  const row = z.object({ name: z.string(), tables: z.number(), bytes: z.coerce.number() });
  const rows = await withDatabase(ctx, (session) => session.rows(sql, row));
  return rows
    .filter(({ name }) => !isSystem(name) && !isWorkspace(name))
    .map(({ name, bytes, tables }) => ({ database: name, bytes, tables }));
}

/** Refuses the server's own databases, and any name that the edge should never have sent. */
export function assertOurs(database: string): void {
  if (!databaseWord.safeParse(database).success) {
    throw new CommandError("invalid", "invalid database name");
  }
  if (isSystem(database) || isWorkspace(database)) {
    throw new CommandError("conflict", "the database is the server's own");
  }
}

/** Compared here, letter by letter: the server's comparison takes letters of another case for the same. */
export async function namesIn(session: Database): Promise<string[]> {
  const sql = "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME";
  const rows = await session.rows(sql, z.object({ name: z.string() }));
  return rows.map(({ name }) => name);
}
