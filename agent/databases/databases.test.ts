import { afterAll, beforeAll, expect, it } from "vitest";
import type { AgentCtx } from "../ctx.ts";
import { testCtx } from "../testing/ctx.ts";
import { startMariadb, type TestMariadb } from "../testing/mariadb.ts";
import { needs } from "../testing/needs.ts";
import { countRows, databaseSizes, handlers, withDatabase } from "./index.ts";
import { account, codeOf, fresh, hashOf, madeBy, noProgress } from "./test-accounts.ts";

needs("mariadb")("databases on a real MariaDB", () => {
  let mariadb: TestMariadb;
  let ctx: AgentCtx & { lines: string[] };

  beforeAll(async () => {
    mariadb = await startMariadb();
    ctx = testCtx({ mariadb: { socket: mariadb.socket, user: mariadb.user } });
  });
  afterAll(() => mariadb?.stop());

  const made = (database?: string) => madeBy(ctx, database);

  it("makes a database for any text once, however often it is told to", async () => {
    const database = fresh("app");
    const results = [];
    for (let delivery = 0; delivery < 10; delivery += 1) {
      results.push(await handlers["db.create"](ctx, { database }, noProgress));
    }
    expect(results.map(({ created }) => created)).toEqual([true, ...Array(9).fill(false)]);
    const [row] = await mariadb.query(
      "SELECT DEFAULT_CHARACTER_SET_NAME AS charset FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
      [database],
    );
    expect(row).toEqual({ charset: "utf8mb4" });
    const { databases } = await handlers["db.list"](ctx, {}, noProgress);
    expect(databases).toContainEqual({ name: database, system: false });
    expect(databases.filter(({ system }) => system).map(({ name }) => name)).toEqual([
      "information_schema",
      "mysql",
      "performance_schema",
      "sys",
    ]);
  });

  it("makes a user who signs in with the password and works in that database alone", async () => {
    const database = await made("a_b");
    const beside = await made("aXb");
    const given = account({ database });
    const first = await handlers["db.create-user"](ctx, given, noProgress);
    expect(first).toEqual({ username: given.username, host: "localhost", created: true });
    for (let delivery = 0; delivery < 9; delivery += 1) {
      const again = await handlers["db.create-user"](ctx, given, noProgress);
      expect(again.created).toBe(false);
    }
    const as = { user: given.username, password: "Str0ng!Pass" };
    await mariadb.queryAs({ ...as, database }, "CREATE TABLE notes (text VARCHAR(20))");
    await mariadb.queryAs({ ...as, database }, "INSERT INTO notes VALUES (?)", ["sambal 🌶"]);
    const seen = await mariadb.queryAs<{ Database: string }>(as, "SHOW DATABASES");
    expect(seen.map((row) => row.Database).sort()).toEqual([database, "information_schema"]);
    await expect(mariadb.queryAs({ ...as, database: beside }, "SELECT 1")).rejects.toThrow(
      "denied",
    );
    const granting = `GRANT SELECT ON ${database}.* TO 'owner'@'localhost'`;
    await expect(mariadb.queryAs(as, granting)).rejects.toThrow("denied");
    await expect(mariadb.queryAs({ ...as, password: "wrong" }, "SELECT 1")).rejects.toThrow(
      "denied",
    );
  });

  it("gives an account that exists the new password and ends the old one", async () => {
    const given = account({ database: await made() });
    await handlers["db.create-user"](ctx, given, noProgress);
    const changed = { ...given, passwordHash: hashOf("An0ther!Pass") };
    await handlers["db.create-user"](ctx, changed, noProgress);
    const as = { user: given.username, password: "An0ther!Pass" };
    expect(await mariadb.queryAs(as, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await expect(mariadb.queryAs({ ...as, password: "Str0ng!Pass" }, "SELECT 1")).rejects.toThrow(
      "denied",
    );
  });

  it("removes a database with every right on it, so that a later one of its name is nobody else's", async () => {
    const database = await made();
    const given = account({ database });
    await handlers["db.create-user"](ctx, given, noProgress);
    expect(await handlers["db.drop"](ctx, { database }, noProgress)).toEqual({ dropped: true });
    expect(await handlers["db.drop"](ctx, { database }, noProgress)).toEqual({ dropped: false });
    await made(database);
    const as = { user: given.username, password: "Str0ng!Pass" };
    await expect(mariadb.queryAs({ ...as, database }, "SELECT 1")).rejects.toThrow("denied");
    const user = { username: given.username, host: given.host };
    expect(await handlers["db.drop-user"](ctx, user, noProgress)).toEqual({ dropped: true });
    expect(await handlers["db.drop-user"](ctx, user, noProgress)).toEqual({ dropped: false });
    await expect(mariadb.queryAs(as, "SELECT 1")).rejects.toThrow("denied");
  });

  it("counts rows and checksums alike for alike contents, and apart for others", async () => {
    const [one, two] = [await made(), await made()];
    for (const database of [one, two]) {
      await mariadb.query(
        `CREATE TABLE ${database}.\`odd \`\` name\` (id INT PRIMARY KEY, text VARCHAR(50))`,
      );
      await mariadb.query(`INSERT INTO ${database}.\`odd \`\` name\` VALUES (1, 'a'), (2, NULL)`);
      await mariadb.query(`CREATE VIEW ${database}.v AS SELECT 1`);
    }
    const counts = await countRows(ctx, one);
    expect(counts).toEqual([{ table: "odd ` name", rows: 2, checksum: expect.any(Number) }]);
    expect(await countRows(ctx, two)).toEqual(counts);
    await mariadb.query(`UPDATE ${two}.\`odd \`\` name\` SET text = 'b' WHERE id = 1`);
    expect(await countRows(ctx, two)).not.toEqual(counts);
    const sizes = await databaseSizes(ctx);
    expect(sizes.find(({ database }) => database === one)).toMatchObject({ tables: 2 });
    expect(sizes.map(({ database }) => database)).not.toContain("mysql");
  });

  it("opens a session for each command and leaves none behind", async () => {
    await made();
    await codeOf(handlers["db.create-user"](ctx, account({ database: fresh("no") }), noProgress));
    const sql =
      "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE USER = ? AND COMMAND <> 'Killed'";
    await expect.poll(() => mariadb.query(sql, [mariadb.user])).toEqual([{ n: 0 }]);
  });

  it("says that the server is away and may be asked again, and works when it is back", async () => {
    await mariadb.halt();
    const database = fresh("app");
    const error = await handlers["db.create"](ctx, { database }, noProgress).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: "unavailable", retryable: true });
    await mariadb.resume();
    const result = await handlers["db.create"](ctx, { database }, noProgress);
    expect(result.created).toBe(true);
  });

  it("finishes what a killed server or a cancelled command left half done", async () => {
    const given = account({ database: await made() });
    // The account is there, its right is not: as after a kill between the two.
    await mariadb.query(`CREATE USER '${given.username}'@'localhost' IDENTIFIED BY 'other'`);
    await handlers["db.create-user"](ctx, given, noProgress);
    const as = { user: given.username, password: "Str0ng!Pass", database: given.database };
    expect(await mariadb.queryAs(as, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    const abort = new AbortController();
    const waiting = withDatabase({ ...ctx, signal: abort.signal }, ({ act }) =>
      act("DO SLEEP(30)"),
    );
    setTimeout(() => abort.abort(), 50);
    expect(await codeOf(waiting)).toBe("cancelled");
  });
});
