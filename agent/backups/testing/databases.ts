import { afterAll, beforeAll } from "vitest";
import { startMariadb, type TestMariadb } from "../../testing/mariadb.ts";
import { needs } from "../../testing/needs.ts";
import { TestServer } from "./server.ts";

/** Those of the tests that run now; there once these have begun. */
export let mariadb: TestMariadb;
export let server: TestServer;

/** What a backup of this database is asked for. */
export const target = (database: string) => ({ kind: "database" as const, database });

/** Tests with a MariaDB, and a server that backs it up, of their own; left out where programs are missing. */
export function withDatabases(name: string, tests: () => void): void {
  needs(
    "mariadb",
    "zstd",
    "age",
  )(name, () => {
    beforeAll(async () => {
      mariadb = await startMariadb();
      server = new TestServer({ mariadb: { socket: mariadb.socket, user: mariadb.user } });
    });
    afterAll(async () => {
      server?.remove();
      await mariadb?.stop();
    });
    tests();
  });
}
