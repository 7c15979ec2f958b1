import { expect, it } from "vitest";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import { createUser, unique } from "../../workers/testing/factories.ts";
import { AppError } from "../http/errors.ts";
import { audited, auditOf, auditRefusal } from "./audit.ts";

it("an entry stands with its act or not at all", async () => {
  const user = await createUser();
  const ctx = testContext(user);
  const subject = { kind: "test", id: unique() };
  const entry = audited(ctx, { action: "test.change", subject, before: { a: 1 }, after: { a: 2 } });
  await ctx.db.run(entry);
  const failing = { ...entry, sql: "select app_error('conflict', 'no')", params: [] };
  await expect(ctx.db.batch([entry, failing])).rejects.toMatchObject({ code: "conflict" });
  expect(await ctx.db.run(auditOf(subject))).toEqual([
    {
      id: expect.any(Number),
      actorKind: "user",
      actorId: user.userId,
      action: "test.change",
      outcome: "done",
      reason: null,
      before: { a: 1 },
      after: { a: 2 },
      createdAt: expect.any(Date),
    },
  ]);
});

it("a refusal is kept past the check that refused, once a minute for the same actor and reason", async () => {
  const [user, other] = [await createUser(), await createUser()];
  const subject = { kind: "test", id: unique() };
  for (const actor of [user, user, other]) {
    const ctx = testContext(actor);
    ctx.db.guard({
      statement: {
        sql: "select app_error('bad_token', '')",
        params: [],
        arrayMode: true,
        map: () => 0,
      },
      passed: () => expect.unreachable(),
    });
    auditRefusal(ctx, { action: "test.change", subject }, new AppError("forbidden", ""));
    await settleBackground();
  }
  expect(await testContext().db.run(auditOf(subject))).toMatchObject([
    { actorId: other.userId, outcome: "refused", reason: "forbidden" },
    { actorId: user.userId, outcome: "refused", reason: "forbidden" },
  ]);
});

it("what nobody asked for is the system's", async () => {
  const ctx = testContext();
  const subject = { kind: "test", id: unique() };
  await ctx.db.run(audited(ctx, { action: "test.purge", subject }));
  expect(await ctx.db.run(auditOf(subject))).toMatchObject([
    { actorKind: "system", actorId: null },
  ]);
});
