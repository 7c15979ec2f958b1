import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx, QueueName } from "../context.ts";
import { sha256Hex } from "../crypto/digest.ts";
import { call, rows } from "../db/statement.ts";
import { AppError, notFound } from "../http/errors.ts";
import { consumeEach } from "../jobs/batch.ts";
import { type JobHandler, runJob } from "../jobs/jobs.ts";
import { jobMessage } from "../jobs/wake.ts";
import { describeError } from "../log.ts";
import { ProviderError } from "../providers/provider-error.ts";

export { consumeDeadLetters, replayDeadLetter } from "./dead-letters.ts";

const AT_ONCE = 10;
const DUE_AT_ONCE = 50;
const LONGEST_KEY = 200;

/** How a provider's notices take effect. Each is handed over at least once, in any order. */
export interface NoticeApplier {
  provider: string;
  /** Names the event: the same for every delivery of it, another for every other event. */
  eventKey(ctx: Ctx, body: string): string;
  /**
   * Puts what is large elsewhere, idempotently, before the notice is written; the body that it gives is what is kept and
   * applied. What throws is delivered again.
   */
  shelve?(ctx: Ctx, body: string): Promise<string>;
  /**
   * Applies a verified notice idempotently. `parked`: nothing here fits it (yet); it is kept, tried again for a day,
   * and can be replayed. `applied` with a note: nothing was to be done, for this reason. What throws is delivered again. The
   * reason is stored and logged: no personal data.
   */
  apply(ctx: Ctx, body: string): Promise<"applied" | { applied: string } | { parked: string }>;
}

const notice = z.object({
  v: z.literal(1),
  type: z.literal("notice"),
  provider: z.string().min(1),
  body: z.string(),
  receivedAt: z.iso.datetime(),
  requestId: z.string(),
});
type Notice = z.output<typeof notice>;

/** A queue of notices carries wake-ups of jobs that belong to them, too. */
const message = z.discriminatedUnion("type", [notice, jobMessage]);

/**
 * Takes in a notice whose signature holds: on the queue and no further, so that a database outage loses nothing.
 * Throws `unavailable` when the queue is out too, upon which the provider sends it again. `queue`: of its own for a provider
 * whose notices wait for its answers, so that no other's wait with them.
 */
export async function receiveNotice(
  ctx: Ctx,
  { provider, body, queue = "webhooks" }: { provider: string; body: string; queue?: QueueName },
): Promise<void> {
  const sent: Notice = {
    v: 1,
    type: "notice",
    provider,
    body,
    receivedAt: ctx.now().toISOString(),
    requestId: ctx.requestId,
  };
  try {
    await ctx.queues[queue].send(sent);
  } catch (cause) {
    throw new AppError("unavailable", "Layanan sedang terganggu. Silakan coba lagi.", { cause });
  }
}

/** The queue side: each notice is written under its event key and applied; a known and applied one has no effect. */
export async function consumeNotices(
  ctx: Ctx,
  batch: MessageBatch<unknown>,
  appliers: readonly NoticeApplier[],
  handlers: readonly JobHandler[] = [],
): Promise<void> {
  await consumeEach(ctx, batch, AT_ONCE, async ({ body }) => {
    const parsed = message.parse(body);
    if (parsed.type === "notice") await receive(ctx, parsed, appliers);
    else await runJob(ctx, parsed.id, handlers);
  });
}

const received = z.object({
  id: z.uuid(),
  state: z.enum(["received", "applied", "parked"]),
});

async function receive(
  ctx: Ctx,
  { provider, body: sent, receivedAt, requestId }: Notice,
  appliers: readonly NoticeApplier[],
): Promise<void> {
  const applier = applierOf(appliers, provider);
  const eventKey = await shortKey(applier.eventKey(ctx, sent));
  const body = applier.shelve ? await applier.shelve(ctx, sent) : sent;
  const input = { provider, event_key: eventKey, body, received_at: receivedAt };
  const event = await ctx.db.run(call("inbox_receive", input, received));
  ctx.log.info("notice received", {
    provider,
    eventId: event.id,
    state: event.state,
    noticeRequestId: requestId,
  });
  if (event.state !== "applied") await applyEvent(ctx, applier, event.id, body);
}

/** An index entry has a largest size; a longer key is as unique by its digest. */
async function shortKey(key: string): Promise<string> {
  return key.length <= LONGEST_KEY ? key : await sha256Hex(key);
}

function applierOf(appliers: readonly NoticeApplier[], provider: string): NoticeApplier {
  const applier = appliers.find((candidate) => candidate.provider === provider);
  if (!applier) throw new Error(`no applier for notices of ${provider}`);
  return applier;
}

async function applyEvent(
  ctx: Ctx,
  applier: NoticeApplier,
  id: string,
  body: string,
): Promise<"applied" | "parked"> {
  const outcome = await applyOrPark(ctx, applier, body);
  const state = outcome === "applied" || "applied" in outcome ? "applied" : "parked";
  const note =
    outcome === "applied" ? null : "applied" in outcome ? outcome.applied : outcome.parked;
  await ctx.db.run(call("inbox_finish", { id, state, note }, z.unknown()));
  ctx.log.info("notice processed", { provider: applier.provider, eventId: id, state, note });
  return state;
}

/** A provider's final no (a refused key, a changed answer) is parked: asking at once again would not help. */
async function applyOrPark(ctx: Ctx, applier: NoticeApplier, body: string) {
  try {
    return await applier.apply(ctx, body);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.retryable) throw error;
    const { provider, kind } = error;
    ctx.log.error("notice cannot be confirmed", { provider, kind, alert: true });
    return { parked: `${provider} ${kind}` };
  }
}

const dueEvents = z.array(z.object({ id: z.uuid(), provider: z.string(), body: z.string() }));

/**
 * For the minute cron: applies parked events again (a notice may have overtaken the commit that it speaks of), with
 * growing pauses for a day, and events whose consumer died before it could say how it went.
 */
export async function replayParked(ctx: Ctx, appliers: readonly NoticeApplier[]): Promise<void> {
  const due = await ctx.db.run(call("inbox_due", { limit: DUE_AT_ONCE }, dueEvents));
  const byProvider = Map.groupBy(due, ({ provider }) => provider);
  await Promise.all([...byProvider.values()].map((events) => applyInTurn(ctx, events, appliers)));
}

/** The parked ones of a provider: one that hangs holds up no other. */
async function applyInTurn(
  ctx: Ctx,
  events: z.output<typeof dueEvents>,
  appliers: readonly NoticeApplier[],
): Promise<void> {
  for (const { id, provider, body } of events) {
    try {
      await applyEvent(ctx, applierOf(appliers, provider), id, body);
    } catch (error) {
      ctx.log.warn("notice not applied", { provider, eventId: id, ...describeError(error) });
    }
  }
}

/**
 * Ends parked events along with one of which enough was learnt: those whose keys begin with `keyStart` and that came by
 * `receivedUntil`. `note` says why, as with `NoticeApplier.apply`.
 */
export async function finishAlike(
  ctx: Ctx,
  alike: { provider: string; keyStart: string; receivedUntil: Date; note: string },
): Promise<void> {
  const { provider, keyStart: key_start, note } = alike;
  const received_until = alike.receivedUntil.toISOString();
  const input = { provider, key_start, received_until, note };
  await ctx.db.run(call("inbox_finish_alike", input, z.object({ finished: z.number() })));
}

/** Applies one kept event again at a person's wish, whatever its state and age. */
export async function replayEvent(
  ctx: Ctx,
  id: string,
  appliers: readonly NoticeApplier[],
): Promise<"applied" | "parked"> {
  const [event] = await ctx.db.run(
    rows(
      sql`select provider, body from inbox_events where id = ${id}`,
      z.object({ provider: z.string(), body: z.string() }),
    ),
  );
  if (!event) throw notFound("Pemberitahuan tidak ditemukan");
  return await applyEvent(ctx, applierOf(appliers, event.provider), id, event.body);
}
