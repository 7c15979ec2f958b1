import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Postgres, startPostgres } from "../local/postgres.ts";
import { migrate } from "./run.ts";

let postgres: Postgres;
let folder: string;
let url: string;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres.stop());

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lumbung-migrations-"));
  mkdirSync(join(folder, "functions"));
  const name = `m_${crypto.randomUUID().replaceAll("-", "")}`;
  await query(`create database ${name}`, postgres.url("postgres"));
  url = postgres.url(name);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function query(text: string, target = url): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: target });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Writes numbered migrations as drizzle-kit does: one file each and a journal. */
function numbered(...files: { tag: string; when: number; sql: string }[]): void {
  mkdirSync(join(folder, "meta"), { recursive: true });
  for (const { tag, sql } of files) writeFileSync(join(folder, `${tag}.sql`), sql);
  const entries = files.map(({ tag, when }, idx) => ({
    idx,
    version: "7",
    when,
    tag,
    breakpoints: true,
  }));
  const journal = { version: "7", dialect: "postgresql", entries };
  writeFileSync(join(folder, "meta", "_journal.json"), JSON.stringify(journal));
}

function functionFile(name: string, sql: string): void {
  writeFileSync(join(folder, "functions", name), sql);
}

const shelf = { tag: "0000_shelf", when: 1_000, sql: "create table shelf (n int);" };
const sacks = { tag: "0001_sacks", when: 2_000, sql: "create table sacks (n int);" };
const answer = (n: number) =>
  `create or replace function answer() returns int language sql as 'select ${n}';`;

test("an empty folder is nothing to apply", async () => {
  const lines: string[] = [];
  const result = await migrate(url, { folder, log: (line) => lines.push(line) });
  expect(result).toEqual({ migrations: [], functions: [], pruned: [] });
  expect(lines).toEqual(["nothing to apply"]);
});

test("the project's own migrations apply, and a second run finds nothing to do", async () => {
  const first = await migrate(url);
  expect(first.migrations.length).toBeGreaterThan(0);
  const second = await migrate(url, { prune: true });
  expect(second).toEqual({ migrations: [], functions: [], pruned: [] });
});

describe("numbered migrations", () => {
  test("run once each, in order, and are named", async () => {
    numbered(shelf);
    expect((await migrate(url, { folder })).migrations).toEqual(["0000_shelf"]);
    await query("insert into shelf values (1)");
    numbered(shelf, sacks);
    expect((await migrate(url, { folder })).migrations).toEqual(["0001_sacks"]);
    expect(await query("select n from shelf")).toEqual([{ n: 1 }]);
  });

  test("that fail leave nothing of the run behind", async () => {
    numbered(shelf, { ...sacks, sql: "create table sacks (n nosuchtype);" });
    await expect(migrate(url, { folder })).rejects.toThrow();
    expect(await query("select to_regclass('shelf') as t")).toEqual([{ t: null }]);
    numbered(shelf, sacks);
    expect((await migrate(url, { folder })).migrations).toHaveLength(2);
  });

  test("are refused when edited after they were applied", async () => {
    numbered(shelf);
    await migrate(url, { folder });
    numbered({ ...shelf, sql: "create table shelf (n bigint);" });
    await expect(migrate(url, { folder })).rejects.toThrow("0000_shelf.sql was edited");
  });

  test("older than an applied one are refused instead of passed over", async () => {
    numbered(sacks);
    await migrate(url, { folder });
    numbered(shelf, sacks);
    await expect(migrate(url, { folder })).rejects.toThrow("0000_shelf is older");
  });

  test("that the checkout lacks are reported", async () => {
    numbered(shelf, sacks);
    await migrate(url, { folder });
    numbered(shelf);
    await expect(migrate(url, { folder })).rejects.toThrow("this checkout lacks");
  });
});

describe("function files", () => {
  test("run again only when their content changed", async () => {
    functionFile("answer.sql", answer(1));
    functionFile("other.sql", answer(1).replace("answer", "other"));
    expect((await migrate(url, { folder })).functions).toEqual(["answer.sql", "other.sql"]);
    expect((await migrate(url, { folder })).functions).toEqual([]);
    functionFile("answer.sql", answer(2));
    expect((await migrate(url, { folder })).functions).toEqual(["answer.sql"]);
    expect(await query("select answer(), other()")).toEqual([{ answer: 2, other: 1 }]);
  });

  test("are applied all or none, and the broken one is named", async () => {
    functionFile("a.sql", answer(1));
    functionFile("b.sql", "create or replace function b() returns int langage sql;");
    await expect(migrate(url, { folder })).rejects.toThrow("functions/b.sql: syntax error");
    functionFile("b.sql", answer(1).replace("answer()", "b()").replace("select 1", "select c()"));
    await expect(migrate(url, { folder })).rejects.toThrow("function b(): function c() does not");
    await expect(query("select answer()")).rejects.toThrow("does not exist");
  });

  test("may call functions of files that come later", async () => {
    functionFile("a.sql", answer(1).replace("select 1", "select b()"));
    functionFile("b.sql", answer(2).replace("answer()", "b()"));
    await migrate(url, { folder });
    expect(await query("select answer()")).toEqual([{ answer: 2 }]);
  });

  test("are checked in PL/pgSQL too", async () => {
    const body = "as $$ begin retrun; end $$";
    functionFile("a.sql", `create or replace function a() returns void language plpgsql ${body};`);
    await expect(migrate(url, { folder })).rejects.toThrow("function a(): syntax error");
  });

  test("take the old form's place where arguments or result have changed", async () => {
    functionFile("answer.sql", answer(1));
    await migrate(url, { folder });
    const forms = [
      { sql: answer(2).replace("answer()", "answer(n int)"), call: "answer(0)", told: 2 },
      { sql: answer(3).replace("answer()", "answer(m int)"), call: "answer(m => 0)", told: 3 },
      { sql: answer(4).replace("returns int", "returns text"), call: "answer()", told: "4" },
    ];
    for (const { sql, call, told } of forms) {
      functionFile("answer.sql", sql);
      expect((await migrate(url, { folder })).functions).toEqual(["answer.sql"]);
      expect(await query(`select ${call} as told`)).toEqual([{ told }]);
      expect(await query("select from pg_proc where proname = 'answer'")).toHaveLength(1);
    }
  });

  test("of a new form are refused while a trigger or an index stands on the old one", async () => {
    numbered(shelf);
    const twice = (type: string) =>
      `create or replace function twice(n ${type}) returns ${type} immutable language sql as 'select n * 2';`;
    functionFile("twice.sql", `${twice("int")} create index if not exists i on shelf (twice(n));`);
    await migrate(url, { folder });
    functionFile("twice.sql", twice("bigint"));
    await expect(migrate(url, { folder })).rejects.toThrow(
      /twice\(integer\).* new form, but index i/,
    );
    expect(await query("select twice(2)")).toEqual([{ twice: 4 }]);
  });

  test("that define one name with two forms are refused", async () => {
    functionFile("a.sql", answer(1));
    functionFile("b.sql", answer(2).replace("answer()", "answer(n int)"));
    await expect(migrate(url, { folder })).rejects.toThrow(
      "Two functions are named answer: answer(), answer(integer)",
    );
  });

  test("may use the tables of the same run", async () => {
    numbered(shelf);
    functionFile("count.sql", answer(1).replace("select 1", "select count(*)::int from shelf"));
    await migrate(url, { folder });
    expect(await query("select answer()")).toEqual([{ answer: 0 }]);
  });
});

describe("functions that no file defines any more", () => {
  const stray = answer(1).replace("answer", "stray");

  test("stay and are named, until a run that prunes drops them and says so", async () => {
    functionFile("answer.sql", answer(1) + stray);
    await migrate(url, { folder });
    functionFile("answer.sql", answer(1));
    const before: string[] = [];
    await migrate(url, { folder, log: (line) => before.push(line) });
    expect(before).toContain("no file defines stray(): --prune drops it");
    expect(await query("select stray()")).toEqual([{ stray: 1 }]);

    const lines: string[] = [];
    const { pruned } = await migrate(url, { folder, prune: true, log: (l) => lines.push(l) });
    expect(pruned).toEqual(["stray()"]);
    expect(lines).toContain("dropped stray()");
    await expect(query("select stray()")).rejects.toThrow("does not exist");
    expect(await query("select answer()")).toEqual([{ answer: 1 }]);
  });

  test("come back with their file", async () => {
    functionFile("answer.sql", answer(1));
    functionFile("stray.sql", stray);
    await migrate(url, { folder });
    rmSync(join(folder, "functions", "stray.sql"));
    await migrate(url, { folder, prune: true });
    functionFile("stray.sql", stray);
    expect((await migrate(url, { folder })).functions).toEqual(["stray.sql"]);
  });

  test("stay while a trigger or an index stands on them, and the reason is said", async () => {
    numbered(shelf);
    functionFile("answer.sql", answer(1));
    await migrate(url, { folder });
    await query(`create function watch() returns trigger language plpgsql as 'begin return new; end';
      create trigger watched before insert on shelf for each row execute function watch();
      create function twice(n int) returns int language sql immutable as 'select n * 2';
      create index on shelf (twice(n)); ${stray}`);
    const lines: string[] = [];
    const run = () => migrate(url, { folder, prune: true, log: (line) => lines.push(line) });
    expect((await run()).pruned).toEqual(["stray()"]);
    expect(lines).toContainEqual(
      "kept watch(): trigger watched on table shelf depends on function watch()",
    );
    expect(lines).toContainEqual(expect.stringMatching(/^kept twice\(integer\): index shelf_/));
    await query("insert into shelf values (1)");
  });

  test("are ours: what an extension, another owner or another schema has is left alone", async () => {
    functionFile("answer.sql", answer(1));
    await query(`create extension pg_trgm; create schema theirs;
      create function theirs.stray() returns int language sql as 'select 1'; ${stray}
      create role somebody; alter function stray() owner to somebody`);
    expect((await migrate(url, { folder, prune: true })).pruned).toEqual([]);
    expect(
      await query("select similarity('a', 'a') as same, theirs.stray() + stray() as both"),
    ).toEqual([{ same: 1, both: 2 }]);
  });

  test("are told for a role of any name", async () => {
    functionFile("answer.sql", answer(1));
    const role = `Ana B.${crypto.randomUUID()}`;
    await query(`create role "${role}" superuser login password 'ana'; alter database
      "${new URL(url).pathname.slice(1)}" owner to "${role}"`);
    const hers = new URL(url);
    hers.username = encodeURIComponent(role);
    hers.password = "ana";
    await query(stray, hers.href);
    expect((await migrate(hers.href, { folder, prune: true })).pruned).toEqual(["stray()"]);
  });

  test("are none in a folder without functions: a wrong folder empties no database", async () => {
    await query(stray);
    expect((await migrate(url, { folder, prune: true })).pruned).toEqual([]);
  });
});

test("runners at the same time take turns and apply everything once", async () => {
  numbered(shelf, sacks);
  functionFile("answer.sql", answer(1));
  const results = await Promise.all([1, 2, 3, 4].map(() => migrate(url, { folder })));
  expect(results.flatMap(({ migrations }) => migrations)).toEqual(["0000_shelf", "0001_sacks"]);
  expect(results.flatMap(({ functions }) => functions)).toEqual(["answer.sql"]);
});

test("a transaction pooler's address is refused", async () => {
  const pooled = "postgresql://u:p@ep-lively-sea-123-pooler.example.com/db";
  await expect(migrate(pooled, { folder })).rejects.toThrow("transaction pooler");
});

test("the command applies the project's migrations and says which; without a database it fails", async () => {
  const run = (databaseUrl: string) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, "run.ts")], {
      env: { ...process.env, DATABASE_URL: databaseUrl },
    });
  const { stdout } = await run(url);
  expect(stdout).toMatch(/^applied 0000_/);
  await expect(run("")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Set DATABASE_URL"),
  });
});
