import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { unique } from "../../workers/testing/factories.ts";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { createJob, recordingHandler } from "../jobs/test-jobs.ts";
import { contextWithQueues, deliver } from "../jobs/test-queues.ts";
import { ProviderError } from "../providers/provider-error.ts";
import {
  consumeNotices,
  type NoticeApplier,
  receiveNotice,
  replayEvent,
  replayParked,
} from "./inbox.ts";

type Answer = Awaited<ReturnType<NoticeApplier["apply"]>> | Error;

/** An applier of a provider of its own; the body names the event. Answers in turn, the last answer for ever. */
function recordingApplier(...answers: Answer[]): NoticeApplier & { applied: string[] } {
  const applied: string[] = [];
  return {
    provider: unique("p"),
    applied,
    eventKey: (_ctx, body) => body,
    async apply(_ctx, body) {
      const answer = answers[Math.min(applied.length, answers.length - 1)] ?? "applied";
      applied.push(body);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

const notice = (provider: string, body: string) => ({
  v: 1,
  type: "notice",
  provider,
  body,
  receivedAt: "2026-11-21T07:05:00.000Z",
  requestId: "r",
});

async function consume(ctx: Ctx, applier: NoticeApplier, bodies: string[], attempts = 1) {
  const messages = bodies.map((body) => notice(applier.provider, body));
  const { batch, fates } = deliver("webhooks", messages, { attempts });
  await consumeNotices(ctx, batch, [applier]);
  return fates;
}

const eventShape = z.object({
  id: z.string(),
  state: z.string(),
  attempts: z.number(),
  note: z.string().nullable(),
  retry_seconds: z.number().nullable(),
  body: z.string(),
});

async function eventsOf(ctx: Ctx, { provider }: NoticeApplier) {
  const query = sql`select id, state, attempts, note, body,
    extract(epoch from retry_at - now())::float8 as retry_seconds
    from inbox_events where provider = ${provider} order by created_at, id`;
  return await ctx.db.run(rows(query, eventShape));
}

/** Lets time pass for the events of one provider. */
async function wait(ctx: Ctx, { provider }: NoticeApplier, hours: number): Promise<void> {
  const query = sql`update inbox_events set retry_at = retry_at - make_interval(hours => ${hours}),
    created_at = created_at - make_interval(hours => ${hours}) where provider = ${provider}`;
  await ctx.db.run(rows(query, z.unknown()));
}

describe("a verified notice", () => {
  test("is put on the queue as it came, with no database on the way", async () => {
    const { ctx, sent } = contextWithQueues();
    ctx.db.guard({
      statement: rows(sql`select 1`, z.unknown()),
      passed: () => expect.unreachable(),
    });
    await receiveNotice(ctx, { provider: "midtrans", body: '{"a": 1}' });
    expect(sent).toEqual([
      {
        queue: "webhooks",
        delaySeconds: 0,
        body: {
          ...notice("midtrans", '{"a": 1}'),
          receivedAt: expect.any(String),
          requestId: ctx.requestId,
        },
      },
    ]);
  });

  test("is refused for now when the queue is out, so that the provider sends it again", async () => {
    const { ctx } = contextWithQueues();
    ctx.queues.webhooks.send = () => Promise.reject(new Error("queue is out"));
    await expect(receiveNotice(ctx, { provider: "p", body: "{}" })).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("is applied once however often it is delivered, also in another order", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier("applied");
    const [a, b] = [unique(), unique()];
    expect(await consume(ctx, applier, [b])).toEqual(["acked"]);
    expect(await consume(ctx, applier, [a, b])).toEqual(["acked", "acked"]);
    expect(await consume(ctx, applier, [b, a])).toEqual(["acked", "acked"]);
    expect(applier.applied).toEqual([b, a]);
    expect((await eventsOf(ctx, applier)).map(({ state, body }) => [state, body])).toEqual([
      ["applied", b],
      ["applied", a],
    ]);
  });

  test("that could not be applied comes again alone, and is processed again though it is known", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier(new Error("database is out"), "applied");
    const [failing, fine] = [unique(), unique()];
    expect(await consume(ctx, applier, [failing])).toEqual([2]);
    expect(await eventsOf(ctx, applier)).toMatchObject([{ state: "received", attempts: 1 }]);
    expect(await consume(ctx, applier, [fine, failing], 9)).toEqual(["acked", "acked"]);
    expect(await eventsOf(ctx, applier)).toMatchObject([
      { state: "applied", attempts: 2, note: null, retry_seconds: null },
      { state: "applied", attempts: 1 },
    ]);
  });

  test("that is large is shelved before it is written, and kept and applied as what that gives", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier("applied");
    const shelved: string[] = [];
    let isOut = true;
    const shelving: NoticeApplier = {
      ...applier,
      async shelve(_ctx, body) {
        if (isOut) throw new Error("the bucket is out");
        shelved.push(body);
        return `short ${body}`;
      },
    };
    const large = unique();
    expect(await consume(ctx, shelving, [large])).toEqual([2]);
    expect(await eventsOf(ctx, applier)).toEqual([]);
    isOut = false;
    expect(await consume(ctx, shelving, [large])).toEqual(["acked"]);
    expect(await consume(ctx, shelving, [large])).toEqual(["acked"]);
    expect([applier.applied, shelved]).toEqual([[`short ${large}`], [large, large]]);
    expect(await eventsOf(ctx, applier)).toMatchObject([
      { state: "applied", body: `short ${large}` },
    ]);
  });

  test("comes again after a pause of at most five minutes while the database is out", async () => {
    for (const [attempts, pause] of [
      [1, 2],
      [4, 16],
      [30, 300],
    ] as const) {
      const { ctx } = contextWithQueues();
      ctx.db.guard({
        statement: rows(sql`select app_error('unavailable', 'out')`, z.unknown()),
        passed: () => expect.unreachable(),
      });
      const applier = recordingApplier();
      expect(await consume(ctx, applier, [unique()], attempts)).toEqual([pause]);
      expect(applier.applied).toEqual([]);
    }
  });

  test("with a very long event key is still one event", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier();
    const long = "x".repeat(20_000) + unique();
    await consume(ctx, applier, [long]);
    await consume(ctx, applier, [long, `${long}y`]);
    expect(applier.applied).toEqual([long, `${long}y`]);
  });
});

describe("a parked notice", () => {
  test("is acked, kept with its reason, and applied by cron once its order is there", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier({ parked: "unknown order" }, "applied");
    const body = unique();
    expect(await consume(ctx, applier, [body])).toEqual(["acked"]);
    const [parked] = await eventsOf(ctx, applier);
    expect(parked).toMatchObject({ state: "parked", note: "unknown order" });
    expect(parked?.retry_seconds).toBeLessThanOrEqual(10);
    await wait(ctx, applier, 1);
    await replayParked(ctx, [applier]);
    await replayParked(ctx, [applier]);
    expect(applier.applied).toEqual([body, body]);
    expect(await eventsOf(ctx, applier)).toMatchObject([
      { state: "applied", note: null, retry_seconds: null },
    ]);
  });

  test("is tried with growing pauses for a day, then only by a person", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier({ parked: "unknown order" });
    await consume(ctx, applier, [unique()]);
    const pauses: number[] = [];
    for (let hour = 0; hour < 24; hour += 1) {
      await wait(ctx, applier, 1);
      await replayParked(ctx, [applier]);
      pauses.push((await eventsOf(ctx, applier))[0]?.retry_seconds ?? Number.POSITIVE_INFINITY);
    }
    const growing = pauses.slice(0, 8);
    expect([...growing].sort((a, b) => a - b)).toEqual(growing);
    expect(pauses.at(-2)).toBeLessThanOrEqual(3600);
    expect(pauses.at(-1)).toBe(Number.POSITIVE_INFINITY);

    const [event] = await eventsOf(ctx, applier);
    const before = applier.applied.length;
    await replayParked(ctx, [applier]);
    expect(applier.applied).toHaveLength(before);
    expect(await replayEvent(ctx, event?.id ?? "", [applier])).toBe("parked");
    expect(applier.applied).toHaveLength(before + 1);
  });

  test("is also one that the provider refuses to confirm", async () => {
    const { ctx } = contextWithQueues();
    const failure = { kind: "unauthorised", retryable: false, outcome: "not_done" } as const;
    const applier = recordingApplier(new ProviderError("twin", failure, "key=abc"));
    expect(await consume(ctx, applier, [unique()])).toEqual(["acked"]);
    expect(await eventsOf(ctx, applier)).toMatchObject([
      { state: "parked", note: "twin unauthorised" },
    ]);
  });
});

describe("a kept event", () => {
  test("whose consumer died is applied by cron", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier(new Error("died"), "applied");
    await consume(ctx, applier, [unique()]);
    await wait(ctx, applier, 1);
    await replayParked(ctx, [applier]);
    expect(await eventsOf(ctx, applier)).toMatchObject([{ state: "applied" }]);
  });

  test("that cannot be applied does not keep cron from the next one", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier({ parked: "x" }, { parked: "x" }, new Error("bad"), "applied");
    await consume(ctx, applier, [unique()]);
    await consume(ctx, applier, [unique()]);
    await wait(ctx, applier, 1);
    await replayParked(ctx, [applier]);
    expect((await eventsOf(ctx, applier)).map(({ state }) => state).sort()).toEqual([
      "applied",
      "parked",
    ]);
  });

  test("once applied stays applied when a replay would park it", async () => {
    const { ctx } = contextWithQueues();
    const applier = recordingApplier("applied", { parked: "gone" });
    await consume(ctx, applier, [unique()]);
    const [event] = await eventsOf(ctx, applier);
    await replayEvent(ctx, event?.id ?? "", [applier]);
    expect(await eventsOf(ctx, applier)).toMatchObject([{ state: "applied", note: null }]);
  });

  test("that is missing cannot be replayed", async () => {
    const { ctx } = contextWithQueues();
    await expect(replayEvent(ctx, crypto.randomUUID(), [])).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

test("a job's wake-up on the notices' queue runs the job, and rubbish comes again alone", async () => {
  const { ctx } = contextWithQueues();
  const id = await createJob(ctx, { queue: "webhooks" });
  const handler = recordingHandler({ state: "success" });
  const bodies = [{ v: 1, type: "job", id }, { type: "?" }, notice(unique(), "no such applier")];
  const { batch, fates } = deliver("webhooks", bodies);
  await consumeNotices(ctx, batch, [], [handler]);
  expect(fates).toEqual(["acked", 2, 2]);
  expect(handler.ran).toHaveLength(1);
});
