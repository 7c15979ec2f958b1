import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground, testContext } from "../../workers/testing/api.ts";
import { unique } from "../../workers/testing/factories.ts";
import { rows } from "../db/statement.ts";
import { cancelJob, enqueue, extendLease, runJob, setProgress, wake } from "./jobs.ts";
import { age, createJob, readJob, recordingHandler } from "./test-jobs.ts";
import { contextWithQueues } from "./test-queues.ts";

describe("a job", () => {
  test("is made once per key, and wakes its queue after the commit", async () => {
    const { ctx, sent } = contextWithQueues();
    const job = { kind: "test", queue: "mail", dedupeKey: unique(), payload: {} } as const;
    const [first, second] = await ctx.db.batch([enqueue(job), enqueue(job)]);
    expect(second).toBeNull();
    wake(ctx, [first, second]);
    await settleBackground();
    expect(sent).toEqual([
      { queue: "mail", body: { v: 1, type: "job", id: first?.id }, delaySeconds: 0 },
    ]);
  });

  test("runs once, however often and in whatever order it is woken", async () => {
    const ctx = testContext();
    const [one, two] = [await createJob(ctx), await createJob(ctx)];
    const handler = recordingHandler({ state: "success", result: { made: 1 } });
    for (const id of [two, one, one, two, one]) await runJob(ctx, id, [handler]);
    expect(handler.ran.map((job) => job.id)).toEqual([two, one]);
    expect(await readJob(ctx, one)).toMatchObject({
      state: "success",
      result: { made: 1 },
      progress: 100,
    });
  });

  test("is given to one of many consumers that ask at the same moment", async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => createJob(testContext())));
    const handler = recordingHandler({ state: "success" });
    const consumers = ids.flatMap((id) => Array.from({ length: 8 }, () => id));
    const ran = await Promise.all(consumers.map((id) => runJob(testContext(), id, [handler])));
    expect(handler.ran.map((job) => job.id).sort()).toEqual([...ids].sort());
    expect(ran.filter((state) => state === "success")).toHaveLength(30);
    expect(ran.filter((state) => state === "skipped")).toHaveLength(210);
  });

  test("of the future waits until it is due", async () => {
    const { ctx, sent } = contextWithQueues();
    const runAt = new Date(Date.now() + 600_000);
    const made = await ctx.db.run(
      enqueue({ kind: "test", queue: "mail", dedupeKey: null, payload: {}, runAt }),
    );
    wake(ctx, [made]);
    await settleBackground();
    expect(sent[0]?.delaySeconds).toBeGreaterThan(590);
    const handler = recordingHandler();
    expect(await runJob(ctx, made?.id ?? "", [handler])).toBe("skipped");
    expect(handler.ran).toHaveLength(0);
  });

  test("that ended never runs again and never changes", async () => {
    const ctx = testContext();
    const failed = recordingHandler({ state: "failed", error: "no such thing" });
    const id = await createJob(ctx);
    await runJob(ctx, id, [failed]);
    await age(ctx, id);
    expect(await runJob(ctx, id, [recordingHandler({ state: "success" })])).toBe("skipped");
    expect(await cancelJob(ctx, id)).toBe(false);
    expect(await readJob(ctx, id)).toMatchObject({
      state: "failed",
      error: "no such thing",
      attempts: 1,
    });
  });

  test("is cancelled only before it begins", async () => {
    const ctx = testContext();
    const id = await createJob(ctx);
    const handler = recordingHandler();
    expect(await cancelJob(ctx, id)).toBe(true);
    expect(await runJob(ctx, id, [handler])).toBe("skipped");
    expect(handler.ran).toHaveLength(0);
    expect(await readJob(ctx, id)).toMatchObject({ state: "cancelled" });
  });
});

describe("a lease", () => {
  test("that ran out passes on once, and its first holder can no longer record", async () => {
    const ctx = testContext();
    const id = await createJob(ctx);
    const second = recordingHandler({ state: "success", result: { by: "second" } });
    const slow = {
      ...recordingHandler(),
      run: async () => {
        expect(await runJob(testContext(), id, [second])).toBe("skipped");
        await age(ctx, id);
        expect(await runJob(testContext(), id, [second])).toBe("success");
        return { state: "success", result: { by: "first" } } as const;
      },
    };
    expect(await runJob(ctx, id, [slow])).toBe("lease_lost");
    expect(second.ran).toHaveLength(1);
    // The first holder may have acted, so the second must ask before it acts.
    expect(second.ran[0]).toMatchObject({ state: "unknown", attempts: 2 });
    expect(await readJob(ctx, id)).toMatchObject({ state: "success", result: { by: "second" } });
  });

  test("of a late first holder records nothing while the second one works", async () => {
    const ctx = testContext();
    const id = await createJob(ctx);
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const working = recordingHandler();
    working.run = async () => {
      begun.resolve();
      await released.promise;
      return { state: "success" };
    };
    let second: Promise<string> | undefined;
    const late = recordingHandler();
    late.run = async () => {
      await age(ctx, id);
      second = runJob(testContext(), id, [working]);
      await begun.promise;
      return { state: "failed", error: "late" };
    };
    expect(await runJob(ctx, id, [late])).toBe("lease_lost");
    expect(await readJob(ctx, id)).toMatchObject({ state: "running", error: null });
    released.resolve();
    expect(await second).toBe("success");
  });

  test("can be extended and reports progress forwards, until it is lost", async () => {
    const ctx = testContext();
    const id = await createJob(ctx);
    const handler = recordingHandler({ state: "success" });
    handler.run = async (_ctx, job) => {
      expect(await setProgress(ctx, job, 60)).toBe(true);
      expect(await setProgress(ctx, job, 30)).toBe(true);
      expect(await readJob(ctx, id)).toMatchObject({ state: "running", progress: 60 });
      expect(await extendLease(ctx, job, 7200)).toBe(true);
      await age(ctx, id);
      expect(await runJob(ctx, id, [recordingHandler()])).toBe("skipped");
      await age(ctx, id);
      await age(ctx, id);
      await runJob(ctx, id, [recordingHandler({ state: "success" })]);
      expect(await extendLease(ctx, job, 60)).toBe(false);
      expect(await setProgress(ctx, job, 90)).toBe(false);
      return { state: "success" };
    };
    await runJob(ctx, id, [handler]);
  });
});

test("the pause doubles from 5 seconds up to an hour and never passes it", async () => {
  const [found] = await testContext().db.run(
    rows(
      sql`select array_agg(extract(epoch from jobs_backoff(n))::float8 order by n) as pauses
        from generate_series(1, 60) n`,
      z.object({ pauses: z.array(z.number()) }),
    ),
  );
  const pauses = found?.pauses ?? [];
  expect(pauses).toHaveLength(60);
  for (const [i, pause] of pauses.entries()) {
    const whole = Math.min(3600, 5 * 2 ** i);
    expect(pause).toBeGreaterThanOrEqual(whole * 0.75);
    expect(pause).toBeLessThanOrEqual(whole);
  }
});

describe("a job that is hurried", () => {
  const hurry = async (id: string) => {
    const [row] = await testContext().db.run(
      rows(
        sql`select jobs_hurry(${id}::uuid) as wake`,
        z.object({ wake: z.unknown() }).transform(({ wake }) => wake),
      ),
    );
    return row;
  };
  const waiting = recordingHandler({ state: "retry", error: "not yet", afterMs: 600_000 });

  test("while it waits is due now, and its wake is returned", async () => {
    const { ctx } = contextWithQueues();
    const id = await createJob(ctx);
    await runJob(ctx, id, [waiting]);
    expect(await runJob(ctx, id, [recordingHandler()])).toBe("skipped");
    expect(await hurry(id)).toEqual({ id, queue: "provisioning", kind: "test", delay_seconds: 0 });
    expect(await runJob(ctx, id, [recordingHandler({ state: "success" })])).toBe("success");
  });

  test("during an attempt that looked too early comes again at once after it", async () => {
    const { ctx, sent } = contextWithQueues();
    const id = await createJob(ctx);
    const early = {
      ...waiting,
      run: async () => {
        expect(await hurry(id)).toBeNull();
        return { state: "unknown", error: "not yet", askAfterMs: 600_000 } as const;
      },
    };
    expect(await runJob(ctx, id, [early])).toBe("unknown");
    await settleBackground();
    expect(sent.map(({ delaySeconds }) => delaySeconds)).toEqual([0]);
    // Hurried once: the next attempt waits as long as it says.
    expect(await runJob(ctx, id, [waiting])).toBe("queued");
    expect(await runJob(ctx, id, [recordingHandler()])).toBe("skipped");
  });

  test("after its end stays as it ended", async () => {
    const { ctx } = contextWithQueues();
    const id = await createJob(ctx);
    const hurried = {
      ...recordingHandler(),
      run: async () => {
        await hurry(id);
        return { state: "success" } as const;
      },
    };
    await runJob(ctx, id, [hurried]);
    expect(await hurry(id)).toBeNull();
    expect(await readJob(ctx, id)).toMatchObject({ state: "success", progress: 100 });
    expect((await readJob(ctx, id)).wait_seconds).toBeLessThanOrEqual(0);
  });
});
