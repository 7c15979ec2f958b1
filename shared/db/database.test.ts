import { eq, sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { users } from "../../workers/identity/tables.ts";
import { testContext } from "../../workers/testing/api.ts";
import { createUser, type TestUser, unique } from "../../workers/testing/factories.ts";
import { AppError } from "../http/errors.ts";
import { build, call, prepared, rows, type Statement, statement } from "./statement.ts";

/** A transaction that changes `first`, waits until its rival holds `second` (or has changed it), and changes that too. */
function crossing(first: TestUser, second: TestUser, word: string): Statement<unknown>[] {
  const rename = (user: TestUser) =>
    rows(
      sql`update identity_users set name = name || ${word} where id = ${user.userId}`,
      z.unknown(),
    );
  const [mine, theirs] = [-first.userId, -second.userId];
  const meet = `do $$ begin
    perform pg_advisory_xact_lock(${mine}::bigint);
    for turn in 1 .. 1000 loop
      exit when exists (select from pg_locks l where l.locktype = 'advisory' and l.granted
          and (l.classid::bigint << 32 | l.objid::bigint) = (${theirs})::bigint)
        or exists (select from identity_users u where u.id = ${second.userId} and u.name <> '');
      perform pg_sleep(0.002);
    end loop;
  end $$`;
  return [rename(first), rows(sql.raw(meet), z.unknown()), rename(second)];
}

describe("transactions that wait for each other in a circle", () => {
  it("all go through in the end: the one that Postgres gave up is sent again, whole and once", async () => {
    const [one, two] = [await createUser(), await createUser()];
    const clear = sql`update identity_users set name = '' where id in (${one.userId}, ${two.userId})`;
    await testContext().db.run(rows(clear, z.unknown()));
    const [a, b] = [testContext(), testContext()];
    const sentAgain = vi.spyOn(console, "warn");
    const held = vi.fn();
    a.db.guard({ statement: rows(sql`select 1`, z.unknown()), passed: held });
    await Promise.all([a.db.batch(crossing(one, two, "a")), b.db.batch(crossing(two, one, "b"))]);
    const names = await Promise.all([one, two].map(({ userId }) => a.db.run(byIdName(userId))));
    expect(names.flat().map(({ name }) => [...name].sort().join(""))).toEqual(["ab", "ab"]);
    expect(held).toHaveBeenCalledTimes(1);
    expect(sentAgain.mock.calls.flat().join()).toContain('"code":"40P01"');
    sentAgain.mockRestore();
  });

  it.each([
    ["40001", 3, { code: "unavailable" }],
    ["40P01", 3, { code: "unavailable" }],
    ["23505", 1, { code: "23505" }],
  ])("are tried a bounded number of times: %s", async (state, times, refusal) => {
    const name = unique("test_tries_");
    const { db } = testContext();
    await db.run(rows(sql.raw(`create sequence ${name}`), z.unknown()));
    const fail = `do $$ begin perform nextval('${name}');
      raise exception 'lost' using errcode = '${state}'; end $$`;
    await expect(db.run(rows(sql.raw(fail), z.unknown()))).rejects.toMatchObject(refusal);
    const tries = sql.raw(`select last_value::int as tries from ${name}`);
    expect(await db.run(rows(tries, z.unknown()))).toEqual([{ tries: times }]);
    await db.run(rows(sql.raw(`drop sequence ${name}`), z.unknown()));
  });
});

const byIdName = (userId: number) =>
  rows(sql`select name from identity_users where id = ${userId}`, z.object({ name: z.string() }));

const byId = prepared(() =>
  build
    .select({ email: users.email })
    .from(users)
    .where(eq(users.id, sql.placeholder("id"))),
);

describe("the database of a request", () => {
  it("runs a prepared query with new values each time", async () => {
    const [one, two] = [await createUser(), await createUser()];
    const { db } = testContext();
    expect(await db.run(byId({ id: one.userId }))).toEqual([{ email: one.email }]);
    expect(await db.run(byId({ id: two.userId }))).toEqual([{ email: two.email }]);
  });

  it("undoes a whole batch when one statement violates a constraint, and says it in the mapped words", async () => {
    const user = await createUser();
    const rename = statement(
      build.update(users).set({ name: "Baru" }).where(eq(users.id, user.userId)),
    );
    const clash = statement(
      build.insert(users).values({ email: user.email, name: "x", passwordHash: "x" }),
    );
    const taken = { identity_users_email_key: () => new AppError("conflict", "taken") };
    await expect(testContext().db.batch([rename, clash], taken)).rejects.toThrow("taken");
    const name = statement(
      build.select({ name: users.name }).from(users).where(eq(users.id, user.userId)),
    );
    expect(await testContext().db.run(name)).not.toEqual([{ name: "Baru" }]);
  });

  it("turns a raised app_error into its code, words and keys", async () => {
    const raise = rows(sql`select app_error('sold_out', 'Stok habis', '{"left": 0}')`, z.unknown());
    await expect(testContext().db.run(raise)).rejects.toMatchObject({
      code: "sold_out",
      message: "Stok habis",
      meta: { left: 0 },
    });
  });

  it("runs nothing when the gate does not hold", async () => {
    const user = await createUser();
    const { db } = testContext();
    db.guard({
      statement: rows(sql`select app_error('bad_token', 'ended')`, z.unknown()),
      passed: () => expect.unreachable(),
    });
    const rename = statement(
      build.update(users).set({ name: "Baru" }).where(eq(users.id, user.userId)),
    );
    await expect(db.run(rename)).rejects.toMatchObject({ code: "bad_token" });
    const name = statement(
      build.select({ name: users.name }).from(users).where(eq(users.id, user.userId)),
    );
    expect(await testContext().db.run(name)).not.toEqual([{ name: "Baru" }]);
  });

  it("asks the gate before each query until it has held, and not again after", async () => {
    const user = await createUser();
    const { db } = testContext();
    let held = 0;
    let open = false;
    db.guard({
      statement: {
        ...rows(sql`select 1`, z.unknown()),
        map: () => undefined,
        get sql() {
          return open ? "select 1" : "select app_error('bad_token', 'ended')";
        },
      },
      passed: () => {
        held += 1;
      },
    });
    await expect(db.run(byId({ id: user.userId }))).rejects.toMatchObject({ code: "bad_token" });
    await expect(db.passGate()).rejects.toMatchObject({ code: "bad_token" });
    open = true;
    expect(await db.run(byId({ id: user.userId }))).toEqual([{ email: user.email }]);
    open = false;
    expect(await db.run(byId({ id: user.userId }))).toEqual([{ email: user.email }]);
    await db.passGate();
    expect(held).toBe(1);
  });

  it.each(["a\0b", "\ud800", "x\udc00"])(
    "refuses text that Postgres cannot keep: %j",
    async (text) => {
      const refused = { code: "invalid_input", status: 400 };
      const { db } = testContext();
      const plain = rows(sql`select ${text}::text as it`, z.unknown());
      await expect(db.run(plain)).rejects.toMatchObject(refused);
      const list = rows(sql`select ${sql.param(["ok", text])}::text[] as it`, z.unknown());
      await expect(db.run(list)).rejects.toMatchObject(refused);
      const run = async () => await db.run(call("to_jsonb", { inner: [text] }, z.unknown()));
      await expect(run()).rejects.toMatchObject(refused);
    },
  );

  it("keeps backslashes, quotes and whole surrogate pairs as they are", async () => {
    const given = { text: "\\u0000 \\\\ud800 🌾 '\"; drop table x; -- %_\n\t" };
    const { db } = testContext();
    expect(await db.run(call("to_jsonb", given, z.unknown()))).toEqual(given);
    const plain = rows(sql`select ${given.text}::text as it`, z.object({ it: z.string() }));
    expect(await db.run(plain)).toEqual([{ it: given.text }]);
  });

  it("asks the gate again for a second transaction that moves money, and not otherwise", async () => {
    const { db } = testContext();
    let asked = 0;
    db.guard({ statement: rows(sql`select 1 as one`, z.unknown()), passed: () => asked++ });
    const nothing = rows(sql`select 2 as two`, z.unknown());
    await db.run(nothing);
    await db.run(nothing);
    expect(asked).toBe(1);
    db.guardAgain();
    await db.run(nothing);
    expect(asked).toBe(2);
  });
});
