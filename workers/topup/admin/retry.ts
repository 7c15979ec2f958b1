import type { Ctx } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import {
  getOrder,
  type Order,
  placeGame,
  placePrepaid,
  placeSocial,
  processOrder,
  reconcileOrder,
} from "../orders/index.ts";

/**
 * What an admin may do about an order that did not go through, never blindly: one in doubt is looked up in the
 * supplier's history; one that the supplier surely did not take, and whose money is back, is placed anew as its owner
 * and paid from his wallet, once. Answers with what came of it.
 */
export async function retryOrder(
  ctx: Ctx,
  { id: requestId, orderId }: { id: string; orderId: string },
): Promise<string> {
  const order = await getOrder(ctx, { id: orderId });
  switch (order.state) {
    case "buying":
    case "queued":
    case "unknown":
    case "review":
    case "processing": {
      const { state } = await reconcileOrder(ctx, orderId);
      return `looked up: ${state}`;
    }
    case "failed": {
      if (order.refundedAmount !== order.amount) break;
      const again = await placeAgain(ctx, order, requestId);
      return `placed again: ${again.number}`;
    }
    case "pending":
    case "success":
    case "partial":
    case "cancelled":
    case "refunded":
      break;
    default:
      order.state satisfies never;
  }
  throw new AppError("conflict", "Only an order that surely was not bought can be placed again");
}

/** The request is the key, so that it is one new order however often this runs; the amount, that the owner pays what he agreed to. */
async function placeAgain(ctx: Ctx, order: Order, requestId: string): Promise<Order> {
  const { userId, code: service, target, zone, quantity, orderedVia, resellerKeyId } = order;
  const sessionId = ctx.actor?.sessionId ?? "";
  const asOwner: Ctx = { ...ctx, actor: { userId, sessionId, roles: [] } };
  const idempotencyKey = `retry/${requestId}`;
  const buying = { service, idempotencyKey, confirm: true, orderedVia, resellerKeyId };
  switch (order.family) {
    case "prepaid":
      return await placePrepaid(asOwner, { ...buying, phoneNumber: target, amount: order.amount });
    case "social":
      return await placeSocial(asOwner, { ...buying, target, quantity });
    case "game": {
      const unpaid = await placeGame(asOwner, { ...buying, gameId: target, zone, quantity });
      if (unpaid.state !== "pending") return unpaid;
      const { order: paid, refusal } = await processOrder(asOwner, {
        orderNumber: unpaid.number,
        confirm: true,
      });
      if (refusal !== null) throw new AppError("conflict", refusal);
      return paid;
    }
    default:
      return order.family satisfies never;
  }
}
