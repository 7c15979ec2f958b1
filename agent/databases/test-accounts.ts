import { createHash, randomBytes } from "node:crypto";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import type { TestMariadb } from "../testing/mariadb.ts";
import { handlers } from "./index.ts";

const sha1 = (value: string | Buffer) => createHash("sha1").update(value).digest();
export const hashOf = (password: string) =>
  `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;
export const fresh = (prefix: string) => `${prefix}_${randomBytes(6).toString("hex")}`;
export const noProgress = () => undefined;

export const account = (
  given: Partial<Parameters<(typeof handlers)["db.create-user"]>[1]> = {},
) => ({
  database: fresh("app"),
  username: fresh("user"),
  host: "localhost",
  passwordHash: hashOf("Str0ng!Pass"),
  ...given,
});

export const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof CommandError ? error.code : String(error)),
  );

/** A database of a name of its own, made by the agent. */
export async function madeBy(ctx: AgentCtx, database = fresh("app")): Promise<string> {
  await handlers["db.create"](ctx, { database }, noProgress);
  return database;
}

/** Everything that a statement gone astray could change. */
export const inventoryOf = async (mariadb: TestMariadb): Promise<string> =>
  JSON.stringify([
    await mariadb.query(
      "SELECT SCHEMA_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA ORDER BY 1",
    ),
    await mariadb.query("SELECT Host, User, Priv FROM mysql.global_priv ORDER BY 1, 2"),
    await mariadb.query("SELECT * FROM mysql.db ORDER BY Host, Db, User"),
    await mariadb.query("SELECT * FROM mysql.procs_priv ORDER BY Db, Routine_name"),
    await mariadb.query(
      "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, MD5(ROUTINE_DEFINITION) FROM information_schema.ROUTINES ORDER BY 1, 2",
    ),
    await mariadb.query(
      "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA <> 'performance_schema' ORDER BY 1, 2",
    ),
  ]);
