import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { isUuid } from "../schemas/fields.ts";
import { BuyerOrder, Tracking } from "../schemas/orders.ts";
import { hearCourier } from "../shipping/courier-news.ts";
import {
  newestFirst,
  orderColumns,
  paymentColumn,
  readPage,
  shipmentColumn,
  timelineColumn,
} from "./rows.ts";

const missing = () => notFound("Order not found");

/** One order of the actor. Throws `not_found`, also for somebody else's. */
export async function getOrder(ctx: Ctx, orderId: string): Promise<BuyerOrder> {
  if (!isUuid(orderId)) throw missing();
  const [order] = await ctx.db.run(
    rows(
      sql`select ${orderColumns(ctx)}, ${paymentColumn}
        from market_orders o join market_stores s on s.id = o.store_id
        where o.id = ${orderId} and o.buyer_id = ${actorOf(ctx).userId}`,
      BuyerOrder,
    ),
  );
  if (!order) throw missing();
  return order;
}

/** A page of the actor's orders, newest first. */
export async function listBuyerOrders(
  ctx: Ctx,
  query: { page: number; limit: number; status?: string | undefined },
) {
  const { status = null } = query;
  return await readPage(ctx, query, {
    columns: sql`${orderColumns(ctx)}, ${paymentColumn}`,
    matches: sql`from market_orders o join market_stores s on s.id = o.store_id
      where o.buyer_id = ${actorOf(ctx).userId} and (${status}::text is null or o.status = ${status})`,
    order: newestFirst,
    row: BuyerOrder,
  });
}

/** Where the parcel of an order of the actor is, and what happened so far, newest first. */
export async function trackOrder(ctx: Ctx, orderId: string) {
  if (!isUuid(orderId)) throw missing();
  const [tracking] = await ctx.db.run(
    rows(
      sql`select o.status, ${shipmentColumn} as shipment, ${timelineColumn}
        from market_orders o where o.id = ${orderId} and o.buyer_id = ${actorOf(ctx).userId}`,
      Tracking,
    ),
  );
  if (!tracking) throw missing();
  return tracking;
}

const Received = z.object({
  order_id: z.uuid(),
  ask: z.string().nullable(),
  wake: wakeSchema,
});

/**
 * The buyer has the parcel in hand: the order is delivered and the seller is paid, once. Where our courier never told that
 * he fetched it he is asked first, as far as he answers, and told not to come if he still means to.
 */
export async function confirmReceived(
  ctx: Ctx,
  orderId: string,
  idempotencyKey?: string,
): Promise<{ id: string }> {
  if (!isUuid(orderId)) throw missing();
  const buyerId = actorOf(ctx).userId;
  const input = { order_id: orderId, buyer_id: buyerId, idempotency_key: idempotencyKey ?? null };
  const asked = { ...input, heard: false };
  let result = await ctx.db.run(call("market_order_received", asked, Received));
  if (result.ask) {
    await hearCourier(ctx, result.ask);
    ctx.db.guardAgain();
    const again = { ...input, heard: true };
    result = await ctx.db.run(call("market_order_received", again, Received));
  }
  wake(ctx, result.wake);
  return { id: result.order_id };
}
