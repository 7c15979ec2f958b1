import { eq, sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { users } from "../../workers/identity/tables.ts";
import { testContext } from "../../workers/testing/api.ts";
import { createUser } from "../../workers/testing/factories.ts";
import { AppError } from "../http/errors.ts";
import { build, prepared, rows, statement } from "./statement.ts";

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
});
