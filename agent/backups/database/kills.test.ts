import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import { expect, it } from "vitest";
import { mariadb, server, withDatabases } from "../testing/databases.ts";
import { killed } from "../testing/kill.ts";
import { knownOf } from "../testing/server.ts";

async function notes(): Promise<string> {
  const name = `catatan_${randomUUID().slice(0, 8)}`;
  await mariadb.query(`create database ${name}`);
  for (const table of ["a", "b", "c"]) {
    await mariadb.query(
      `create table ${name}.${table} (id int primary key auto_increment, isi varchar(200))`,
    );
    const values = Array.from({ length: 200 }, (_, i) => [`cadangan ${table} ${i}`]);
    await mariadb.query(`insert into ${name}.${table} (isi) values ?`, [values]);
  }
  await mariadb.query(`create view ${name}.semua as select isi from ${name}.a`);
  await mariadb.query(
    `create trigger ${name}.pemicu before insert on ${name}.b for each row set new.isi = concat('t ', new.isi)`,
  );
  return name;
}

/** What tells the two contents apart, and that all of the one or of the other is there. */
async function seen(name: string) {
  const rows = await Promise.all(
    ["a", "b", "c"].map((t) =>
      mariadb.query<{ n: string }>(`select concat(count(*), ' ', min(isi)) as n from ${name}.${t}`),
    ),
  );
  const triggers = await mariadb.query(
    "select 1 from information_schema.TRIGGERS where TRIGGER_SCHEMA = ?",
    [name],
  );
  const views = await mariadb.query(
    "select 1 from information_schema.VIEWS where TABLE_SCHEMA = ?",
    [name],
  );
  return [...rows.map(([row]) => row?.n), triggers.length, views.length].join(" | ");
}
const ours = async () =>
  (
    await mariadb.query<{ n: string }>(
      "select SCHEMA_NAME as n from information_schema.SCHEMATA where SCHEMA_NAME like 'nusantara%'",
    )
  ).map(({ n }) => n);
const journals = () =>
  readdirSync(server.at("state")).filter((file) => file.startsWith("restore-"));

const BACKED_UP = "200 cadangan a 0 | 200 cadangan b 0 | 200 cadangan c 0 | 1 | 1";
const LIVE = "1 hidup | 1 t hidup | 1 hidup | 1 | 1";

withDatabases("a database's restore", () => {
  async function prepared() {
    const name = await notes();
    const target = { kind: "database" as const, database: name };
    const facts = await server.backUp(target);
    for (const table of ["a", "b", "c"]) {
      await mariadb.query(`delete from ${name}.${table}`);
      await mariadb.query(`insert into ${name}.${table} (isi) values ('hidup')`);
    }
    const input = { ...knownOf(facts), restoreId: randomUUID(), target };
    return { name, target, facts, input };
  }

  it("killed at any of its steps ends well when it is repeated, and mixes nothing", async () => {
    const { name, target, facts, input } = await prepared();
    const journal = server.at("state", `restore-${input.restoreId}.json`);
    const undo = server.at("state", `restore-${input.restoreId}.sql`);
    const steps = [
      () => existsSync(server.at("scratch", `backup-${input.restoreId}`)),
      () => existsSync(undo),
      () => existsSync(journal),
    ];
    for (const step of steps) {
      const how = await killed(server, "backup.restore", input, step);
      // Whatever had been done to it: all of the one, or all of the other.
      if (how === "killed" && !existsSync(journal))
        expect([LIVE, BACKED_UP]).toContain(await seen(name));
    }
    await server.restore(facts, target, server.ctx, input.restoreId);
    expect(await seen(name)).toBe(BACKED_UP);
    expect([await ours(), journals()]).toEqual([[], []]);
  }, 60_000);

  it("that was killed after the swap is put back before another one begins, with triggers and views", async () => {
    const { name, target, facts, input } = await prepared();
    const { settleKilledRestores } = await import("./restore.ts");
    const journal = server.at("state", `restore-${input.restoreId}.json`);
    const how = await killed(server, "backup.restore", input, () => existsSync(journal));
    const isDone = await settleKilledRestores(server.ctx, name, input.restoreId);
    if (how === "killed" && !isDone) expect(await seen(name)).toBe(LIVE);
    await server.restore(facts, target);
    expect(await seen(name)).toBe(BACKED_UP);
    expect([await ours(), journals()]).toEqual([[], []]);
  }, 60_000);

  it("that meets a writer in the moment of its swap says so, and what was there is there", async () => {
    const { name, target, facts } = await prepared();
    let isDone = false;
    const writing = (async () => {
      while (!isDone) {
        try {
          const connection = await createConnection({
            socketPath: mariadb.socket,
            user: "owner",
            password: "owner",
          });
          connection.on("error", () => undefined);
          // Without the database in use, so that it is not ended with the database's own sessions.
          while (!isDone)
            await connection.query(`update ${name}.a set isi = concat('hidup ', rand())`);
          await connection.end();
        } catch {
          // Between two names of a table.
        }
      }
    })();
    const outcome = await server.restore(facts, target).then(
      () => "restored",
      (error: { code: string }) => error.code,
    );
    isDone = true;
    await writing;
    expect(["integrity", "restored"]).toContain(outcome);
    const rows = await mariadb.query<{ n: number }>(`select count(*) as n from ${name}.c`);
    expect(rows).toEqual([{ n: outcome === "restored" ? 200 : 1 }]);
    expect([await ours(), journals()]).toEqual([[], []]);
  }, 60_000);

  it("whose database server is killed under it says that the server is away, and goes well when asked again", async () => {
    const { name, target, facts, input } = await prepared();
    const restoring = server.restore(facts, target, server.ctx, input.restoreId).then(
      () => "restored",
      (error: { code: string }) => error.code,
    );
    await expect.poll(ours, { interval: 5 }).not.toEqual([]);
    await mariadb.halt("SIGKILL");
    const outcome = await restoring;
    await mariadb.resume();
    expect(["unavailable", "restored"]).toContain(outcome);
    await server.restore(facts, target, server.ctx, input.restoreId);
    expect(await seen(name)).toBe(BACKED_UP);
    expect([await ours(), journals()]).toEqual([[], []]);
  }, 60_000);
});
