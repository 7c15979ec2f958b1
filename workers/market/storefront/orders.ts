import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import {
  newestFirst,
  orderColumns,
  paymentColumn,
  readPage,
  timelineColumn,
} from "../orders/rows.ts";
import { isUuid } from "../schemas/fields.ts";
import { BuyerOrder, timeline } from "../schemas/orders.ts";

const missing = () => notFound("Pesanan tidak ditemukan");

/** Ways to pay that the provider has given so far. */
const ways = sql`(select count(*)::int from payments_charges c where c.intent_id = o.payment_id
  and coalesce(c.qr_string, c.qr_image_url, c.payment_url) is not null)`;

/** What is known of the parcel so far; empty before there is one. */
const parcel = sql`coalesce((select '/' || coalesce(h.tracking_code, '') || '/' || (
    select count(*) from market_shipment_events v where v.shipment_id = h.id)
  from market_shipments h where h.order_id = o.id), '')`;

/** A word that changes whenever the order's page does. */
const key = sql`o.status || '/' || (select p.state from payments_intents p where p.id = o.payment_id) || '/' || ${ways}
  || ${parcel}`;

const ShopOrder = BuyerOrder.extend({
  key: z.string(),
  /** Its buyer may say that he has it. */
  may_be_received: z.boolean(),
  shipping_address: z.object({
    name: z.string(),
    phone: z.string(),
    street: z.string(),
    city: z.string().optional(),
    province: z.string().optional(),
    postal_code: z.string().optional(),
  }),
  courier: z.object({ courier_name: z.string(), courier_service_name: z.string() }),
  timeline,
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
      sql`select ${orderColumns(ctx)}, ${paymentColumn}, ${key} as key, ${timelineColumn},
          market_may_be_received(o) as may_be_received
        from market_orders o join market_stores s on s.id = o.store_id
        where o.id = ${requireId(orderId)} and o.buyer_id = ${actorOf(ctx).userId}`,
      ShopOrder,
    ),
  );
  if (!order) throw missing();
  return order;
}

/** The order's key alone: asked every few seconds while a payment is awaited, and now and then until it is over. */
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
  const {
    rows: orders,
    page,
    limit,
    total,
  } = await readPage(ctx, query, {
    columns: sql`${orderColumns(ctx)}, ${paymentColumn}`,
    matches: sql`from market_orders o join market_stores s on s.id = o.store_id
      where o.buyer_id = ${actorOf(ctx).userId} and o.store_id = ${storeId}`,
    order: newestFirst,
    row: BuyerOrder,
  });
  return { orders, page, pages: Math.max(1, Math.ceil(total / limit)) };
}
