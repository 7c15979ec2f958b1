import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { LISTED, latestPurchases } from "../orders/follow.ts";
import {
  getOrder,
  type Order,
  placeGame,
  placePrepaid,
  placeSocial,
  processOrder,
  reconcileOrder,
} from "../orders/index.ts";
import { LISTED_DEEPEST } from "../orders/limits.ts";
import type { HandWork } from "./hand-rows.ts";

/**
 * What an admin may do about an order that did not go through, never blindly: one in doubt is looked up in the
 * supplier's history; one that the supplier surely did not take, and whose money is back, is placed anew as its owner
 * and paid from his wallet, once. Answers with what came of it.
 */
export async function retryOrder(
  ctx: Ctx,
  work: Pick<HandWork, "id" | "orderId" | "input">,
): Promise<string> {
  const { orderId } = work;
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
      // A first executor that died may have placed it: then the purchase that shows is the new order's own.
      if (!(await isPlaced(ctx, work))) await requireNotBought(ctx, order, work);
      const again = await placeAgain(ctx, order, work);
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

type Work = Pick<HandWork, "id" | "input">;

/** The request knows its order, so that it is one however often and how late this runs. */
async function isPlaced(ctx: Ctx, { id }: Work): Promise<boolean> {
  const found = await ctx.db.run(
    rows(
      sql`select placed_order_id from topup_hand_requests where id = ${id} and placed_order_id is not null`,
      z.object({ placed_order_id: z.uuid() }),
    ),
  );
  return found.length > 0;
}

/**
 * Money went back because nothing showed a purchase; one may have shown since. So the purchase that is known must have
 * failed at the supplier, its latest ones must hold none for this target, and the price must be what was agreed to.
 */
async function requireNotBought(
  ctx: Ctx,
  { id, family, trxid }: Order,
  { input: { confirm = false } }: Work,
): Promise<void> {
  if (trxid !== null) {
    const [known] = await ctx.providers.vipReseller.getOrderStatus(family, { trxid });
    if (known?.status !== "error") {
      throw new AppError("conflict", `The supplier does not say that purchase ${trxid} failed`);
    }
  }
  // A row that cannot be read might be this order's.
  const listed = await latestPurchases(ctx, family, { limit: await backTo(ctx, id), whole: true });
  const likely = listed
    .filter(({ status }) => status !== "error")
    .map(({ trxid: theirs, target, code }) => ({ trxid: theirs, target, code }));
  const input = { order_id: id, rows: likely, confirm, now: ctx.now().toISOString() };
  await ctx.db.run(call("topup_retry_allowed", input, z.unknown()));
}

/** How long a list goes back to the order's attempt. */
async function backTo(ctx: Ctx, orderId: string): Promise<number> {
  const bounds = JSON.stringify({ listed: LISTED, most: LISTED_DEEPEST });
  const [found] = await ctx.db.run(
    rows(
      sql`select topup_list_back_to(o.family, coalesce(o.attempt_at, o.created_at), ${bounds}::jsonb)::int as length
        from topup_orders o where o.id = ${orderId}`,
      z.object({ length: z.number() }),
    ),
  );
  return found?.length ?? LISTED_DEEPEST;
}

/** As its owner, who pays what he agreed to. */
async function placeAgain(ctx: Ctx, order: Order, { id, input }: Work): Promise<Order> {
  const { userId, code: service, target, zone, quantity, orderedVia, resellerKeyId } = order;
  const sessionId = ctx.actor?.sessionId ?? "";
  const asOwner: Ctx = { ...ctx, actor: { userId, sessionId, roles: [] } };
  const { confirm = false } = input;
  const buying = { service, handRequestId: id, confirm, orderedVia, resellerKeyId };
  switch (order.family) {
    case "prepaid":
      return await placePrepaid(asOwner, { ...buying, phoneNumber: target, amount: order.amount });
    case "social":
      return await placeSocial(asOwner, { ...buying, target, quantity, amount: order.amount });
    case "game": {
      const unpaid = await placeGame(asOwner, { ...buying, gameId: target, zone, quantity });
      if (unpaid.state === "failed" || unpaid.state === "cancelled") {
        throw new AppError("conflict", unpaid.notes ?? "Order failed");
      }
      if (unpaid.state !== "pending") return unpaid;
      if (unpaid.amount !== order.amount) throw priceChanged(unpaid.amount);
      const { order: paid, refusal } = await processOrder(asOwner, {
        orderNumber: unpaid.number,
        confirm,
      });
      if (refusal !== null) throw new AppError("conflict", refusal);
      return paid;
    }
    default:
      return order.family satisfies never;
  }
}

const priceChanged = (amount: number) =>
  new AppError("conflict", `The price of this service has changed to ${amount}`);
