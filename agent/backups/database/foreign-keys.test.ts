import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { mariadb, server, target, withDatabases } from "../testing/databases.ts";
import { killed } from "../testing/kill.ts";
import { knownOf } from "../testing/server.ts";

/** Two databases, of which the second points at the first with a key of two columns. */
async function pair() {
  const [toko, gudang] = [`toko_${randomUUID().slice(0, 8)}`, `gudang_${randomUUID().slice(0, 8)}`];
  const run = (sql: string) =>
    mariadb.query(sql.replaceAll("TOKO", toko).replaceAll("GUDANG", gudang));
  await run("create database TOKO");
  await run("create database GUDANG");
  await run("create table TOKO.p (id int, b int, primary key (id, b))");
  await run("insert into TOKO.p values (1, 1), (2, 1)");
  await run(`create table GUDANG.c (id int primary key, p int, b int, constraint kunci foreign key (p, b)
    references TOKO.p (id, b) on delete cascade on update no action)`);
  await run("insert into GUDANG.c values (1, 1, 1), (2, null, 1)");
  return { toko, gudang, run };
}

const keysOf = (name: string) =>
  mariadb.query(
    `select CONSTRAINT_NAME as n, UNIQUE_CONSTRAINT_SCHEMA as s, DELETE_RULE as d from information_schema.REFERENTIAL_CONSTRAINTS
     where CONSTRAINT_SCHEMA = ?`,
    [name],
  );
const ours = () => mariadb.query("show databases like 'nusantara%'");

withDatabases("a database that another one's foreign key points at", () => {
  it("is restored as often as one likes, and the key holds", async () => {
    const { toko, gudang, run } = await pair();
    const facts = await server.backUp(target(toko));
    for (let n = 0; n < 3; n += 1) await server.restore(facts, target(toko));
    expect(await keysOf(gudang)).toEqual([{ n: "kunci", s: toko, d: "CASCADE" }]);
    await expect(run("insert into GUDANG.c values (3, 9, 9)")).rejects.toThrow(/foreign key/);
    await run("delete from TOKO.p where id = 1");
    expect(await run("select id from GUDANG.c")).toEqual([{ id: 2 }]);
    expect(await ours()).toEqual([]);
  });

  it("is not restored where rows of the other would point at nothing: it is said whose, and nothing changes", async () => {
    const { toko, gudang, run } = await pair();
    const facts = await server.backUp(target(toko));
    await run("insert into TOKO.p values (3, 1)");
    await run("insert into GUDANG.c values (3, 3, 1)");
    await expect(server.restore(facts, target(toko))).rejects.toMatchObject({
      code: "conflict",
      message: `foreign key kunci of ${gudang}.c would point at rows that the backup does not have: restore that database first, or remove the key`,
    });
    expect(await run("select count(*) as n from TOKO.p")).toEqual([{ n: 3 }]);
    expect(await keysOf(gudang)).toEqual([{ n: "kunci", s: toko, d: "CASCADE" }]);
    expect(await ours()).toEqual([]);
  });

  it("has its key back when a restore was killed, whatever it had come to", async () => {
    const { toko, gudang } = await pair();
    const facts = await server.backUp(target(toko));
    const input = { ...knownOf(facts), restoreId: randomUUID(), target: target(toko) };
    const journal = server.at("state", `restore-${input.restoreId}.json`);
    await killed(server, "backup.restore", input, () => existsSync(journal));
    await server.restore(facts, target(toko), server.ctx, input.restoreId);
    expect(await keysOf(gudang)).toEqual([{ n: "kunci", s: toko, d: "CASCADE" }]);
    expect(await ours()).toEqual([]);
  });

  it("is not held up by the proof of the other, nor can it change that proof", async () => {
    const { gudang, run } = await pair();
    const facts = await server.backUp(target(gudang));
    await run("delete from TOKO.p where id = 1");
    await server.prove(facts);
    await server.restore(facts, target(gudang));
    expect(await run("select count(*) as n from GUDANG.c")).toEqual([{ n: 2 }]);
  });
});
