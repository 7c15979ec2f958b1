import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { attemptOnce, newAttempt, recordAttempt, recordBehind } from "./attempt.ts";
import { LIMITS } from "./limits.ts";
import { type Order, orderShape } from "./order.ts";
import { boughtAs } from "./place.ts";

/** `refusal`: why the supplier surely did not take it, in words for the customer; the money is back. */
export interface Processed {
  order: Order;
  refusal: string | null;
}

const Paid = z.object({ order: orderShape });

/**
 * Pays an unpaid order of the actor from his wallet and buys it, once whoever else asks: `invalid_input` once it has
 * left `pending` and when the wallet does not hold enough, `changed` when its price is no longer the one that was told.
 */
export async function processOrder(
  ctx: Ctx,
  { orderNumber, confirm = false }: { orderNumber: string; confirm?: boolean | undefined },
): Promise<Processed> {
  const input = {
    ...newAttempt(),
    number: orderNumber,
    user_id: actorOf(ctx).userId,
    confirm,
    now: ctx.now().toISOString(),
    limits: LIMITS,
  };
  const { order } = await ctx.db.run(call("topup_order_pay", input, Paid)).catch(inContractWords);
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
