import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call, rows } from "../db/statement.ts";
import { AppError, notFound } from "../http/errors.ts";
import { consumeEach } from "../jobs/batch.ts";
import { queueName, wake, wakeSchema } from "../jobs/wake.ts";

const AT_ONCE = 5;
const stored = z.object({ stored: z.boolean(), wake: wakeSchema });

/**
 * The last stop of a message that no retry could handle: kept under its id, told in the log and by one mail.
 * While the database is down the message stays on its queue.
 */
export async function consumeDeadLetters(ctx: Ctx, batch: MessageBatch<unknown>): Promise<void> {
  const queue = batch.queue.replace(/-dead$/, "");
  await consumeEach(ctx, batch, AT_ONCE, async ({ id, body }) => {
    ctx.log.error("message dead", { queue, messageId: id, alert: true });
    const input = {
      queue,
      message_id: id,
      message: JSON.stringify(body ?? null),
      alert_to: ctx.config.ALERT_EMAIL,
    };
    const result = await ctx.db.run(call("inbox_dead_letter", input, stored));
    wake(ctx, result.wake);
  });
}

const letter = z.object({ queue: queueName, message: z.string() });

/**
 * Puts a dead message back on its queue, for a person who has removed its cause. It stays dead until it is there; killed
 * in between it is handed over twice, which no consumer minds. Throws `unavailable` when the queue is out.
 */
export async function replayDeadLetter(ctx: Ctx, id: string): Promise<void> {
  const [found] = await ctx.db.run(
    rows(sql`select queue, message from inbox_dead_letters where id = ${id}`, letter),
  );
  if (!found) throw notFound("Pesan tidak ditemukan");
  await ctx.queues[found.queue].send(JSON.parse(found.message)).catch((cause: unknown) => {
    throw new AppError("unavailable", "Layanan sedang terganggu. Silakan coba lagi.", { cause });
  });
  await ctx.db.run(
    rows(sql`update inbox_dead_letters set replayed_at = now() where id = ${id}`, z.unknown()),
  );
}
