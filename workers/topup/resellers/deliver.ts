import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { type JobHandler, type JobOutcome, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { addressRules } from "./endpoints.ts";
import { openSecret } from "./secrets.ts";
import { signedHeaders } from "./signature.ts";
import { webhookAddress } from "./webhook-address.ts";

type Send = (url: string, init: RequestInit) => Promise<Response>;

/** A receiver that needs longer does its work before it answers, which the specification tells it not to. */
const TIMEOUT_MS = 15_000;
/** An endpoint that accepted nothing for so long is switched off. */
const PATIENCE_HOURS = 72;
const LONGEST_REST_MS = 30 * 60_000;

const payload = z.object({ delivery_id: z.uuid() });
const begun = z
  .object({
    id: z.uuid(),
    endpoint_id: z.uuid(),
    payload: z.record(z.string(), z.unknown()),
    round: z.number(),
    url: z.string(),
    secret: z.string(),
    old_secret: z.string().nullable(),
    rest_ms: z.number(),
  })
  .nullable();
type Begun = NonNullable<z.output<typeof begun>>;
const finished = z.object({
  state: z.enum(["delivered", "failed", "pending", "ended"]),
  after_ms: z.number().nullish(),
  wake: wakeSchema,
});

interface Attempt {
  ok: boolean;
  status?: number;
  error?: string;
  gone?: boolean;
}

/**
 * What rests comes back spread out. What has rested for long rests longer: a backlog of thousands would else do nothing but
 * come and go.
 */
const restOf = (restMs: number, ageMs: number): number =>
  Math.max(restMs * (1 + Math.random()), Math.random() * Math.min(ageMs / 4, LONGEST_REST_MS));

/**
 * Sends one event to one endpoint (https://www.standardwebhooks.com): at least once, always under the same id, by
 * which the receiver tells a repeat. The endpoint's failures are its owner's, so the job itself never fails for them.
 */
export function deliverWebhook(send: Send = (url, init) => fetch(url, init)): JobHandler {
  return {
    kind: "topup.deliver",
    queue: "topup-deliveries",
    async run(ctx, job): Promise<JobOutcome> {
      const id = payload.parse(job.payload).delivery_id;
      const delivery = await ctx.db.run(call("topup_delivery_begin", { id }, begun));
      if (!delivery) return { state: "success", result: { delivery: "nothing to do" } };
      const started = Date.now();
      if (delivery.rest_ms > 0) {
        return {
          state: "retry",
          error: "its owner's receivers are slow, or called already",
          afterMs: restOf(delivery.rest_ms, started - job.createdAt.getTime()),
          uncounted: true,
        };
      }
      const attempt = await tryOnce(ctx, delivery, send);
      const tookMs = Date.now() - started;
      const note = {
        id,
        round: delivery.round,
        ...attempt,
        gone: attempt.gone ?? false,
        duration_ms: tookMs,
        patience_hours: PATIENCE_HOURS,
      };
      const done = await ctx.db.run(call("topup_delivery_finish", note, finished));
      wake(ctx, done.wake);
      if (done.state !== "pending") return { state: "success", result: { delivery: done.state } };
      return {
        state: "retry",
        error: attempt.error ?? `status ${attempt.status}`,
        afterMs: done.after_ms ?? undefined,
      };
    },
  };
}

async function tryOnce(ctx: Ctx, delivery: Begun, send: Send): Promise<Attempt> {
  let url: string;
  try {
    // Again: what may be called can have changed since the endpoint was added.
    url = webhookAddress(delivery.url, addressRules(ctx.config));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ok: false, error: "address refused" };
  }
  const sealed = [delivery.secret, delivery.old_secret].filter((secret) => secret !== null);
  const secrets = await Promise.all(
    sealed.map((secret) => openSecret(ctx.config, delivery.endpoint_id, secret)),
  );
  const body = JSON.stringify(delivery.payload);
  const headers = await signedHeaders({ id: `msg_${delivery.id}`, at: ctx.now(), body }, secrets);
  try {
    const answer = await send(url, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        "user-agent": "lumbung-webhooks/1",
        ...headers,
      },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // Nobody reads the answer's words: cancelled, so that an endless one holds nothing.
    await answer.body?.cancel();
    return { ok: answer.ok, status: answer.status, gone: answer.status === 410 };
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    return { ok: false, error: name === "TimeoutError" ? "timeout" : "unreachable" };
  }
}
