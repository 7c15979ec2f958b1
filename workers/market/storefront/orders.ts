import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { newestFirst, orderColumns, pageOf, paymentColumn } from "../orders/rows.ts";
import { isUuid } from "../schemas/fields.ts";
import { BuyerOrder } from "../schemas/orders.ts";

const missing = () => notFound("Pesanan tidak ditemukan");

/** Ways to pay that the provider has given so far. */
const ways = sql`(select count(*)::int from payments_charges c where c.intent_id = o.payment_id
  and coalesce(c.qr_string, c.qr_image_url, c.payment_url) is not null)`;

/** A word that changes whenever the order's page does. */
const key = sql`o.status || '/' || (select p.state from payments_intents p where p.id = o.payment_id) || '/' || ${ways}`;

const ShopOrder = BuyerOrder.extend({
  key: z.string(),
  shipping_address: z.object({
    name: z.string(),
    phone: z.string(),
    street: z.string(),
    city: z.string().optional(),
    province: z.string().optional(),
    postal_code: z.string().optional(),
  }),
  courier: z.object({ courier_name: z.string(), courier_service_name: z.string() }),
  events: z.array(z.object({ description: z.string(), occurred_at: z.string() })),
});
export type ShopOrder = z.output<typeof ShopOrder>;

const requireId = (orderId: string): string => {
  if (!isUuid(orderId)) throw missing();
  return orderId;
};

/** An order of the actor with its payment and all that happened to it, newest first, in one round trip. */
export async function orderForPage(ctx: Ctx, orderId: string): Promise<ShopOrder> {
  const [order] = await ctx.db.run(
    rows(
      sql`select ${orderColumns(ctx)}, ${paymentColumn}, ${key} as key,
          (select coalesce(jsonb_agg(e order by e.occurred_at desc), '[]') from (
            select 'Pesanan dibuat' as description, o.created_at as occurred_at
            union all select 'Pembayaran diterima', o.paid_at where o.paid_at is not null
            union all select coalesce(o.closed_reason, 'Pesanan dibatalkan'), o.closed_at
              where o.closed_at is not null
            union all select v.description, v.occurred_at
              from market_shipment_events v join market_shipments h on h.id = v.shipment_id
              where h.order_id = o.id) e) as events
        from market_orders o join market_stores s on s.id = o.store_id
        where o.id = ${requireId(orderId)} and o.buyer_id = ${actorOf(ctx).userId}`,
      ShopOrder,
    ),
  );
  if (!order) throw missing();
  return order;
}

/** The order's key alone: asked every few seconds while a payment is awaited. */
export async function orderKey(ctx: Ctx, orderId: string): Promise<string> {
  const [found] = await ctx.db.run(
    rows(
      sql`select ${key} as key from market_orders o
        where o.id = ${requireId(orderId)} and o.buyer_id = ${actorOf(ctx).userId}`,
      z.object({ key: z.string() }),
    ),
  );
  if (!found) throw missing();
  return found.key;
}

/** A page of the actor's orders at one store, newest first. */
export async function ordersAtStore(
  ctx: Ctx,
  storeId: string,
  query: { page: number; limit: number },
) {
  const found = await ctx.db.run(
    rows(
      sql`select count(*) over ()::float8 as total, ${orderColumns(ctx)}, ${paymentColumn}
        from market_orders o join market_stores s on s.id = o.store_id
        where o.buyer_id = ${actorOf(ctx).userId} and o.store_id = ${storeId}
        ${newestFirst} ${pageOf(query)}`,
      BuyerOrder.extend({ total: z.number() }),
    ),
  );
  const total = found[0]?.total ?? 0;
  return { orders: found, page: query.page, pages: Math.max(1, Math.ceil(total / query.limit)) };
}
