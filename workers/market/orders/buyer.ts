import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { isUuid } from "../schemas/fields.ts";
import { BuyerOrder, Tracking } from "../schemas/orders.ts";
import { newestFirst, orderColumns, pageOf, paymentColumn } from "./rows.ts";

const missing = () => notFound("Order not found");

/** One order of the actor. Throws `not_found`, also for somebody else's. */
export async function getOrder(ctx: Ctx, orderId: string): Promise<BuyerOrder> {
  if (!isUuid(orderId)) throw missing();
  const [order] = await ctx.db.run(
    rows(
      sql`select ${orderColumns}, ${paymentColumn}
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
  const found = await ctx.db.run(
    rows(
      sql`select count(*) over ()::float8 as total, ${orderColumns}, ${paymentColumn}
        from market_orders o join market_stores s on s.id = o.store_id
        where o.buyer_id = ${actorOf(ctx).userId}
          and (${query.status ?? null}::text is null or o.status = ${query.status ?? null})
        ${newestFirst} ${pageOf(query)}`,
      BuyerOrder.extend({ total: z.number() }),
    ),
  );
  return {
    rows: found.map(({ total: _, ...order }) => order),
    page: query.page,
    limit: query.limit,
    total: found[0]?.total ?? 0,
  };
}

/** Where the parcel of an order of the actor is, and what happened so far, newest first. */
export async function trackOrder(ctx: Ctx, orderId: string) {
  if (!isUuid(orderId)) throw missing();
  const [tracking] = await ctx.db.run(
    rows(
      sql`select o.status,
          (select to_jsonb(h) from market_shipments h where h.order_id = o.id) as shipment,
          (select coalesce(jsonb_agg(e order by e.occurred_at desc), '[]') from (
            select 'ordered' as status, 'Pesanan dibuat' as description, o.created_at as occurred_at
            union all select 'paid', 'Pembayaran diterima', o.paid_at where o.paid_at is not null
            union all select 'cancelled', coalesce(o.closed_reason, 'Pesanan dibatalkan'), o.closed_at
              where o.closed_at is not null
            union all select v.status, v.description, v.occurred_at
              from market_shipment_events v join market_shipments h on h.id = v.shipment_id
              where h.order_id = o.id) e) as timeline
        from market_orders o where o.id = ${orderId} and o.buyer_id = ${actorOf(ctx).userId}`,
      Tracking,
    ),
  );
  if (!tracking) throw missing();
  return tracking;
}

/** The buyer has the parcel in hand: the order is delivered and the seller is paid, once. */
export async function confirmReceived(ctx: Ctx, orderId: string): Promise<{ id: string }> {
  if (!isUuid(orderId)) throw missing();
  const result = await ctx.db.run(
    call(
      "market_order_received",
      { order_id: orderId, buyer_id: actorOf(ctx).userId },
      z.object({ order_id: z.uuid(), wake: wakeSchema }),
    ),
  );
  wake(ctx, result.wake);
  return { id: result.order_id };
}
