import { readdirSync } from "node:fs";
import { createConnection } from "mysql2/promise";
import { expect, it } from "vitest";
import { mariadb, server, target, withDatabases } from "../testing/databases.ts";

const names = new Set<string>();
/** A database with what makes backups hard: keys between tables, bytes, a view, a trigger, routines, an event. */
async function shop(rows = 50): Promise<string> {
  const name = `toko_${crypto.randomUUID().slice(0, 8)}`;
  names.add(name);
  const run = (sql: string, values?: unknown[]) =>
    mariadb.query(sql.replaceAll("DB", name), values);
  await run("create database DB character set utf8mb4 collate utf8mb4_unicode_ci");
  await run(
    "create table DB.kategori (id int primary key auto_increment, nama varchar(80) not null)",
  );
  await run(`create table DB.produk (id int primary key auto_increment, kategori_id int, foto longblob, nama text,
    harga decimal(12,2), dibuat datetime(6) default now(6), constraint fk_kategori foreign key (kategori_id) references DB.kategori (id))`);
  await run("create table DB.`nama aneh;'``` (`kolom ?` varchar(20))");
  await run("create sequence DB.nomor");
  await run("insert into DB.kategori (nama) values ('Kopi'), ('Téh 茶 🍵')");
  for (let i = 0; i < rows; i += 1) {
    const photo = Buffer.from([0, i % 256, 0x27, 0x5c, 0x0a, 0x1a, 255]);
    await run("insert into DB.produk (kategori_id, foto, nama, harga) values (?, ?, ?, ?)", [
      1 + (i % 2),
      photo,
      `n'\\"\n${i}`,
      i,
    ]);
  }
  const user = `s_${name}`;
  await run(`create user ${user}@localhost identified by 'rahasia'`);
  await run(`grant all privileges on DB.* to ${user}@localhost`);
  const asTenant = (sql: string) =>
    mariadb.queryAs({ user, password: "rahasia" }, sql.replaceAll("DB", name));
  await asTenant(
    "create view DB.murah as select p.nama, k.nama as kategori from DB.produk p join DB.kategori k on k.id = p.kategori_id where p.harga < 10",
  );
  await asTenant(
    "create trigger DB.isi before insert on DB.kategori for each row set new.nama = concat(new.nama, '!')",
  );
  await asTenant("create procedure DB.bersih() delete from DB.kategori where id = 0");
  await asTenant("create function DB.tiga() returns int deterministic return 3");
  await asTenant(
    "create event DB.tiap_jam on schedule every 1 hour do delete from DB.kategori where id = 0",
  );
  return name;
}

/** All of a database as text, by another program than the one under test uses to compare. */
async function contentOf(name: string): Promise<string> {
  const tables = await mariadb.query<{ t: string; k: string }>(
    "select TABLE_NAME as t, TABLE_TYPE as k from information_schema.TABLES where TABLE_SCHEMA = ? order by 1",
    [name],
  );
  const out: unknown[] = [];
  for (const { t, k } of tables) {
    const quoted = `\`${name}\`.\`${t.replaceAll("`", "``")}\``;
    out.push(
      t,
      k,
      k === "SEQUENCE" ? 1 : await mariadb.query(`select * from ${quoted} order by 1`),
    );
    if (k === "BASE TABLE") out.push(await mariadb.query(`show create table ${quoted}`));
  }
  for (const [table, column] of [
    ["TRIGGERS", "TRIGGER"],
    ["ROUTINES", "ROUTINE"],
    ["EVENTS", "EVENT"],
  ] as const) {
    out.push(
      await mariadb.query(
        `select ${column}_NAME as n, DEFINER from information_schema.${table} where ${column}_SCHEMA = ? order by 1`,
        [name],
      ),
    );
  }
  return JSON.stringify(out, (_, value) =>
    Buffer.isBuffer(value) ? value.toString("hex") : value,
  );
}

const ours = async () =>
  (
    await mariadb.query<{ n: string }>(
      "select SCHEMA_NAME as n from information_schema.SCHEMATA where SCHEMA_NAME like 'nusantara%'",
    )
  ).map(({ n }) => n);

withDatabases("a database's backup", () => {
  it("counts in the snapshot of the dump, is proven in a scratch schema, and leaves none", async () => {
    const name = await shop();
    const facts = await server.backUp(target(name));
    expect(facts.counts).toEqual({
      tables: 4,
      rows: 53,
      views: 1,
      routines: 2,
      triggers: 1,
      events: 1,
    });
    const proven = await server.prove(facts);
    expect(proven.counts).toEqual(facts.counts);
    expect(await ours()).toEqual([]);
    expect(readdirSync(server.at("scratch"))).toEqual([]);
  });

  it("brings back every row, byte, key, view, trigger, routine and event, and ends who was connected", async () => {
    const name = await shop();
    const before = await contentOf(name);
    const facts = await server.backUp(target(name));
    const busy = await createConnection({
      socketPath: mariadb.socket,
      user: "owner",
      password: "owner",
      database: name,
    });
    busy.on("error", () => undefined);
    await busy.query("start transaction");
    await busy.query("select * from produk");
    await mariadb.query(`update ${name}.produk set nama = 'rusak'`);
    await mariadb.query(`delete from ${name}.produk where id > 25`).catch(() => undefined);
    await mariadb.query(`create table ${name}.baru (id int)`);
    await mariadb.query(`drop function ${name}.tiga`);
    await server.restore(facts, target(name));
    expect(await contentOf(name)).toBe(before);
    await expect(busy.query("select 1")).rejects.toThrow();
    busy.destroy();
    expect(await ours()).toEqual([]);
    expect(readdirSync(server.at("state")).filter((file) => file.startsWith("restore-"))).toEqual(
      [],
    );
  }, 60_000);

  it("brings back a database that was dropped", async () => {
    const name = await shop(5);
    const before = await contentOf(name);
    const facts = await server.backUp(target(name));
    await mariadb.query(`drop database ${name}`);
    await server.restore(facts, target(name));
    expect(await contentOf(name)).toBe(before);
  });

  it("is right while a site writes all the time", async () => {
    const name = await shop(20);
    let isDone = false;
    const writing = (async () => {
      const connection = await createConnection({
        socketPath: mariadb.socket,
        user: "owner",
        password: "owner",
        database: name,
      });
      for (let i = 0; !isDone; i += 1) {
        await connection.query("insert into produk (kategori_id, nama) values (1, ?)", [
          `tulis ${i}`,
        ]);
        await connection.query("update produk set harga = harga + 1 where id < 5");
      }
      await connection.end();
    })();
    const facts = await server.backUp(target(name));
    isDone = true;
    await writing;
    expect((await server.prove(facts)).counts).toEqual(facts.counts);
  });
});
