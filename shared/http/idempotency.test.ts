import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { testContext } from "../../workers/testing/api.ts";
import { unique } from "../../workers/testing/factories.ts";
import { rows } from "../db/statement.ts";
import { createJob, readJob } from "../jobs/test-jobs.ts";
import { inputHash, purgeExpired } from "./idempotency.ts";

interface Claim {
  user?: number;
  key: string | null;
  operation?: string;
  hash?: string;
  subject: string;
}

function claim({ user = 1, key, operation = "order", hash = "h", subject }: Claim) {
  const call = sql`select http_claim(${user}, ${key}, ${operation}, ${hash}, ${subject}) as earlier`;
  return rows(call, z.object({ earlier: z.string().nullable() }));
}

async function earlier(input: Claim): Promise<string | null | undefined> {
  const [row] = await testContext().db.run(claim(input));
  return row?.earlier;
}

const makeOld = (key: string) =>
  rows(
    sql`update http_idempotency_keys set created_at = now() - interval '25 hours' where key = ${key}`,
    z.unknown(),
  );

describe("a claimed key", () => {
  test("answers the same call with the first subject, and another input or operation with 422", async () => {
    const key = unique();
    expect(await earlier({ key, subject: "a" })).toBeNull();
    expect(await earlier({ key, subject: "b" })).toBe("a");
    const mismatch = { code: "idempotency_mismatch" };
    await expect(earlier({ key, subject: "b", hash: "other" })).rejects.toMatchObject(mismatch);
    await expect(earlier({ key, subject: "b", operation: "other" })).rejects.toMatchObject(
      mismatch,
    );
  });

  test("is its user's own, and no key claims nothing", async () => {
    const key = unique();
    expect(await earlier({ key, subject: "a" })).toBeNull();
    expect(await earlier({ user: 2, key, subject: "b" })).toBeNull();
    expect(await earlier({ key: null, subject: "c" })).toBeNull();
    expect(await earlier({ key: null, subject: "d" })).toBeNull();
  });

  test("is given to one of many calls at once; the others get its subject", async () => {
    const key = unique();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => earlier({ key, subject: `s${i}` })),
    );
    const winners = answers.flatMap((answer, i) => (answer === null ? [`s${i}`] : []));
    expect(winners).toHaveLength(1);
    expect(new Set(answers)).toEqual(new Set([null, ...winners]));
  });

  test("whose work failed is free again", async () => {
    const key = unique();
    const fail = rows(sql`select app_error('sold_out', 'Stok habis')`, z.unknown());
    await expect(testContext().db.batch([claim({ key, subject: "a" }), fail])).rejects.toThrow(
      "Stok habis",
    );
    expect(await earlier({ key, subject: "b" })).toBeNull();
  });

  test("is forgotten after a day, before and after the purge", async () => {
    const { db } = testContext();
    const [reused, purged] = [unique(), unique()];
    for (const key of [reused, purged]) {
      await earlier({ key, subject: "a" });
      await db.run(makeOld(key));
    }
    expect(await earlier({ key: reused, subject: "b", hash: "other" })).toBeNull();
    expect(await earlier({ key: reused, subject: "c", hash: "other" })).toBe("b");
    await purgeExpired(testContext());
    const kept = await db.run(
      rows(
        sql`select key from http_idempotency_keys where key in (${reused}, ${purged})`,
        z.object({ key: z.string() }),
      ),
    );
    expect(kept).toEqual([{ key: reused }]);
  });
});

test("the purge forgets jobs that ended a month ago and no others", async () => {
  const ctx = testContext();
  const [old, recent, waiting] = [await createJob(ctx), await createJob(ctx), await createJob(ctx)];
  const ended = (id: string, days: number) =>
    rows(
      sql`update jobs set state = 'success', finished_at = now() - make_interval(days => ${days}) where id = ${id}`,
      z.unknown(),
    );
  await ctx.db.batch([ended(old, 31), ended(recent, 29)]);
  await purgeExpired(ctx);
  await expect(readJob(ctx, old)).rejects.toThrow("no such job");
  expect(await readJob(ctx, recent)).toMatchObject({ state: "success" });
  expect(await readJob(ctx, waiting)).toMatchObject({ state: "queued" });
});

describe("the hash of an input", () => {
  test("does not depend on the order of keys, nor on what JSON leaves out", async () => {
    const one = await inputHash({ a: 1, b: { c: [1, { x: 1, y: 2 }], d: null } });
    const two = await inputHash({ b: { d: null, c: [1, { y: 2, x: 1 }] }, a: 1, e: undefined });
    expect(one).toBe(two);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    [{ a: 1 }, { a: "1" }],
    [{ a: [1, 2] }, { a: [2, 1] }],
    [{ a: null }, {}],
    [{ a: { b: 1 } }, { a: 1, b: 1 }],
  ])("of %j is not that of %j", async (one, two) => {
    expect(await inputHash(one)).not.toBe(await inputHash(two));
  });
});
