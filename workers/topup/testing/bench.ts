import type { Ctx } from "../../../shared/context.ts";
import { clientOf } from "../../../shared/db/client.ts";
import { Database } from "../../../shared/db/database.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import type { Statement } from "../../../shared/db/statement.ts";
import { contextWithQueues, type SentMessage } from "../../../shared/jobs/test-queues.ts";
import { createVipReseller, type Pace } from "../../../shared/providers/vip-reseller.ts";
import { settleBackground } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";

/** What a test may take away, and when it is. */
export interface Bench {
  ctx: Ctx;
  /** How many calls of the database, of the supplier and of the queues there were. */
  steps: () => number;
  /** What went on the queues. */
  sent: SentMessage[];
  /** Resolves when the process was killed. */
  killed: Promise<"killed">;
  /** Waits for what is left running behind the answer; a killed process leaves nothing. */
  settle: () => Promise<void>;
}

export interface BenchOptions {
  actor?: TestUser;
  /** Ahead of the real time. */
  laterMs?: number;
  /** The process dies at this call (from 0), before or after it acts. */
  killAt?: number;
  kill?: "before" | "after";
  timeoutMs?: number;
  /** Rewrites what the supplier answers. */
  twist?: (text: string) => string;
  /** How long Postgres is waited for. */
  patienceMs?: number;
  /** The gate to the supplier: throws to hold a request back. */
  pace?: Pace;
}

/** A context of its own with the twin as supplier, whose process can be killed at any of its calls. */
export function bench(options: BenchOptions = {}): Bench {
  const { actor, laterMs = 0, killAt = -1, kill = "before", timeoutMs = 400 } = options;
  const { ctx: base, sent } = contextWithQueues();
  const background: Promise<unknown>[] = [];
  const never = new Promise<never>(() => undefined);
  const { promise: killed, resolve: die } = Promise.withResolvers<"killed">();
  let steps = 0;
  let dead = false;

  async function step<T>(act: () => Promise<T>): Promise<T> {
    if (dead) return await never;
    const dies = steps === killAt;
    steps += 1;
    if (dies && kill === "before") return await end();
    const result = await act();
    if (dies) return await end();
    if (dead) return await never;
    return result;
  }
  function end(): Promise<never> {
    dead = true;
    die("killed");
    return never;
  }

  const { config } = base;
  const vipReseller = createVipReseller({
    apiId: config.VIP_RESELLER_API_ID,
    apiKey: config.VIP_RESELLER_API_KEY,
    baseUrl: config.VIP_RESELLER_API_URL,
    timeoutMs,
    pace: options.pace ?? (async () => undefined),
    sleep: async () => undefined,
    fetch: (url, init) =>
      step(async () => {
        const answer = await fetch(url, init);
        return options.twist ? new Response(options.twist(await answer.text())) : answer;
      }),
  });
  const db = new SteppedDatabase(base, step, options.patienceMs);
  const ctx: Ctx = {
    ...base,
    db,
    queues: steppedQueues(base.queues, step),
    actor: actor ?? null,
    providers: { ...base.providers, vipReseller },
    now: () => new Date(Date.now() + laterMs),
    waitUntil: (work) => void background.push(work.catch(() => undefined)),
  };
  const settle = async () => {
    while (background.length > 0) await Promise.race([background.shift(), killed]);
    await settleBackground();
  };
  return { ctx, steps: () => steps, sent, killed, settle };
}

/** When a process is to die. */
export type Death = Required<Pick<BenchOptions, "killAt" | "kill">>;

/**
 * Does the work in processes of which the first dies at its first call before it acts, the next after it, then at the
 * second call and so on, until one meets its end alive. So no call is left out, however many there are. `work` tells
 * whether its process died. Answers with the number of calls.
 */
export async function dieAtEveryCall(work: (death: Death) => Promise<boolean>): Promise<number> {
  for (let killAt = 0; ; killAt += 1) {
    for (const kill of ["before", "after"] as const) {
      const died = await work({ killAt, kill }).catch((cause: unknown) => {
        throw new Error(`when killed at call ${killAt}, ${kill} it acts`, { cause });
      });
      if (!died) return killAt;
    }
  }
}

/** Runs a call as a step. */
type Step = <T>(act: () => Promise<T>) => Promise<T>;

function steppedQueues(queues: Ctx["queues"], step: Step): Ctx["queues"] {
  const stepped = (queue: Queue<unknown>): Queue<unknown> => ({
    metrics: () => queue.metrics(),
    send: (body, options) => step(() => queue.send(body, options)),
    sendBatch: (messages, options) => step(() => queue.sendBatch(messages, options)),
  });
  return {
    provisioning: stepped(queues.provisioning),
    "marketplace-sync": stepped(queues["marketplace-sync"]),
    webhooks: stepped(queues.webhooks),
    mail: stepped(queues.mail),
    topup: stepped(queues.topup),
    "topup-callbacks": stepped(queues["topup-callbacks"]),
    "topup-deliveries": stepped(queues["topup-deliveries"]),
  };
}

class SteppedDatabase extends Database {
  readonly #step: Step;

  constructor(ctx: Ctx, step: Step, patienceMs?: number) {
    const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = ctx.config;
    super(clientOf({ databaseUrl, databaseHttpUrl }), ctx.requestId, patienceMs);
    this.#step = step;
  }

  override batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ) {
    return this.#step(() => super.batch(queries, constraints));
  }
}
