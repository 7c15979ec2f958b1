import { z } from "zod";
import {
  type databasesCommands,
  SYSTEM_DATABASE_USERS,
} from "../../shared/agent-protocol/databases.ts";
import { databaseHost, databaseWord, passwordHash } from "../../shared/agent-protocol/fields.ts";
import { CommandError } from "../command-error.ts";
import type { HandlersOf } from "../handlers.ts";
import type { Database } from "./connection.ts";
import { withDatabase } from "./connection.ts";
import { assertOurs, namesIn } from "./databases.ts";

type DatabaseHandlers = HandlersOf<typeof databasesCommands>;

interface Account {
  username: string;
  host: string;
}

/**
 * An account with all rights on one database and no others, its password given as the hash that the server stores: the
 * password itself is on no wire, in no log and no list of processes. One that exists gets the password and the right.
 */
export const createUser: DatabaseHandlers["db.create-user"] = async (ctx, input) => {
  const { database, username, host } = input;
  assertOurs(database);
  assertAccount(input);
  if (!passwordHash.safeParse(input.passwordHash).success) {
    throw new CommandError("invalid", "invalid password");
  }
  if (ctx.dryRun) return { username, host, created: false };
  return withDatabase(ctx, async (session) => {
    if (!(await namesIn(session)).includes(database)) {
      throw new CommandError("not_found", "there is no such database");
    }
    const before = await factsOf(session, input, input.passwordHash);
    const values = [database, username, host, input.passwordHash];
    await session.act("CALL mysql.nusantara_set_user(?, ?, ?, ?)", values);
    const after = await factsOf(session, input, input.passwordHash);
    const isGranted = after.some(
      (right) => right.db === database && right.whole === 1 && right.may_grant === 0,
    );
    if (!isGranted || after[0]?.hash_matches !== 1) {
      throw new CommandError("tool_failed", "MariaDB did not take the account as it was given");
    }
    return { username, host, created: before.length === 0 };
  });
};

/** Removes an account and its rights; its sessions that are open end by themselves. */
export const dropUser: DatabaseHandlers["db.drop-user"] = async (ctx, input) => {
  assertAccount(input);
  if (ctx.dryRun) return { dropped: false };
  return withDatabase(ctx, async (session) => {
    const before = await factsOf(session, input, "");
    await session.act("CALL mysql.nusantara_drop_user(?, ?)", [input.username, input.host]);
    if ((await factsOf(session, input, "")).length > 0) {
      throw new CommandError("tool_failed", "MariaDB kept the account");
    }
    return { dropped: before.length > 0 };
  });
};

/** A row for each database that the account has rights on; one with `db: null` when it has none; no row, no account. */
const right = z.object({
  hash_matches: z.number().nullable(),
  db: z.string().nullable(),
  whole: z.number().nullable(),
  may_grant: z.number().nullable(),
});

const factsOf = (session: Database, { username, host }: Account, hash: string) =>
  session.rows("CALL mysql.nusantara_user(?, ?, ?)", right, [username, host, hash]);

const systemUsers = new Set(SYSTEM_DATABASE_USERS);

function assertAccount({ username, host }: Account): void {
  if (!databaseWord.safeParse(username).success) {
    throw new CommandError("invalid", "invalid username");
  }
  if (!databaseHost.safeParse(host).success) throw new CommandError("invalid", "invalid host");
  if (systemUsers.has(username.toLowerCase())) {
    throw new CommandError("conflict", "the account is the server's own");
  }
}
