import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { testCtx } from "../testing/ctx.ts";
import { startMariadb, type TestMariadb } from "../testing/mariadb.ts";
import { needs } from "../testing/needs.ts";
import { countRows, databaseSizes, handlers, withDatabase } from "./index.ts";
import { hostileValues } from "./testing.ts";

const sha1 = (value: string | Buffer) => createHash("sha1").update(value).digest();
const hashOf = (password: string) => `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;
const fresh = (prefix: string) => `${prefix}_${randomBytes(6).toString("hex")}`;
const noProgress = () => undefined;

const account = (given: Partial<Parameters<(typeof handlers)["db.create-user"]>[1]> = {}) => ({
  database: fresh("app"),
  username: fresh("user"),
  host: "localhost",
  passwordHash: hashOf("Str0ng!Pass"),
  ...given,
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (error instanceof CommandError ? error.code : String(error)),
  );

needs("mariadb")("databases on a real MariaDB", () => {
  let mariadb: TestMariadb;
  let ctx: AgentCtx & { lines: string[] };

  beforeAll(async () => {
    mariadb = await startMariadb();
    ctx = testCtx({ mariadb: { socket: mariadb.socket, user: mariadb.user } });
  });
  afterAll(() => mariadb?.stop());

  /** Everything that a statement gone astray could change. */
  const inventory = async () =>
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

  const made = async (database = fresh("app")) => {
    await handlers["db.create"](ctx, { database }, noProgress);
    return database;
  };

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

  it("refuses the server's own databases and accounts, and an account with rights beyond one database", async () => {
    await mariadb.query("CREATE USER strong@localhost IDENTIFIED BY 'x'");
    await mariadb.query("GRANT SELECT ON *.* TO strong@localhost");
    await mariadb.query("CREATE ROLE chief");
    const database = await made();
    const before = await inventory();
    for (const name of [
      "mysql",
      "sys",
      "MySQL",
      "information_schema",
      "performance_schema",
      "nusantara_old_0123456789ab",
    ]) {
      const tries = [
        handlers["db.create"](ctx, { database: name }, noProgress),
        handlers["db.drop"](ctx, { database: name }, noProgress),
        handlers["db.create-user"](ctx, account({ database: name }), noProgress),
      ];
      expect(await Promise.all(tries.map(codeOf))).toEqual(["conflict", "conflict", "conflict"]);
    }
    for (const username of ["root", "Root", "nusantarad", "mysql", "strong", "owner", "chief"]) {
      const given = account({ database, username });
      expect(await codeOf(handlers["db.create-user"](ctx, given, noProgress))).toBe("conflict");
      const user = { username, host: "localhost" };
      expect(await codeOf(handlers["db.drop-user"](ctx, user, noProgress))).toBe("conflict");
    }
    const missing = account({ database: fresh("none") });
    expect(await codeOf(handlers["db.create-user"](ctx, missing, noProgress))).toBe("not_found");
    expect(await inventory()).toBe(before);
  });

  it("refuses 3,000 hostile values in every field before the server hears of them", async () => {
    const database = await made();
    const before = await inventory();
    const said = mariadb.generalLog().length;
    const allowed = /^[A-Za-z0-9_]{1,64}$/;
    const values = hostileValues(3_000);
    let tried = 0;
    for (const value of values.filter((one) => !allowed.test(one))) {
      const tries = [
        handlers["db.create"](ctx, { database: value }, noProgress),
        handlers["db.drop"](ctx, { database: value }, noProgress),
        handlers["db.create-user"](ctx, account({ database: value }), noProgress),
        handlers["db.create-user"](ctx, account({ database, username: value }), noProgress),
        handlers["db.create-user"](ctx, account({ database, passwordHash: value }), noProgress),
        handlers["db.drop-user"](ctx, { username: value, host: "localhost" }, noProgress),
      ];
      expect(new Set(await Promise.all(tries.map(codeOf))), value).toEqual(new Set(["invalid"]));
      tried += 1;
    }
    const hosts = values.filter((one) => !/^[A-Za-z0-9._%][A-Za-z0-9._%-]{0,254}$/.test(one));
    for (const host of hosts) {
      const attempt = handlers["db.create-user"](ctx, account({ database, host }), noProgress);
      expect(await codeOf(attempt), host).toBe("invalid");
    }
    expect(tried).toBeGreaterThan(2_900);
    expect(mariadb.generalLog().slice(said)).not.toMatch(/Connect|Query|Prepare|Execute/);
    expect(await inventory()).toBe(before);
  });

  it("lets no hostile value past the server's own procedures, were the agent to send it", async () => {
    const database = await made();
    const before = await inventory();
    const hash = hashOf("x");
    const refused = await withDatabase(ctx, async ({ act, rows }) => {
      let count = 0;
      const expectRefused = async (sql: string, values: string[]) => {
        const errno = await act(sql, values).then(
          () => 0,
          (error: { errno?: number }) => error.errno ?? -1,
        );
        // Our own refusals, or the server's: too long, not text in this encoding.
        expect(
          [30_001, 30_002, 30_003, 1366, 1406],
          JSON.stringify(values).slice(0, 300),
        ).toContain(errno);
        count += 1;
      };
      for (const value of hostileValues(600, 2).filter((one) => /[^A-Za-z0-9_]|^$/.test(one))) {
        await expectRefused("CALL mysql.nusantara_set_user(?, ?, 'localhost', ?)", [
          database,
          value,
          hash,
        ]);
        await expectRefused("CALL mysql.nusantara_set_user(?, 'u', 'localhost', ?)", [value, hash]);
        await expectRefused("CALL mysql.nusantara_set_user(?, 'u', 'localhost', ?)", [
          database,
          value,
        ]);
        await expectRefused("CALL mysql.nusantara_drop_user(?, 'localhost')", [value]);
        await expectRefused("CALL mysql.nusantara_release(?)", [value]);
        if (/[^A-Za-z0-9._%-]/.test(value)) {
          await expectRefused("CALL mysql.nusantara_set_user(?, 'u', ?, ?)", [
            database,
            value,
            hash,
          ]);
        }
      }
      expect(await rows("SELECT 1 AS one", z.object({ one: z.number() }))).toEqual([{ one: 1 }]);
      return count;
    });
    expect(refused).toBeGreaterThan(3_000);
    expect(await inventory()).toBe(before);
  });

  it("quotes a hostile name as that very name: made, seen and removed, with nothing else changed", async () => {
    const before = await inventory();
    const names = hostileValues(200, 3).filter((name) => name.length < 40);
    let madeCount = 0;
    await withDatabase(ctx, async ({ actOn, rows }) => {
      for (const name of names) {
        const isMade = await actOn({ before: "CREATE DATABASE ", name }).then(
          () => true,
          () => false,
        );
        if (!isMade) continue;
        madeCount += 1;
        const sql =
          "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA WHERE BINARY SCHEMA_NAME = BINARY ?";
        expect(await rows(sql, z.object({ name: z.string() }), [name]), name).toEqual([{ name }]);
        await actOn({ before: "DROP DATABASE ", name });
      }
    });
    expect(madeCount).toBeGreaterThan(50);
    expect(await inventory()).toBe(before);
  });

  it("cannot touch the server's own tables, accounts and procedures with its own account", async () => {
    const attempts = [
      "SELECT * FROM mysql.global_priv",
      "UPDATE mysql.db SET User = 'x'",
      "DROP DATABASE sys",
      "CREATE USER a@localhost",
      "ALTER USER owner@localhost IDENTIFIED BY 'x'",
      "GRANT ALL ON *.* TO owner@localhost",
      "CREATE OR REPLACE PROCEDURE mysql.nusantara_user() SELECT 1",
      "SET GLOBAL general_log = 0",
      "SELECT LOAD_FILE('/etc/passwd') INTO OUTFILE '/tmp/x'",
    ];
    for (const sql of attempts) {
      const code = await codeOf(withDatabase(ctx, ({ connection }) => connection.query(sql)));
      expect(["unavailable", "tool_failed"], sql).toContain(code);
    }
  });

  it("keeps passwords out of the server's log, its process list, the agent's log and its errors", async () => {
    const password = `S3cret!${randomBytes(8).toString("hex")}`;
    const given = account({ database: await made(), passwordHash: hashOf(password) });
    await handlers["db.create-user"](ctx, given, noProgress);
    const failing = handlers["db.create-user"](
      ctx,
      { ...given, database: fresh("none") },
      noProgress,
    );
    const error: unknown = await failing.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(CommandError);
    const processes = await mariadb.query("SELECT INFO FROM information_schema.PROCESSLIST");
    const seen = [mariadb.generalLog(), JSON.stringify(processes), ctx.lines.join("\n")];
    for (const text of seen) expect(text).not.toContain(password);
    expect(mariadb.generalLog()).toContain(given.username);
    expect(JSON.stringify([error, String(error), ctx.lines])).not.toContain(given.passwordHash);
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
