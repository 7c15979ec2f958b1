import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { neon, neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalDatabase, startDatabase } from "./database.ts";
import { databaseAccount } from "./postgres/account.ts";
import { temporaryRoot } from "./postgres/binaries.ts";

let database: LocalDatabase;

beforeAll(async () => {
  database = await startDatabase();
  neonConfig.fetchEndpoint = () => `${database.httpUrl}/sql`;
});

afterAll(async () => {
  await database.stop();
});

const uniqueName = () => `test_${crypto.randomUUID().replaceAll("-", "")}`;

test("the main database is migrated and answers through the driver", async () => {
  const rows = await neon(database.databaseUrl).query(
    "select count(*)::int as n from drizzle.__drizzle_migrations",
  );
  expect(rows[0]?.n).toBeGreaterThan(0);
});

test("the direct address leads to the same database", async () => {
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  const direct = await client.query("select current_database() as name");
  await client.end();
  const viaNeon = await neon(database.databaseUrl).query("select current_database() as name");
  expect(direct.rows).toEqual(viaNeon);
});

test("clones made at the same time are migrated and share no rows", async () => {
  const urls = await Promise.all(
    [1, 2, 3].map(() => database.createDatabaseFromTemplate(uniqueName())),
  );
  const clients = urls.map(({ databaseUrl }) => neon(databaseUrl));
  await clients[0]?.query("create table mine as select 1 as n");
  const found = await Promise.all(
    clients.map((sql) =>
      sql.query(`select to_regclass('mine') is not null as mine,
        to_regclass('schema_functions') is not null as migrated`),
    ),
  );
  expect(found.flat()).toEqual([
    { mine: true, migrated: true },
    { mine: false, migrated: true },
    { mine: false, migrated: true },
  ]);
});

test("a clone that fails does not spoil the next", async () => {
  await expect(database.createDatabaseFromTemplate("postgres")).rejects.toThrow("already exists");
  await expect(database.createDatabaseFromTemplate(uniqueName())).resolves.toBeDefined();
});

test("a database that is in use can be dropped", async () => {
  const name = uniqueName();
  const { databaseUrl } = await database.createDatabaseFromTemplate(name);
  await neon(databaseUrl).query("select 1");
  await database.dropDatabase(name);
  await expect(neon(databaseUrl).query("select 1")).rejects.toMatchObject({ code: "3D000" });
});

test("kept data survives a restart and works without any migrations", async () => {
  const folder = mkdtempSync(join(temporaryRoot(databaseAccount()), "lumbung-kept-"));
  chmodSync(folder, 0o755);
  const options = { dataDir: join(folder, "data"), migrationsFolder: join(folder, "none") };
  const first = await startDatabase(options);
  neonConfig.fetchEndpoint = () => `${first.httpUrl}/sql`;
  await neon(first.databaseUrl).query("create table kept as select 7 as n");
  await first.stop();
  const second = await startDatabase(options);
  neonConfig.fetchEndpoint = () => `${second.httpUrl}/sql`;
  const rows = await neon(second.databaseUrl).query("select n from kept");
  await second.stop();
  neonConfig.fetchEndpoint = () => `${database.httpUrl}/sql`;
  rmSync(folder, { recursive: true, force: true });
  expect(rows).toEqual([{ n: 7 }]);
});
