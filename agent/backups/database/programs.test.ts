import { createConnection } from "mysql2/promise";
import { expect, it } from "vitest";
import { mariadb, server, target, withDatabases } from "../testing/databases.ts";

const newName = (what: string) => `${what}_${crypto.randomUUID().slice(0, 8)}`;

async function thingsOf(name: string): Promise<string[]> {
  const found = await mariadb.query<{ n: string }>(
    `select TABLE_NAME as n from information_schema.VIEWS where TABLE_SCHEMA = ?
     union all select ROUTINE_NAME from information_schema.ROUTINES where ROUTINE_SCHEMA = ?
     union all select TRIGGER_NAME from information_schema.TRIGGERS where TRIGGER_SCHEMA = ?
     union all select EVENT_NAME from information_schema.EVENTS where EVENT_SCHEMA = ?`,
    [name, name, name, name],
  );
  return found.map(({ n }) => n).sort();
}

/** A view that uses a function of its own database, and one that stands on a view of a later name. */
async function shopWithView(): Promise<string> {
  const name = newName("toko");
  const run = (sql: string) => mariadb.query(sql.replaceAll("DB", name));
  await run("create database DB");
  await run("create table DB.t (a int)");
  await run("insert into DB.t values (1)");
  await run("create function DB.f(x int) returns int deterministic return x + 1");
  await run("create view DB.v as select DB.f(a) as b, '`DB`.`f`(' as c from DB.t");
  await run("create view DB.a as select b from DB.v");
  await run("create trigger DB.g before insert on DB.t for each row set new.a = new.a");
  return name;
}

withDatabases("a database's views, routines and events", () => {
  it.each([
    ["procedure", "create procedure p() select 1 --\u0001 ;; EVIL \n + 1"],
    [
      "event",
      "create event p on schedule every 1 day do begin select 1 --\u0001 ;; EVIL \n + 1; end",
    ],
  ])("run nothing of what a tenant hid in a %s, at a proof and at a restore", async (_, text) => {
    const name = newName("toko");
    const tenant = { user: newName("sewa"), password: "sewa-rahasia" };
    await mariadb.query(`create database ${name}`);
    await mariadb.query(`create table ${name}.t (id int)`);
    await mariadb.query(`create user ${tenant.user}@localhost identified by '${tenant.password}'`);
    await mariadb.query(`grant all privileges on ${name}.* to ${tenant.user}@localhost`);
    const evil = `create definer=\`owner\`@\`localhost\` procedure x() sql security definer
      begin grant all privileges on *.* to ${tenant.user}@localhost; end ;; call x() ;; select 1`;
    const connection = await createConnection({
      socketPath: mariadb.socket,
      ...tenant,
      database: name,
    });
    await connection.query(text.replace("EVIL", evil.replaceAll("\n", " ")));
    await connection.end();
    const before = await thingsOf(name);
    const facts = await server.backUp(target(name));
    await server.prove(facts);
    await server.restore(facts, target(name));
    const grants = await mariadb.query(`show grants for ${tenant.user}@localhost`);
    expect(JSON.stringify(grants)).not.toContain("ALL PRIVILEGES ON *.*");
    expect(await thingsOf(name)).toEqual(before);
    expect(before).toEqual(["p"]);
  });

  it("come back where a view uses a function of its own database, and the text of it stays", async () => {
    const name = await shopWithView();
    const before = await thingsOf(name);
    const facts = await server.backUp(target(name));
    await server.prove(facts);
    await server.restore(facts, target(name));
    expect(await thingsOf(name)).toEqual(before);
    expect(await mariadb.query(`select * from ${name}.v`)).toEqual([
      { b: 2, c: `\`${name}\`.\`f\`(` },
    ]);
  });

  it("are proven and come back after the database was lost: nothing leans on the live one", async () => {
    const name = await shopWithView();
    const before = await thingsOf(name);
    const facts = await server.backUp(target(name));
    await mariadb.query(`drop database ${name}`);
    await server.prove(facts);
    await server.restore(facts, target(name));
    expect(await thingsOf(name)).toEqual(before);
    expect(await mariadb.query(`select * from ${name}.a`)).toEqual([{ b: 2 }]);
  });
});
