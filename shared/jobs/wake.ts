import { z } from "zod";
import { type Ctx, QUEUE_NAMES, type QueueName } from "../context.ts";
import { describeError } from "../log.ts";

export const queueName = z.enum(QUEUE_NAMES);

export const wakeShape = z.object({
  id: z.uuid(),
  queue: queueName,
  kind: z.string().optional(),
  delay_seconds: z.number().int().nonnegative().optional(),
});

/** A job that is to be woken after the commit of the transaction that made it. */
export type Wake = z.output<typeof wakeShape>;

/** A wake list as SQL functions return it; what was enqueued before is null there and absent here. */
export const wakeSchema = z
  .array(wakeShape.nullable())
  .transform((wakes) => wakes.filter((wake) => wake !== null));

/** What lies on a queue: the id alone, because the truth may have moved on when it is read. */
export const jobMessage = z.object({ v: z.literal(1), type: z.literal("job"), id: z.uuid() });
export type JobMessage = z.output<typeof jobMessage>;

/**
 * Kinds of jobs that are woken by a queue of their own, whatever queue their rows name: the release before reads these rows,
 * and knows no newer name.
 */
const OWN_QUEUES: Partial<Record<string, QueueName>> = { "topup.deliver": "topup-deliveries" };

/** A queue keeps a message back for 12 hours at most; the cron finds later jobs by itself. */
const LONGEST_DELAY_S = 43_200;
const LARGEST_SEND = 100;

/**
 * Sends wake-ups after the answer. A lost one costs a minute, not the job: `resendDueJobs` sends it again.
 */
export function wake(ctx: Ctx, wakes: readonly (Wake | null)[]): void {
  const messages = new Map<QueueName, MessageSendRequest<JobMessage>[]>();
  for (const entry of wakes) {
    if (!entry || (entry.delay_seconds ?? 0) > LONGEST_DELAY_S) continue;
    const queue = OWN_QUEUES[entry.kind ?? ""] ?? entry.queue;
    const waiting = messages.get(queue) ?? [];
    waiting.push({
      body: { v: 1, type: "job", id: entry.id },
      delaySeconds: entry.delay_seconds ?? 0,
    });
    messages.set(queue, waiting);
  }
  for (const [queue, waiting] of messages) ctx.waitUntil(send(ctx, queue, waiting));
}

async function send(
  ctx: Ctx,
  queue: QueueName,
  messages: MessageSendRequest<JobMessage>[],
): Promise<void> {
  try {
    for (let start = 0; start < messages.length; start += LARGEST_SEND) {
      await ctx.queues[queue].sendBatch(messages.slice(start, start + LARGEST_SEND));
    }
  } catch (error) {
    ctx.log.warn("wake-ups not sent", { queue, count: messages.length, ...describeError(error) });
  }
}
