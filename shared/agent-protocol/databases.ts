import { z } from "zod";
import { databaseHost, databaseWord, passwordHash } from "./fields.ts";

/** MariaDB's own, shown as such and never made, granted on or dropped. */
export const SYSTEM_DATABASES: readonly string[] = [
  "mysql",
  "information_schema",
  "performance_schema",
  "sys",
];

/** Its own accounts, refused with `conflict`. */
export const SYSTEM_DATABASE_USERS: readonly string[] = [
  "root",
  "mysql",
  "mariadb.sys",
  "debian-sys-maint",
  "nusantarad",
];

const deadline = { deadlineMs: 15 * 60_000 };

/** Commands about the server's databases; subject `db`. All are convergent. */
export const databasesCommands = {
  /** utf8mb4; one that exists is done. */
  "db.create": {
    input: z.strictObject({ database: databaseWord }),
    result: z.object({ database: databaseWord, created: z.boolean() }),
    ...deadline,
  },
  /**
   * An account with all rights on this one database; one that exists gets the password and the right. `not_found`
   * without the database, `conflict` for an account of the server itself.
   */
  "db.create-user": {
    input: z.strictObject({
      database: databaseWord,
      username: databaseWord,
      passwordHash,
      host: databaseHost,
    }),
    result: z.object({ username: databaseWord, host: databaseHost, created: z.boolean() }),
    ...deadline,
  },
  /** With all that is in it. What is gone is done. */
  "db.drop": {
    input: z.strictObject({ database: databaseWord }),
    result: z.object({ dropped: z.boolean() }),
    ...deadline,
  },
  "db.drop-user": {
    input: z.strictObject({ username: databaseWord, host: databaseHost }),
    result: z.object({ dropped: z.boolean() }),
    ...deadline,
  },
  "db.list": {
    ask: true,
    input: z.strictObject({}),
    result: z.object({
      databases: z.array(z.object({ name: z.string(), system: z.boolean() })),
    }),
    deadlineMs: 10_000,
  },
} as const;
