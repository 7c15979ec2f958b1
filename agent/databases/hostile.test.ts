import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { testCtx } from "../testing/ctx.ts";
import { startMariadb, type TestMariadb } from "../testing/mariadb.ts";
import { needs } from "../testing/needs.ts";
import { handlers, withDatabase } from "./index.ts";
import {
  account,
  codeOf,
  fresh,
  hashOf,
  inventoryOf,
  madeBy,
  noProgress,
} from "./test-accounts.ts";
import { hostileValues } from "./testing.ts";

needs("mariadb")("what reaches a real MariaDB", () => {
  let mariadb: TestMariadb;
  let ctx: AgentCtx & { lines: string[] };

  beforeAll(async () => {
    mariadb = await startMariadb();
    ctx = testCtx({ mariadb: { socket: mariadb.socket, user: mariadb.user } });
  });
  afterAll(() => mariadb?.stop());

  const made = (database?: string) => madeBy(ctx, database);
  const inventory = () => inventoryOf(mariadb);

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
    for (const username of [
      ...["root", "Root", "nusantarad", "mysql", "strong", "owner", "chief"],
      "nusantara_k_0123456789",
    ]) {
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
      for (const value of hostileValues(320, 2).filter((one) => /[^A-Za-z0-9_]|^$/.test(one))) {
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
        await expectRefused("CALL mysql.nusantara_keeper(?, ?)", [value, hash]);
        await expectRefused("CALL mysql.nusantara_keeper(?, ?)", [database, value]);
        await expectRefused("CALL mysql.nusantara_unkeep(?)", [value]);
        await expectRefused("CALL mysql.nusantara_return(?, 'localhost')", [value]);
        await expectRefused("CALL mysql.nusantara_lend(?, 'u', 'localhost', ?)", [value, hash]);
        await expectRefused("CALL mysql.nusantara_lend(?, ?, 'localhost', ?)", [
          database,
          value,
          hash,
        ]);
        await expectRefused("CALL mysql.nusantara_lend(?, 'u', 'localhost', ?)", [database, value]);
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
      "CREATE DEFINER = owner@localhost VIEW made_up.v AS SELECT 1",
      "SET ROLE chief",
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
});
