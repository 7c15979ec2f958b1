import { createConnection } from "mysql2/promise";
import { expect, it } from "vitest";
import { mariadb, server, target, withDatabases } from "../testing/databases.ts";

const word = () => crypto.randomUUID().slice(0, 8);

interface Tenant {
  user: string;
  password: string;
}

async function tenantOf(database: string, host = "localhost"): Promise<Tenant> {
  const tenant = { user: `sewa_${word()}`, password: "sewa-rahasia" };
  await mariadb.query(`create user ${tenant.user}@'${host}' identified by '${tenant.password}'`);
  await mariadb.query(`grant all privileges on \`${database}\`.* to ${tenant.user}@'${host}'`);
  return tenant;
}

/** A database with one program of each kind, made by its tenant. */
async function shop() {
  const name = `toko_${word()}`;
  await mariadb.query(`create database ${name}`);
  await mariadb.query(`create table ${name}.t (a int)`);
  await mariadb.query(`insert into ${name}.t values (7)`);
  const tenant = await tenantOf(name);
  const given = { socketPath: mariadb.socket, ...tenant, database: name };
  const connection = await createConnection(given);
  await connection.query("create view v as select a from t");
  await connection.query("create procedure p() select current_user() as me");
  await connection.query("create trigger x before insert on t for each row set new.a = new.a + 1");
  await connection.query("create event e on schedule every 1 day do delete from t where a = 0");
  await connection.end();
  return { name, tenant };
}

async function ownersOf(name: string): Promise<Record<string, string>> {
  const found = await mariadb.query<{ n: string; d: string }>(
    `select TABLE_NAME as n, DEFINER as d from information_schema.VIEWS where TABLE_SCHEMA = ?
     union all select ROUTINE_NAME, DEFINER from information_schema.ROUTINES where ROUTINE_SCHEMA = ?
     union all select TRIGGER_NAME, DEFINER from information_schema.TRIGGERS where TRIGGER_SCHEMA = ?
     union all select EVENT_NAME, DEFINER from information_schema.EVENTS where EVENT_SCHEMA = ?`,
    [name, name, name, name],
  );
  return Object.fromEntries(found.map(({ n, d }) => [n, d]));
}
const accountsOf = (pattern: string) =>
  mariadb.query("select User, Priv from mysql.global_priv where User like ?", [pattern]);

withDatabases("who owns what in a restored database", () => {
  it("is the tenant, as before, whose one password is the old one", async () => {
    const { name, tenant } = await shop();
    const before = await accountsOf(tenant.user);
    const facts = await server.backUp(target(name));
    expect(facts.notes).toEqual([]);
    await server.prove(facts);
    await mariadb.query(`drop procedure ${name}.p`);
    await server.restore(facts, target(name));
    const mine = `${tenant.user}@localhost`;
    expect(await ownersOf(name)).toEqual({ v: mine, p: mine, x: mine, e: mine });
    const now = await accountsOf(tenant.user);
    const secretsOf = (list: Record<string, unknown>[]) =>
      list.map(({ Priv }) => {
        const { authentication_string, auth_or = [{}] } = Object(Priv);
        return { authentication_string, auth_or };
      });
    expect(secretsOf(now)).toEqual(secretsOf(before));
    expect(await accountsOf("nusantara\\_k\\_%")).toEqual([]);
  });

  it("is a keeper of that database alone where the owner is gone, from elsewhere or the server's own", async () => {
    const { name, tenant } = await shop();
    const far = await tenantOf(name, "10.0.0.5");
    const run = (sql: string) => mariadb.query(sql.replaceAll("DB", name));
    await run("create definer=hilang@localhost view DB.tanpa as select a from DB.t");
    await run(`create definer=${far.user}@'10.0.0.5' procedure DB.jauh() select 1`);
    await run("create definer=owner@localhost trigger DB.y after insert on DB.t for each row do 1");
    const facts = await server.backUp(target(name));
    expect(facts.notes.sort()).toEqual([
      `procedure jauh belongs to ${far.user}@10.0.0.5, who signs in from elsewhere: a restore gives it to a keeper`,
      "trigger y belongs to owner@localhost, who is the server's own: a restore gives it to a keeper",
      "view tanpa belongs to hilang@localhost, who is gone: a restore gives it to a keeper",
    ]);
    await server.prove(facts);
    await server.restore(facts, target(name));
    const { v, jauh, y, tanpa } = await ownersOf(name);
    expect(v).toBe(`${tenant.user}@localhost`);
    expect([jauh, y]).toEqual([tanpa, tanpa]);
    expect(tanpa).toMatch(/^nusantara_k_[0-9a-f]{20}@localhost$/);
    const keeper = tanpa?.split("@")[0] ?? "";
    expect(await mariadb.query(`show grants for ${keeper}@localhost`)).toHaveLength(2);
    expect(await mariadb.query(`select * from ${name}.tanpa`)).toEqual([{ a: 7 }]);
  });

  it("makes a restore impossible, before anything is touched, where a view could not be put back", async () => {
    const { name } = await shop();
    const facts = await server.backUp(target(name));
    const other = await shop();
    await mariadb.query(
      `create definer=owner@localhost view ${name}.lain as select a from ${other.name}.t`,
    );
    const before = await ownersOf(name);
    await expect(server.restore(facts, target(name))).rejects.toMatchObject({
      code: "conflict",
      message:
        "view lain could not be put back if the restore failed (error 1142): its owner cannot make it; drop it first",
    });
    expect(await ownersOf(name)).toEqual(before);
  });

  it("is right of two restores and a backup that are asked for at once", async () => {
    const { name, tenant } = await shop();
    const [one, two] = [await server.backUp(target(name)), await server.backUp(target(name))];
    const both = [one, two].map((facts) => server.restore(facts, target(name)));
    await Promise.all([...both, server.backUp(target(name)), server.prove(one)]);
    const mine = `${tenant.user}@localhost`;
    expect(await ownersOf(name)).toEqual({ v: mine, p: mine, x: mine, e: mine });
  });

  it("is never the agent, which cannot make a thing in another's name", async () => {
    const name = `toko_${word()}`;
    await mariadb.query(`create database ${name}`);
    const agent = await createConnection({ socketPath: mariadb.socket, user: mariadb.user });
    const making = agent.query(`create definer=owner@localhost procedure ${name}.p() select 1`);
    await expect(making).rejects.toThrow(/SET USER/);
    for (const [user, host] of [
      ["owner", "localhost"],
      ["root", "localhost"],
      [mariadb.user, "localhost"],
    ]) {
      const lending = agent.query("call mysql.nusantara_lend(?, ?, ?, ?)", [
        ...[name, user, host],
        `*${"A".repeat(40)}`,
      ]);
      await expect(lending).rejects.toThrow("conflict");
    }
    const other = await tenantOf("mysql_lain");
    const lending = agent.query("call mysql.nusantara_lend(?, ?, 'localhost', ?)", [
      ...[name, other.user],
      `*${"A".repeat(40)}`,
    ]);
    await expect(lending).rejects.toThrow("not_found");
    await agent.end();
  });
});
