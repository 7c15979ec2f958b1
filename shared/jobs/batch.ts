import type { Ctx } from "../context.ts";
import { describeError } from "../log.ts";

const LONGEST_PAUSE_S = 300;

/** 2, 4, 8 … 300 seconds before a message is delivered again. */
export function retryDelaySeconds(attempts: number): number {
  return Math.min(2 ** Math.max(attempts, 1), LONGEST_PAUSE_S);
}

/**
 * Hands over each message, `atOnce` at a time. One that is handled is acked and one that throws is retried alone,
 * so that a bad message holds up no other.
 */
export async function consumeEach(
  ctx: Ctx,
  batch: MessageBatch<unknown>,
  atOnce: number,
  handle: (message: Message<unknown>) => Promise<void>,
): Promise<void> {
  const waiting = batch.messages.values();
  const lane = async () => {
    for (const message of waiting) await consumeOne(ctx, batch.queue, message, handle);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

async function consumeOne(
  ctx: Ctx,
  queue: string,
  message: Message<unknown>,
  handle: (message: Message<unknown>) => Promise<void>,
): Promise<void> {
  try {
    await handle(message);
  } catch (error) {
    const delaySeconds = retryDelaySeconds(message.attempts);
    ctx.log.warn("message put back", {
      queue,
      messageId: message.id,
      attempts: message.attempts,
      delaySeconds,
      ...describeError(error),
    });
    message.retry({ delaySeconds });
    return;
  }
  message.ack();
}
