import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { pictureColumn } from "../catalogue-rows.ts";

/** The parcel of order `o`, or null. */
export const shipmentColumn = sql`(select market_shipment_json(h) from market_shipments h where h.order_id = o.id)`;

const items = (ctx: Ctx) => sql`(
  select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'product_id', i.product_id, 'name', i.name,
    'image_url', ${pictureColumn(ctx, "i.image_url")}, 'quantity', i.quantity, 'unit_price', i.unit_price, 'subtotal', i.subtotal)
    order by i.id), '[]')
  from market_order_items i where i.order_id = o.id)`;

/**
 * An order as the wire shows it (contract/tokoblitar.md §1.1), with its lines, store and parcel;
 * `from market_orders o join market_stores s` must follow.
 */
export const orderColumns = (ctx: Ctx) => sql`
  o.id, o.number, o.buyer_id::float8 as buyer_id, o.store_id, o.promo_code_id, o.status,
  o.subtotal_amount::float8 as subtotal_amount, o.discount_amount::float8 as discount_amount,
  o.shipping_amount::float8 as shipping_amount, o.total_amount::float8 as total_amount, o.payment_method,
  (select c.provider_ref from payments_charges c where c.intent_id = o.payment_id
    order by (c.state = 'paid') desc, c.channel limit 1) as payment_gateway_id,
  o.source, o.shipping_address, o.courier,
  (select h.tracking_code from market_shipments h where h.order_id = o.id) as shipping_tracking_code,
  market_iso(o.expires_at) as expires_at, market_iso(o.paid_at) as paid_at,
  market_iso(o.delivered_at) as delivered_at, o.closed_reason, market_iso(o.created_at) as created_at,
  market_iso(o.updated_at) as updated_at, ${items(ctx)} as order_items,
  jsonb_build_object('name', s.name, 'slug', s.slug) as stores, ${shipmentColumn} as shipments`;

/** How the order is to be paid, for its buyer only; once it cannot be paid any more, nothing to pay is shown. */
export const paymentColumn = sql`(
  select jsonb_build_object('state', p.state, 'expires_at', market_iso(p.expires_at),
    'qr_code', max(c.qr_string), 'qr_image_url', max(c.qr_image_url), 'payment_url', max(c.payment_url))
  from payments_intents p
  left join payments_charges c on c.intent_id = p.id and o.status = 'pending' and p.state = 'pending'
    and p.expires_at > now() and c.state in ('creating', 'unknown', 'pending')
  where p.id = o.payment_id group by p.id) as payment`;

export const newestFirst = sql`order by o.created_at desc, o.id desc`;

/** One page of a list. */
function pageOf(query: { page: number; limit: number }): SQL {
  return sql`limit ${query.limit} offset ${(query.page - 1) * query.limit}`;
}

/** All that happened to an order and its parcel, newest first; couriers tell whole seconds, within which steps count. */
export const timelineColumn = sql`(
  select coalesce(jsonb_agg(jsonb_build_object('status', e.status, 'description', e.description,
    'occurred_at', market_iso(e.occurred_at)) order by date_trunc('second', e.occurred_at) desc, e.step desc), '[]')
  from (
    select 'ordered' as status, 'Pesanan dibuat' as description, o.created_at as occurred_at, 0 as step
    union all select 'paid', 'Pembayaran diterima', o.paid_at, 1 where o.paid_at is not null
    union all select 'cancelled', coalesce(o.closed_reason, 'Pesanan dibatalkan'), o.closed_at, 1
      where o.closed_at is not null
    union all select v.status, v.description, v.occurred_at, 2 + market_parcel_rank(v.status)
      from market_shipment_events v join market_shipments h on h.id = v.shipment_id
      where h.order_id = o.id) e) as timeline`;

/** Two statements of one round trip: how many rows there are in all (also past the last page), and those of a page. */
export async function readPage<S extends z.ZodObject>(
  ctx: Ctx,
  query: { page: number; limit: number },
  list: { columns: SQL; matches: SQL; order: SQL; row: S },
) {
  const [[count], found] = await ctx.db.batch([
    rows(sql`select count(*)::float8 as total ${list.matches}`, z.object({ total: z.number() })),
    rows(sql`select ${list.columns} ${list.matches} ${list.order} ${pageOf(query)}`, list.row),
  ]);
  return { rows: found, page: query.page, limit: query.limit, total: count?.total ?? 0 };
}
