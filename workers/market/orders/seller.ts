import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { likePattern } from "../../../shared/http/answers.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { SellerOrder, type ShipInput, Shipment } from "../schemas/orders.ts";
import { newestFirst, orderColumns, pageOf } from "./rows.ts";

export interface SellerOrdersQuery {
  page: number;
  limit: number;
  status?: string | undefined;
  search?: string | undefined;
}

/** A page of the orders of the actor's store, newest first; `search` finds an order number or a buyer's name. */
export async function listSellerOrders(ctx: Ctx, query: SellerOrdersQuery) {
  const search = query.search ? likePattern(query.search) : null;
  const found = await ctx.db.run(
    rows(
      sql`select count(*) over ()::float8 as total, ${orderColumns},
          o.commission_amount::float8 as commission_amount,
          jsonb_build_object('id', u.id, 'full_name', u.name) as buyer
        from market_orders o join market_stores s on s.id = o.store_id join identity_users u on u.id = o.buyer_id
        where s.user_id = ${actorOf(ctx).userId}
          and (${query.status ?? null}::text is null or o.status = ${query.status ?? null})
          and (${search}::text is null or o.number ilike ${search} or u.name ilike ${search})
        ${newestFirst} ${pageOf(query)}`,
      SellerOrder.extend({ total: z.number() }),
    ),
  );
  return pageResult(found, query);
}

/** A page of the parcels of the actor's store, newest first. */
export async function listShipments(ctx: Ctx, query: SellerOrdersQuery) {
  const found = await ctx.db.run(
    rows(
      sql`select count(*) over ()::float8 as total, h.id, h.order_id, h.courier, h.service, h.status,
          h.tracking_code, to_json(h.estimated_delivery)#>>'{}' as estimated_delivery,
          to_json(h.shipped_at)#>>'{}' as shipped_at, to_json(h.delivered_at)#>>'{}' as delivered_at,
          h.kiriminaja_order_id
        from market_shipments h join market_orders o on o.id = h.order_id join market_stores s on s.id = o.store_id
        where s.user_id = ${actorOf(ctx).userId}
          and (${query.status ?? null}::text is null or h.status = ${query.status ?? null})
        order by h.created_at desc, h.id desc ${pageOf(query)}`,
      Shipment.extend({ total: z.number() }),
    ),
  );
  return pageResult(found, query);
}

/**
 * The seller hands a parcel to a courier by himself. Only forward, only on a paid order of his own store; that it
 * arrived is for the courier or the buyer to say, since it pays the seller (TB-3).
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

function pageResult<R extends { total: number }>(
  found: R[],
  query: { page: number; limit: number },
) {
  return {
    rows: found.map(({ total: _, ...row }) => row),
    page: query.page,
    limit: query.limit,
    total: found[0]?.total ?? 0,
  };
}
