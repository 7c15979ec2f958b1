import { NeonDbError, neon } from "@neondatabase/serverless";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/neon-http";
import { bigint, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { describe, expect, test, vi } from "vitest";
import { direct, uniqueName, useRig } from "./testing.ts";

const rig = useRig();
const client = () => neon(rig().databaseUrl);

/** Every kind of value that a table of ours may hold, and nulls and empties of some. */
const VALUES = `select 1::int as i, 9007199254740993::bigint as big, 12.50::numeric as num, 0.1::float8 as f,
  true as yes, false as no, null::text as nothing, '' as empty, E'a\\n"b" ''c'' \\u2603' as words,
  '{"a":[1,null,"x"],"b":{"c":1.5}}'::jsonb as doc, 'null'::jsonb as json_null, '[1,2]'::json as list,
  array[1,2,null]::int[] as ints, array['a,b','"q"',null,'']::text[] as texts, '{}'::text[] as none,
  array[array[1,2],array[3,4]] as nested, array['{"k":1}'::jsonb] as docs,
  '\\x00ff10'::bytea as bytes, ''::bytea as no_bytes,
  '2026-01-31 23:59:59.123456+07'::timestamptz as moment, '2026-01-31'::date as day,
  '12:30:00'::time as hour, interval '1 day 02:03:04' as span,
  '01890000-0000-7000-8000-000000000000'::uuid as id, 'infinity'::timestamptz as ever,
  '(1,2)'::point as spot, 'NaN'::float8 as nan`;

/** Buffers of the driver's own make compare by content. */
function comparable(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? `\\x${Buffer.from(value).toString("hex")}` : value,
    ]),
  );
}

describe("a single query", () => {
  test("returns every type exactly as pg does", async () => {
    const [row] = await client().query(VALUES);
    const [expected] = await direct(rig(), async (pg) => (await pg.query(VALUES)).rows);
    expect(Object.keys(row ?? {})).toHaveLength(27);
    expect(comparable(row ?? {})).toEqual(comparable(expected));
  });

  test("takes parameters exactly as pg does", async () => {
    const text = `select $1::text as t, $2::int as i, $3::boolean as b, $4::jsonb as doc, $5::text[] as texts,
      $6::bytea as bytes, $7::timestamptz as moment, $8::text as nothing, $9::bigint as big`;
    const values = [
      `'"\\ ☃`,
      7,
      true,
      { a: [1, null] },
      ["x,y", null, '"'],
      Buffer.from([0, 255]),
      new Date("2026-02-03T04:05:06.789Z"),
      null,
      "9007199254740993",
    ];
    const [row] = await client().query(text, values);
    const [expected] = await direct(rig(), async (pg) => (await pg.query(text, values)).rows);
    expect(comparable(row ?? {})).toEqual(comparable(expected));
  });

  test("reports command, row count and fields", async () => {
    const sql = neon(rig().databaseUrl, { fullResults: true, arrayMode: true });
    const name = uniqueName();
    const created = await sql.query(`create table ${name} (n int)`);
    expect(created).toMatchObject({ command: "CREATE", rowCount: null, rows: [], fields: [] });
    const inserted = await sql.query(`insert into ${name} values (1), (2)`);
    expect(inserted).toMatchObject({ command: "INSERT", rowCount: 2, rowAsArray: true });
    const selected = await sql.query(`select n as a, n as a from ${name} order by n`);
    expect(selected.rows).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(selected.fields[0]).toMatchObject({ name: "a", dataTypeID: 23, columnID: 1 });
  });

  test("refuses two statements in one, with or without parameters", async () => {
    await expect(client().query("select 1; select 2")).rejects.toMatchObject({ code: "42601" });
  });

  test("left inside a transaction does not leak it to the next", async () => {
    await client().query("begin");
    const name = uniqueName();
    await client().query(`create table ${name} ()`);
    const found = await direct(rig(), (pg) => pg.query("select to_regclass($1) as t", [name]));
    expect(found.rows).toEqual([{ t: name }]);
  });

  test("runs 200 at once, each with its own answer", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => client().query("select $1::int as n", [n])),
    );
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 200 }, (_, n) => n));
    const used = await direct(rig(), (pg) =>
      pg.query(`select count(*)::int as n from pg_stat_activity
        where application_name = 'neon-endpoint'`),
    );
    expect(used.rows[0].n).toBeLessThanOrEqual(60);
  });
});

describe("an error", () => {
  test("of a constraint carries all fields of Postgres", async () => {
    const sql = client();
    const name = uniqueName();
    await sql.query(`create table ${name} (n int constraint ${name}_once unique)`);
    await sql.query(`insert into ${name} values (1)`);
    const error = await sql.query(`insert into ${name} values (1)`).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NeonDbError);
    expect(error).toMatchObject({
      message: `duplicate key value violates unique constraint "${name}_once"`,
      severity: "ERROR",
      code: "23505",
      detail: "Key (n)=(1) already exists.",
      schema: "public",
      table: name,
      constraint: `${name}_once`,
      file: "nbtinsert.c",
      line: expect.stringMatching(/^\d+$/),
      routine: "_bt_check_unique",
      hint: undefined,
      column: undefined,
    });
  });

  test("has the same fields as the one that pg throws", async () => {
    const text = "select nosuch from pg_class";
    const viaNeon = await client()
      .query(text)
      .catch((e: unknown) => e);
    const viaPg = await direct(rig(), (pg) => pg.query(text)).catch((e: unknown) => e);
    for (const field of ["message", "severity", "code", "position", "file", "line", "routine"]) {
      expect(viaNeon).toHaveProperty(field, Reflect.get(Object(viaPg), field));
    }
  });

  test("inside a function carries where and the inner query", async () => {
    const text = "do $$ begin execute 'select broken from'; end $$";
    await expect(client().query(text)).rejects.toMatchObject({
      code: "42601",
      internalQuery: "select broken from",
      internalPosition: "19",
      where: expect.stringContaining("inline_code_block"),
    });
  });

  test("names a wrong password, also while a right one has open connections", async () => {
    await client().query("select 1");
    const wrong = neon(rig().databaseUrl.replace("lumbung:lumbung@", "lumbung:wrong@"));
    await expect(wrong.query("select 1")).rejects.toMatchObject({
      name: "NeonDbError",
      code: "28P01",
      severity: "FATAL",
    });
  });

  test("names a missing database", async () => {
    const missing = neon(rig().databaseUrl.replace("/postgres", "/nowhere"));
    await expect(missing.query("select 1")).rejects.toMatchObject({ code: "3D000" });
  });
});

describe("a batch", () => {
  test("commits together and answers each query", async () => {
    const sql = client();
    const name = uniqueName();
    const results = await sql.transaction([
      sql.query(`create table ${name} (n int)`),
      sql.query(`insert into ${name} values (1), (2) returning n`),
      sql.query(`select sum(n)::int as total from ${name}`),
    ]);
    expect(results).toEqual([[], [{ n: 1 }, { n: 2 }], [{ total: 3 }]]);
    expect(await sql.query(`select count(*)::int as n from ${name}`)).toEqual([{ n: 2 }]);
  });

  test("rolls back wholly on the first failure and reports that one", async () => {
    const sql = client();
    const name = uniqueName();
    await sql.query(`create table ${name} (n int check (n > 0))`);
    const insert = (n: number) => sql.query(`insert into ${name} values ($1)`, [n]);
    const batch = sql.transaction([insert(1), insert(-1), sql.query("select 1/0")]);
    await expect(batch).rejects.toMatchObject({ code: "23514", constraint: `${name}_n_check` });
    expect(await sql.query(`select n from ${name}`)).toEqual([]);
  });

  test("reports a constraint that fails at the commit", async () => {
    const sql = client();
    const name = uniqueName();
    await sql.query(`create table ${name} (n int unique deferrable initially deferred)`);
    const twice = () => sql.query(`insert into ${name} values (1)`);
    await expect(sql.transaction([twice(), twice()])).rejects.toMatchObject({ code: "23505" });
    expect(await sql.query(`select n from ${name}`)).toEqual([]);
  });

  test.each([
    ["Serializable", "serializable"],
    ["RepeatableRead", "repeatable read"],
    ["ReadCommitted", "read committed"],
  ] as const)("runs at isolation level %s", async (isolationLevel, expected) => {
    const sql = client();
    const batch = [sql.query("select current_setting('transaction_isolation') as level")];
    const [rows] = await sql.transaction(batch, { isolationLevel });
    expect(rows).toEqual([{ level: expected }]);
  });

  test("may be read only", async () => {
    const sql = client();
    const batch = [sql.query(`create table ${uniqueName()} ()`)];
    await expect(sql.transaction(batch, { readOnly: true })).rejects.toMatchObject({
      code: "25006",
    });
  });

  test("that is serializable loses a write skew", async () => {
    await expect(writeSkew("Serializable")).rejects.toMatchObject({ code: "40001" });
    await expect(writeSkew("ReadCommitted")).resolves.toBeDefined();
  });
});

/** Two transactions read the same sum and each adds to it; the batch waits until the other has committed. */
async function writeSkew(isolationLevel: "Serializable" | "ReadCommitted") {
  const sql = client();
  const name = uniqueName();
  const key = Math.floor(Math.random() * 2 ** 31);
  await sql.query(`create table ${name} (n int)`);
  return direct(rig(), async (pg) => {
    await pg.query(`select pg_advisory_lock(${key})`);
    await pg.query("begin isolation level serializable");
    await pg.query(`select sum(n) from ${name}`);
    await pg.query(`insert into ${name} values (1)`);
    const batch = sql.transaction(
      [
        sql.query(`select sum(n) from ${name}`),
        sql.query(`select pg_advisory_xact_lock(${key})::text`),
        sql.query(`insert into ${name} values (2)`),
      ],
      { isolationLevel },
    );
    batch.catch(() => undefined);
    await vi.waitFor(async () => {
      const waiting = await direct(rig(), (c) =>
        c.query("select 1 from pg_locks where locktype = 'advisory' and not granted"),
      );
      expect(waiting.rowCount).toBe(1);
    });
    await pg.query("commit");
    await pg.query(`select pg_advisory_unlock(${key})`);
    return await batch;
  });
}

test("drizzle's neon-http client selects, inserts and batches", async () => {
  const table = pgTable(uniqueName(), {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    doc: jsonb(),
    at: timestamp({ withTimezone: true, mode: "date" }).notNull(),
  });
  const [name] = [Reflect.get(table, Symbol.for("drizzle:Name"))];
  await client().query(`create table ${name} (id bigint primary key generated always as identity,
    name text not null, doc jsonb, at timestamptz not null)`);
  const db = drizzle(client());
  const at = new Date("2026-05-06T07:08:09.123Z");
  const [inserted] = await db
    .insert(table)
    .values({ name: "beras", doc: { kg: 5 }, at })
    .returning();
  expect(inserted).toEqual({ id: 1, name: "beras", doc: { kg: 5 }, at });
  const [found, all] = await db.batch([
    db.select({ at: table.at }).from(table).where(eq(table.name, "beras")),
    db.select().from(table),
  ]);
  expect(found).toEqual([{ at }]);
  expect(all).toEqual([inserted]);
});
