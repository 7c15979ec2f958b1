import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground } from "../../workers/testing/api.ts";
import type { Ctx } from "../context.ts";
import type { Gate } from "../db/database.ts";
import { rows } from "../db/statement.ts";
import { type Failure, ProviderError } from "../providers/provider-error.ts";
import { consumeJobs, type JobHandler, resendDueJobs, runJob } from "./jobs.ts";
import { age, createJob, readJob, recordingHandler } from "./test-jobs.ts";
import { contextWithQueues, deliver } from "./test-queues.ts";

const providerError = (failure: Partial<Failure>) =>
  new ProviderError(
    "twin",
    { kind: "unavailable", retryable: true, outcome: "not_done", ...failure },
    "secret words",
  );

async function alertsAbout(ctx: Ctx, id: string) {
  return await ctx.db.run(
    rows(
      sql`select payload from jobs where dedupe_key = ${`mail/alert/job/${id}`}`,
      z.object({ payload: z.object({ to: z.string(), template: z.literal("alert") }) }),
    ),
  );
}

/** Acts, and then the way to the database is gone, as if the Worker had died. */
function dyingHandler(): JobHandler {
  return {
    ...recordingHandler(),
    async run(ctx) {
      ctx.db.guard(outage("dead"));
      return { state: "success" };
    },
  };
}

/** A gate that no query of a context passes. */
const outage = (words: string): Gate => ({
  statement: rows(sql`select app_error('unavailable', ${words})`, z.unknown()),
  passed: () => expect.unreachable(),
});

const message = (id: string) => ({ v: 1, type: "job", id });

describe("an attempt that fails", () => {
  test("before it had an effect is repeated after the pause that the provider asks for", async () => {
    const { ctx, sent } = contextWithQueues();
    const id = await createJob(ctx);
    const handler = recordingHandler(
      providerError({ kind: "rate_limited", retryAfterMs: 90_000 }),
      { state: "success" },
    );
    expect(await runJob(ctx, id, [handler])).toBe("queued");
    await settleBackground();
    expect(sent).toEqual([{ queue: "provisioning", body: message(id), delaySeconds: 90 }]);
    const row = await readJob(ctx, id);
    expect(row.error).toBe("twin rate_limited");
    expect(row.wait_seconds).toBeGreaterThan(80);
    expect(await runJob(ctx, id, [handler])).toBe("skipped");
    await age(ctx, id);
    expect(await runJob(ctx, id, [handler])).toBe("success");
    expect(handler.ran.map((job) => job.state)).toEqual(["queued", "queued"]);
  });

  test.each([
    ["a timed-out call", providerError({ kind: "timeout", outcome: "unknown" }), "twin timeout"],
    ["any other error", new TypeError("token=abc"), "TypeError"],
  ])(
    "in doubt (%s) is asked about by the next one, and keeps no words that may be secret",
    async (_name, thrown, kept) => {
      const { ctx } = contextWithQueues();
      const id = await createJob(ctx);
      // The asking attempt meets a provider that is down: nothing is known yet, so it must not become a plain retry.
      const handler = recordingHandler(thrown, providerError({}), { state: "success" });
      for (const state of ["unknown", "unknown", "success"]) {
        expect(await runJob(ctx, id, [handler])).toBe(state);
        if (state === "unknown") await age(ctx, id);
      }
      expect(handler.ran.map((job) => job.state)).toEqual(["queued", "unknown", "unknown"]);
      const other = await createJob(ctx);
      await runJob(ctx, other, [recordingHandler(thrown)]);
      expect((await readJob(ctx, other)).error).toBe(kept);
    },
  );

  test("and says so itself is asked about when it wants", async () => {
    const { ctx, sent } = contextWithQueues();
    const id = await createJob(ctx);
    const handler = recordingHandler({ state: "unknown", error: "no answer", askAfterMs: 15_000 });
    expect(await runJob(ctx, id, [handler])).toBe("unknown");
    await settleBackground();
    expect(sent[0]?.delaySeconds).toBe(15);
    expect(await readJob(ctx, id)).toMatchObject({ state: "unknown", error: "no answer" });
  });

  test("for good ends the job and alerts the operator once", async () => {
    const { ctx, sent } = contextWithQueues();
    const id = await createJob(ctx);
    const handler = recordingHandler(
      providerError({ kind: "refused", retryable: false, code: "X1" }),
    );
    expect(await runJob(ctx, id, [handler])).toBe("failed");
    expect(await readJob(ctx, id)).toMatchObject({ state: "failed", error: "twin refused X1" });
    expect(await alertsAbout(ctx, id)).toEqual([
      { payload: { to: ctx.config.ALERT_EMAIL, template: "alert" } },
    ]);
    await settleBackground();
    expect(sent.map(({ queue }) => queue)).toEqual(["mail"]);
  });

  test("for the last time ends the job, whatever it hoped for", async () => {
    const { ctx } = contextWithQueues();
    for (const state of ["retry", "unknown"] as const) {
      const id = await createJob(ctx, { maxAttempts: 2 });
      const handler = recordingHandler({ state, error: "still down" });
      await runJob(ctx, id, [handler]);
      await age(ctx, id);
      expect(await runJob(ctx, id, [handler])).toBe("failed");
      expect(await alertsAbout(ctx, id)).toHaveLength(1);
    }
  });

  test("to send a mail is not mailed about", async () => {
    const { ctx, sent } = contextWithQueues();
    const id = await createJob(ctx, { kind: "mail.send", queue: "mail" });
    const handler = {
      ...recordingHandler({ state: "failed", error: "refused" }),
      kind: "mail.send",
    };
    expect(await runJob(ctx, id, [handler])).toBe("failed");
    expect(await alertsAbout(ctx, id)).toEqual([]);
    await settleBackground();
    expect(sent).toEqual([]);
  });

  test("for want of a handler waits for the release that has one", async () => {
    const { ctx } = contextWithQueues();
    const id = await createJob(ctx, { kind: "new" });
    expect(await runJob(ctx, id, [recordingHandler()])).toBe("queued");
  });
});

describe("the minute cron", () => {
  test("wakes a job whose wake-up was lost, once a minute, and leaves a fresh one alone", async () => {
    const { ctx, sent } = contextWithQueues();
    const [lost, fresh] = [await createJob(ctx), await createJob(ctx)];
    await age(ctx, lost);
    await resendDueJobs(ctx);
    await resendDueJobs(ctx);
    await settleBackground();
    const ids = sent.map(({ body }) => body);
    expect(
      ids.filter((body) => JSON.stringify(body) === JSON.stringify(message(lost))),
    ).toHaveLength(1);
    expect(ids).not.toContainEqual(message(fresh));
  });

  test("wakes a job whose Worker died between acting and recording, which then runs once more", async () => {
    const { ctx, sent } = contextWithQueues();
    const id = await createJob(ctx);
    await expect(runJob(contextWithQueues().ctx, id, [dyingHandler()])).rejects.toThrow("dead");
    const handler = recordingHandler({ state: "success" });
    expect(await runJob(ctx, id, [handler])).toBe("skipped");
    await age(ctx, id);
    await resendDueJobs(ctx);
    await settleBackground();
    expect(sent.map(({ body }) => body)).toContainEqual(message(id));
    for (const state of ["success", "skipped", "skipped"]) {
      expect(await runJob(ctx, id, [handler])).toBe(state);
    }
    expect(handler.ran).toMatchObject([{ state: "unknown", attempts: 2 }]);
  });

  test("fails a job whose Worker died in its last attempt, and alerts the operator", async () => {
    const { ctx } = contextWithQueues();
    const id = await createJob(ctx, { maxAttempts: 1 });
    await expect(runJob(contextWithQueues().ctx, id, [dyingHandler()])).rejects.toThrow("dead");
    await age(ctx, id);
    const handler = recordingHandler();
    expect(await runJob(ctx, id, [handler])).toBe("skipped");
    await resendDueJobs(ctx);
    expect(await readJob(ctx, id)).toMatchObject({ state: "failed", attempts: 1 });
    expect(await alertsAbout(ctx, id)).toHaveLength(1);
    expect(handler.ran).toHaveLength(0);
  });
});

describe("the consumer", () => {
  test("acks each message that it handled and puts back alone the one that it cannot read", async () => {
    const { ctx } = contextWithQueues();
    const [one, two] = [await createJob(ctx), await createJob(ctx)];
    const handler = recordingHandler({ state: "success" }, { state: "retry", error: "later" });
    const gone = crypto.randomUUID();
    const bodies = [message(one), { v: 2, type: "job", id: one }, message(gone), message(two), "x"];
    const { batch, fates } = deliver("provisioning", bodies);
    await consumeJobs(ctx, batch, [handler]);
    expect(fates).toEqual(["acked", 2, "acked", "acked", 2]);
    expect(handler.ran).toHaveLength(2);
  });

  test.each([
    [1, 2],
    [5, 32],
    [9, 300],
    [50, 300],
  ])(
    "puts a message back when the database is out (delivery %d: in %d s)",
    async (attempts, pause) => {
      const { ctx } = contextWithQueues();
      const id = await createJob(ctx);
      ctx.db.guard(outage("out"));
      const { batch, fates } = deliver("mail", [message(id)], { attempts });
      await consumeJobs(ctx, batch, [recordingHandler()]);
      expect(fates).toEqual([pause]);
    },
  );
});
