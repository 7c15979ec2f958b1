import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { type JobHandler, type JobOutcome, wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { attemptOnce, newAttempt, recordAttempt } from "./attempt.ts";
import { historyRow, LISTED } from "./follow.ts";
import { type NamedPurchases, namedPurchases, readableHistory } from "./history.ts";
import { DOUBT_MINUTES, LISTED_DEEPEST, MOST_LISTED, PATIENCE_MINUTES } from "./limits.ts";
import { isFinal, type Order, orderShape } from "./order.ts";

const Payload = z.object({ order_id: z.uuid() });

const Taken = z.object({
  do: z.enum(["buy", "ask", "wait", "nothing"]),
  order: orderShape,
  wake: wakeSchema,
});

const Matched = z.object({
  verdict: z.enum(["settled", "wait", "deeper"]),
  order: orderShape,
  /** When silence will be believed, as far as it has gone; null: the list was none. */
  due: z.coerce.date().nullish().default(null),
  /** What the list was worth, where it did not tell. */
  told: z.string().nullish().default(null),
  wake: wakeSchema,
});

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const REVIVED_AT_ONCE = 200;
/** A supplier that is away is asked again so soon at the latest: its answer settles what buyers wait for. */
const UNTOLD_MS = 10 * MINUTE_MS;

/**
 * Looks after an order whose attempt nobody recorded: buys it when it is its turn, and asks the supplier's history when
 * it may have been bought. It never sends an order whose attempt has begun. Due once the attempt's lease has run out;
 * done as soon as the order is under way or ended. One that waits for a person because of a tie is asked about as before.
 */
export const orderJob: JobHandler = {
  kind: "topup.order",
  queue: "topup",
  async run(ctx, job): Promise<JobOutcome> {
    const { order_id: orderId } = Payload.parse(job.payload);
    const taken = await take(ctx, orderId);
    switch (taken.do) {
      case "nothing":
        return { state: "success", result: { state: taken.order.state } };
      case "wait":
        return {
          state: "retry",
          error: "still being bought",
          afterMs: untilLeaseEnds(ctx, taken.order),
        };
      case "buy": {
        const order = await recordAttempt(ctx, taken.order, await attemptOnce(ctx, taken.order));
        return afterwards(ctx, order);
      }
      case "ask":
        return await lookAndTell(ctx, taken.order);
      default:
        return taken.do satisfies never;
    }
  },
};

async function take(ctx: Ctx, orderId: string) {
  const input = {
    ...newAttempt(),
    order_id: orderId,
    patience_minutes: PATIENCE_MINUTES,
    now: ctx.now().toISOString(),
  };
  const taken = await ctx.db.run(call("topup_order_take", input, Taken));
  wake(ctx, taken.wake);
  return taken;
}

function untilLeaseEnds(ctx: Ctx, order: Order): number {
  const leftMs = (order.attemptUntil?.getTime() ?? 0) - ctx.now().getTime();
  return Math.max(leftMs, 0) + SECOND_MS;
}

/**
 * What is left to do: a doubt is asked about soon at first, then ever more seldom while the supplier says nothing, but
 * when its silence is `due` to be believed.
 */
function afterwards(ctx: Ctx, order: Order, due: Date | null = null): JobOutcome {
  switch (order.state) {
    case "queued":
      return { state: "retry", error: "no turn at the supplier", afterMs: 10 * SECOND_MS };
    case "buying":
      return { state: "retry", error: "still being bought", afterMs: untilLeaseEnds(ctx, order) };
    case "review":
    case "unknown": {
      // What a person is asked about and is known by its id is followed like any purchase.
      if (order.trxid !== null) return { state: "success", result: { state: order.state } };
      const now = ctx.now().getTime();
      const pauseMs = pauseFor((order.attemptUntil?.getTime() ?? 0) - now);
      const dueMs = due !== null && due.getTime() > now ? due.getTime() - now + SECOND_MS : pauseMs;
      const askAfterMs = Math.min(pauseMs, dueMs);
      return { state: "unknown", error: "not in the history yet", askAfterMs };
    }
    default:
      return { state: "success", result: { state: order.state } };
  }
}

/** Often while the attempt may still arrive; then a minute and more, the older the doubt. */
function pauseFor(leaseLeftMs: number): number {
  if (leaseLeftMs > 0) return Math.min(leaseLeftMs + SECOND_MS, 20 * SECOND_MS);
  return Math.min(Math.max(-leaseLeftMs / 4, MINUTE_MS), HOUR_MS);
}

const GivenOver = z.object({ order: orderShape, wake: wakeSchema });

/**
 * What the supplier's history tells of an order in doubt; when it has told nothing for an hour, a person hears of it, and
 * after a day he is asked.
 */
async function lookAndTell(ctx: Ctx, order: Order): Promise<JobOutcome> {
  const { order: seen, due, told } = await lookForPurchase(ctx, order);
  const doubtMs = ctx.now().getTime() - (seen.attemptUntil?.getTime() ?? 0);
  if (seen.state === "unknown" && doubtMs >= DOUBT_MINUTES * MINUTE_MS) {
    const now = ctx.now().toISOString();
    const input = { order_id: order.id, told, now, alert_to: ctx.config.ALERT_EMAIL };
    const given = await ctx.db.run(call("topup_order_give_over", input, GivenOver));
    wake(ctx, given.wake);
  }
  return afterwards(ctx, seen, due);
}

/** How far back the history is read: the latest hundred, and while they do not reach back to the attempt, more. */
const DEPTHS = [LISTED, MOST_LISTED, LISTED_DEEPEST];

/**
 * Asks the supplier's history about an order in doubt. Never sends it again. Answers with the order as it is then: under
 * way, refunded, still in doubt, or for a person. That is a true tie only: several buyers' orders for fewer purchases, or
 * purchases too many that end differently (topup_orders_decide.sql), or lists that never tell (topup_orders_silence.sql).
 */
async function lookForPurchase(ctx: Ctx, order: Order): Promise<Look> {
  let seen: Look = { order, due: null, told: null };
  let named: Promise<NamedPurchases> | null = null;
  const namedBeside = (listed: readonly SupplierOrder[]) => {
    named ??= namedPurchases(ctx, order, listed);
    return named;
  };
  for (const depth of DEPTHS) {
    const { verdict, ...look } = await lookSoFar(ctx, order, namedBeside, depth);
    seen = look;
    if (verdict !== "deeper") break;
  }
  return seen;
}

interface Look {
  order: Order;
  due: Date | null;
  /** What the list was worth, where it did not tell (topup_doubt_reason). */
  told: string | null;
}

async function lookSoFar(
  ctx: Ctx,
  order: Order,
  namedBeside: (listed: readonly SupplierOrder[]) => Promise<NamedPurchases>,
  depth: number,
): Promise<Look & { verdict: z.output<typeof Matched>["verdict"] }> {
  const askedAt = ctx.now().toISOString();
  let history: Awaited<ReturnType<typeof readableHistory>>;
  try {
    history = await readableHistory(ctx, order.family, depth);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    ctx.log.warn("history not told", { order: order.number, kind: error.kind });
    const due = new Date(ctx.now().getTime() + UNTOLD_MS);
    return { verdict: "wait", order, due, told: "untold" };
  }
  const { listed, unreadable } = history;
  const named = await namedBeside(listed);
  const unlisted = named.told
    .filter(({ purchase }) => !isIn(listed, purchase.trxid))
    .map(({ purchase, namedAt }) => ({ ...historyRow(purchase), named_at: namedAt.toISOString() }));
  // One that is shorter than asked for does not grow by asking for more.
  const deepest = depth === DEPTHS.at(-1) || listed.length < depth;
  const input = {
    order_id: order.id,
    asked_at: askedAt,
    rows: [...unlisted, ...listed.map(historyRow)],
    silent: named.silent.filter((trxid) => !isIn(listed, trxid)),
    unreadable,
    asked: depth,
    deepest,
    alert_to: ctx.config.ALERT_EMAIL,
    now: ctx.now().toISOString(),
  };
  const matched = await ctx.db.run(call("topup_order_match", input, Matched));
  wake(ctx, matched.wake);
  const verdict = matched.verdict === "deeper" && deepest ? "wait" : matched.verdict;
  ctx.log.info("history asked", { order: order.number, verdict, state: matched.order.state });
  return { verdict, order: matched.order, due: matched.due, told: matched.told };
}

const isIn = (list: readonly SupplierOrder[], trxid: string) =>
  list.some((one) => one.trxid === trxid);

/** Asks about an order in doubt at once, at an admin's wish; any other order is answered as it is. */
export async function reconcileOrder(ctx: Ctx, orderId: string): Promise<Order> {
  const taken = await take(ctx, orderId);
  if (taken.do === "buy") {
    return await recordAttempt(ctx, taken.order, await attemptOnce(ctx, taken.order));
  }
  if (taken.do === "ask" && !isFinal(taken.order.state)) {
    return (await lookForPurchase(ctx, taken.order)).order;
  }
  return taken.order;
}

/** For the minute cron: an order that somebody must look after and whose job has ended, however it did, gets another. */
export async function reviveOrders(ctx: Ctx): Promise<void> {
  const input = { limit: REVIVED_AT_ONCE, ties: true, now: ctx.now().toISOString() };
  const Revived = z.object({ orders: z.array(z.string()), wake: wakeSchema });
  const { orders, wake: wakes } = await ctx.db.run(call("topup_orders_revive", input, Revived));
  wake(ctx, wakes);
  if (orders.length > 0)
    ctx.log.error("orders without a job", { orders: orders.join(", "), alert: true });
}
