import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { settleBackground } from "../../workers/testing/api.ts";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { contextWithQueues, deliver } from "../jobs/test-queues.ts";
import { consumeDeadLetters, replayDeadLetter } from "./dead-letters.ts";

const letterShape = z.object({
  id: z.string(),
  queue: z.string(),
  message: z.string(),
  replayed: z.boolean(),
});

async function lettersOf(ctx: Ctx, messageId: string) {
  const query = sql`select id, queue, message, replayed_at is not null as replayed
    from inbox_dead_letters where message_id = ${messageId}`;
  return await ctx.db.run(rows(query, letterShape));
}

async function die(ctx: Ctx, queue: string, body: unknown, id = crypto.randomUUID()) {
  const { batch, fates } = deliver(queue, [body], { ids: [id] });
  await consumeDeadLetters(ctx, batch);
  await settleBackground();
  return { id, fates };
}

describe("a dead message", () => {
  test("is kept and mailed about once, however often it is delivered", async () => {
    const { ctx, sent } = contextWithQueues();
    const body = { v: 1, type: "notice", provider: "p", body: "{}" };
    const { id, fates } = await die(ctx, "webhooks-dead", body);
    expect(fates).toEqual(["acked"]);
    expect((await die(ctx, "webhooks-dead", body, id)).fates).toEqual(["acked"]);
    const letters = await lettersOf(ctx, id);
    expect(letters).toMatchObject([
      { queue: "webhooks", message: JSON.stringify(body), replayed: false },
    ]);
    expect(sent.map(({ queue }) => queue)).toEqual(["mail"]);
  });

  // What cannot be sent cannot tell; and a Worker of before would mail about each delivery that waits.
  test.each(["mail", "topup-deliveries"])(
    "of the queue %s is kept, but not mailed about",
    async (queue) => {
      const { ctx, sent } = contextWithQueues();
      const wake = { v: 1, type: "job", id: crypto.randomUUID() };
      const { id } = await die(ctx, `${queue}-dead`, wake);
      expect(await lettersOf(ctx, id)).toHaveLength(1);
      expect(sent).toEqual([]);
    },
  );

  test.each([[null], ["a\u0000b"], ["\ud800"], [{ deep: ["\u0000", 1e300] }]])(
    "is kept whatever it holds (%j)",
    async (body) => {
      const { ctx } = contextWithQueues();
      const { id, fates } = await die(ctx, "webhooks-dead", body);
      expect(fates).toEqual(["acked"]);
      expect(JSON.parse((await lettersOf(ctx, id))[0]?.message ?? "")).toEqual(body);
    },
  );

  test("stays on its queue while the database is out", async () => {
    const { ctx } = contextWithQueues();
    ctx.db.guard({
      statement: rows(sql`select app_error('unavailable', 'out')`, z.unknown()),
      passed: () => expect.unreachable(),
    });
    const { fates } = await die(ctx, "webhooks-dead", {});
    expect(fates).toEqual([2]);
  });

  test("goes back to the queue that it came from at a person's wish", async () => {
    const { ctx, sent } = contextWithQueues();
    const body = { v: 1, type: "job", id: crypto.randomUUID() };
    const { id } = await die(ctx, "marketplace-sync-dead", body);
    const [letter] = await lettersOf(ctx, id);
    await replayDeadLetter(ctx, letter?.id ?? "");
    expect(
      sent.filter(({ queue }) => queue === "marketplace-sync").map((message) => message.body),
    ).toEqual([body]);
    expect(await lettersOf(ctx, id)).toMatchObject([{ replayed: true }]);
    await expect(replayDeadLetter(ctx, crypto.randomUUID())).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
