import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { likePattern } from "../../../shared/http/answers.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { isUuid } from "../schemas/fields.ts";
import { SellerOrder, SellerOrderDetail, type ShipInput, Shipment } from "../schemas/orders.ts";
import { newestFirst, orderColumns, readPage, timelineColumn } from "./rows.ts";

export interface SellerOrdersQuery {
  page: number;
  limit: number;
  status?: string | undefined;
  search?: string | undefined;
}

const sellerColumns = (
  ctx: Ctx,
) => sql`${orderColumns(ctx)}, o.commission_amount::float8 as commission_amount,
  o.status = 'pending' or o.held_after_cancel as stock_held,
  jsonb_build_object('id', u.id, 'full_name', u.name) as buyer`;

const ownOrders = (ctx: Ctx) => sql`
  from market_orders o join market_stores s on s.id = o.store_id join identity_users u on u.id = o.buyer_id
  where s.user_id = ${actorOf(ctx).userId}`;

/** A page of the orders of the actor's store, newest first; `search` finds an order number or a buyer's name. */
export async function listSellerOrders(ctx: Ctx, query: SellerOrdersQuery) {
  const { status = null } = query;
  const search = query.search ? likePattern(query.search) : null;
  return await readPage(ctx, query, {
    columns: sellerColumns(ctx),
    matches: sql`${ownOrders(ctx)} and (${status}::text is null or o.status = ${status})
      and (${search}::text is null or o.number ilike ${search} or u.name ilike ${search})`,
    order: newestFirst,
    row: SellerOrder,
  });
}

/** One order of the actor's store with what happened to it. Throws `not_found`, also for another store's. */
export async function getSellerOrder(ctx: Ctx, orderId: string): Promise<SellerOrderDetail> {
  if (!isUuid(orderId)) throw notFound("Order not found");
  const query = sql`select ${sellerColumns(ctx)}, ${timelineColumn} ${ownOrders(ctx)} and o.id = ${orderId}`;
  const [order] = await ctx.db.run(rows(query, SellerOrderDetail));
  if (!order) throw notFound("Order not found");
  return order;
}

/** A page of the parcels of the actor's store, newest first. */
export async function listShipments(ctx: Ctx, query: SellerOrdersQuery) {
  const { status = null } = query;
  const found = await readPage(ctx, query, {
    columns: sql`market_shipment_json(h) as shipment`,
    matches: sql`
      from market_shipments h join market_orders o on o.id = h.order_id join market_stores s on s.id = o.store_id
      where s.user_id = ${actorOf(ctx).userId} and (${status}::text is null or h.status = ${status})`,
    order: sql`order by h.created_at desc, h.id desc`,
    row: z.object({ shipment: Shipment }),
  });
  return { ...found, rows: found.rows.map(({ shipment }) => shipment) };
}

/**
 * The seller hands a parcel to a courier by himself. Only forward, only on a paid order of his own store, and not
 * while our courier carries it; that it arrived is for the courier or the buyer to say, since it pays the seller (TB-3).
 */
export async function shipOrder(ctx: Ctx, input: z.output<typeof ShipInput>) {
  const result = await ctx.db.run(
    call(
      "market_ship_by_seller",
      { ...input, seller_id: actorOf(ctx).userId },
      z.object({ shipment: Shipment, wake: wakeSchema }),
    ),
  );
  wake(ctx, result.wake);
  return result.shipment;
}
