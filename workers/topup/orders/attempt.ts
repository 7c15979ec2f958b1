import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import type {
  MayLeave,
  OrderResult,
  RefusalReason,
  SupplierOrder,
} from "../../../shared/providers/vip-reseller.ts";
import { CALL_MS, LEASE_SECONDS, SHORTEST_ATTEMPT_MS } from "./limits.ts";
import { type Order, orderShape } from "./order.ts";
import { shownOf } from "./purchase.ts";

/**
 * What one attempt to buy came to. `refused`: surely not bought. `deferred`: nothing has left us. `doubted`: it may
 * have been bought.
 */
export type Attempt =
  | { kind: "accepted"; purchase: SupplierOrder }
  | { kind: "refused"; words: string; supplierNote: string; reason: RefusalReason | "unreachable" }
  | { kind: "deferred"; afterSeconds: number }
  | { kind: "doubted"; reason: string };

/** What an attempt is made under: its result counts only while the order is still its. */
export const newAttempt = () => ({
  attempt_id: crypto.randomUUID(),
  lease_seconds: LEASE_SECONDS,
});

const GATE_PAUSE_SECONDS = 10;
/** An order that came too soon: surely not taken, so it is no refusal, waits its turn and is sent then. */
const THROTTLED = /^transaksi dibatasi/i;

/**
 * Sends the order to the supplier, once. The caller holds its lease; what the call came to is always an answer here,
 * never an exception, so that nobody is tempted to try again.
 */
export async function attemptOnce(ctx: Ctx, order: Order): Promise<Attempt> {
  const leftMs = () => (order.attemptUntil?.getTime() ?? 0) - ctx.now().getTime();
  if (leftMs() < SHORTEST_ATTEMPT_MS) return { kind: "deferred", afterSeconds: 0 };
  try {
    const result = await send(ctx, order, () => leftMs() >= CALL_MS);
    if (result.state === "accepted") return { kind: "accepted", purchase: result.order };
    if (THROTTLED.test(result.text)) return { kind: "deferred", afterSeconds: GATE_PAUSE_SECONDS };
    const { reason, text } = result;
    return { kind: "refused", words: REFUSALS[reason], supplierNote: text, reason };
  } catch (error) {
    if (!(error instanceof ProviderError)) {
      ctx.log.error("order attempt threw", describeError(error));
      return { kind: "doubted", reason: "exception" };
    }
    const name = [error.kind, error.code].filter(Boolean).join(" ");
    if (error.outcome === "unknown") return { kind: "doubted", reason: name };
    if (error.code === "busy") return { kind: "deferred", afterSeconds: GATE_PAUSE_SECONDS };
    const words = REFUSALS.unavailable;
    return { kind: "refused", words, supplierNote: name, reason: "unreachable" };
  }
}

function send(
  ctx: Ctx,
  { family, code: service, target, zone, quantity }: Order,
  mayLeave: MayLeave,
): Promise<OrderResult> {
  const { vipReseller } = ctx.providers;
  switch (family) {
    case "prepaid":
      return vipReseller.createPrepaidOrder({ service, target }, mayLeave);
    case "game":
      return vipReseller.createGameOrder({ service, target, zone }, mayLeave);
    case "social":
      return vipReseller.createSocialMediaOrder({ service, target, quantity }, mayLeave);
    default:
      return family satisfies never;
  }
}

/** Refusals in words for the customer: our balance or our address with the supplier are none of his business. */
const REFUSALS: Record<RefusalReason, string> = {
  low_balance: "The service is temporarily unavailable",
  not_permitted_address: "The service is temporarily unavailable",
  maintenance: "The service is under maintenance",
  unavailable: "The service is not available",
  duplicate_target: "There is an unfinished order for this target",
  invalid_target: "The number or target is wrong",
  other: "The order was not accepted",
};

const Recorded = z.object({ order: orderShape, wake: wakeSchema });

/** Writes down what an attempt came to, and the money with it. May be called any number of times. */
export async function recordAttempt(ctx: Ctx, order: Order, attempt: Attempt): Promise<Order> {
  const [name, facts] = recordOf(attempt);
  const input = {
    ...facts,
    order_id: order.id,
    attempt_id: order.attemptId,
    now: ctx.now().toISOString(),
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const recorded = await ctx.db.run(call(name, input, Recorded));
  wake(ctx, recorded.wake);
  const fields = { order: order.number, attempt: attempt.kind, state: recorded.order.state };
  const needsHand = attempt.kind === "refused" && OURS.includes(attempt.reason);
  if (needsHand)
    ctx.log.error("supplier refuses us", { ...fields, reason: attempt.reason, alert: true });
  else ctx.log.info("order attempted", fields);
  return recorded.order;
}

/** Refusals that the operator can end, and no customer. */
const OURS: string[] = ["low_balance", "not_permitted_address", "unreachable", "other"];

function recordOf(attempt: Attempt): [string, Record<string, unknown>] {
  switch (attempt.kind) {
    case "accepted": {
      const { trxid, priceIdr, startCount } = attempt.purchase;
      const facts = { trxid, charged: priceIdr, start_count: startCount };
      return ["topup_order_accepted", { ...facts, ...shownOf(attempt.purchase) }];
    }
    case "refused":
      return [
        "topup_order_refused",
        { notes: attempt.words, supplier_note: attempt.supplierNote, reason: attempt.reason },
      ];
    case "deferred":
      return ["topup_order_deferred", { after_seconds: attempt.afterSeconds }];
    case "doubted":
      return ["topup_order_doubted", { reason: attempt.reason }];
    default:
      return attempt satisfies never;
  }
}

const RECORD_ATTEMPTS = 3;

/**
 * Records behind the answer. What is lost here is found again: the order's lease runs out, and the supplier's history
 * tells what became of it.
 */
export function recordBehind(ctx: Ctx, order: Order, attempt: Attempt): void {
  ctx.waitUntil(recordPatiently(ctx, order, attempt));
}

async function recordPatiently(ctx: Ctx, order: Order, attempt: Attempt): Promise<void> {
  for (let made = 1; ; made += 1) {
    try {
      await recordAttempt(ctx, order, attempt);
      return;
    } catch (error) {
      if (made >= RECORD_ATTEMPTS) throw error;
      ctx.log.warn("attempt not recorded", { order: order.number, ...describeError(error) });
    }
  }
}
