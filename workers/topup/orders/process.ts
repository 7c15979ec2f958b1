import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { claimOf } from "../../../shared/http/idempotency.ts";
import { attemptOnce, newAttempt, recordAttempt, recordBehind } from "./attempt.ts";
import { LIMITS } from "./limits.ts";
import { failureOf, type Order, orderShape } from "./order.ts";
import { boughtAs } from "./place.ts";

/** `refusal`: why the supplier surely did not take it, in words for the customer; the money is back. */
export interface Processed {
  order: Order;
  refusal: string | null;
}

const Paid = z.object({ order: orderShape, replayed: z.boolean() });

/**
 * Pays an unpaid order of the actor from his wallet and buys it, once whoever else asks: `invalid_input` once it has
 * left `pending` and when the wallet does not hold enough, `changed` when its price is no longer the one that was told.
 * A repeat with the same key pays nothing and is told what became of the first.
 */
export async function processOrder(
  ctx: Ctx,
  { orderNumber, confirm = false }: { orderNumber: string; confirm?: boolean | undefined },
  idempotencyKey?: string,
): Promise<Processed> {
  const input = {
    ...newAttempt(),
    number: orderNumber,
    user_id: actorOf(ctx).userId,
    confirm,
    now: ctx.now().toISOString(),
    limits: LIMITS,
    claim: await claimOf(ctx, idempotencyKey, { orderNumber, confirm }),
  };
  const { order, replayed } = await ctx.db
    .run(call("topup_order_pay", input, Paid))
    .catch(inContractWords);
  if (replayed) return { order, refusal: failureOf(order) };
  const attempt = await attemptOnce(ctx, order);
  if (attempt.kind === "refused") {
    return { order: await recordAttempt(ctx, order, attempt), refusal: attempt.words };
  }
  recordBehind(ctx, order, attempt);
  const bought = attempt.kind === "accepted" ? boughtAs(order, attempt.purchase.trxid) : order;
  return { order: bought, refusal: null };
}

function inContractWords(error: unknown): never {
  if (error instanceof AppError && error.code === "insufficient_balance") {
    throw new AppError("insufficient_balance", "Payment not completed", { meta: error.meta });
  }
  throw error;
}
