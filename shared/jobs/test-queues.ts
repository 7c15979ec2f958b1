import { testContext } from "../../workers/testing/api.ts";
import type { Ctx, QueueName } from "../context.ts";

export interface SentMessage {
  queue: QueueName;
  body: unknown;
  delaySeconds: number;
}

/** A context whose queues keep what is sent to them, so that a test delivers it when and as often as it likes. */
export function contextWithQueues(): { ctx: Ctx; sent: SentMessage[] } {
  const sent: SentMessage[] = [];
  const metrics = { backlogCount: 0, backlogBytes: 0 };
  const queue = (name: QueueName): Queue<unknown> => ({
    metrics: async () => metrics,
    send: async (body, options) => {
      sent.push({ queue: name, body, delaySeconds: options?.delaySeconds ?? 0 });
      return { metadata: { metrics } };
    },
    sendBatch: async (messages) => {
      for (const { body, delaySeconds = 0 } of messages)
        sent.push({ queue: name, body, delaySeconds });
      return { metadata: { metrics } };
    },
  });
  const queues = {
    provisioning: queue("provisioning"),
    "marketplace-sync": queue("marketplace-sync"),
    webhooks: queue("webhooks"),
    mail: queue("mail"),
    topup: queue("topup"),
    "topup-callbacks": queue("topup-callbacks"),
    "topup-deliveries": queue("topup-deliveries"),
  };
  return { ctx: { ...testContext(), queues }, sent };
}

export interface Delivered {
  batch: MessageBatch<unknown>;
  /** What became of each message, in order: "acked", the seconds until it comes again, or nothing yet. */
  fates: ("acked" | number | undefined)[];
}

/** A delivery of the bodies, each for the `attempts`th time. */
export function deliver(
  queue: string,
  bodies: unknown[],
  { attempts = 1, ids }: { attempts?: number; ids?: string[] } = {},
): Delivered {
  const fates: Delivered["fates"] = bodies.map(() => undefined);
  const messages = bodies.map((body, i) => ({
    id: ids?.[i] ?? crypto.randomUUID(),
    timestamp: new Date(),
    body,
    attempts,
    ack: () => {
      fates[i] ??= "acked";
    },
    retry: (options?: QueueRetryOptions) => {
      fates[i] ??= options?.delaySeconds ?? 0;
    },
  }));
  const whole = () => {
    throw new Error("a batch is never acked or retried as a whole");
  };
  const metadata = { metrics: { backlogCount: 0, backlogBytes: 0 } };
  return { batch: { queue, messages, metadata, ackAll: whole, retryAll: whole }, fates };
}
