import { type SQL, sql } from "drizzle-orm";

/** An order as the wire shows it (contract/tokoblitar.md §1.1), with its lines, store and parcel. */
const shipment = sql`(
  select jsonb_build_object('id', h.id, 'order_id', h.order_id, 'courier', h.courier, 'service', h.service,
    'status', h.status, 'tracking_code', h.tracking_code, 'estimated_delivery', h.estimated_delivery,
    'shipped_at', h.shipped_at, 'delivered_at', h.delivered_at, 'kiriminaja_order_id', h.kiriminaja_order_id)
  from market_shipments h where h.order_id = o.id)`;

const items = sql`(
  select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'product_id', i.product_id, 'name', i.name,
    'image_url', i.image_url, 'quantity', i.quantity, 'unit_price', i.unit_price, 'subtotal', i.subtotal)
    order by i.id), '[]')
  from market_order_items i where i.order_id = o.id)`;

/** The columns every reader of an order gets; `from market_orders o join market_stores s` must follow. */
export const orderColumns = sql`
  o.id, o.number, o.buyer_id::float8 as buyer_id, o.store_id, o.promo_code_id, o.status,
  o.subtotal_amount::float8 as subtotal_amount, o.discount_amount::float8 as discount_amount,
  o.shipping_amount::float8 as shipping_amount, o.total_amount::float8 as total_amount, o.payment_method,
  (select c.provider_ref from payments_charges c where c.intent_id = o.payment_id
    order by (c.state = 'paid') desc, c.channel limit 1) as payment_gateway_id,
  o.source, o.shipping_address, o.courier,
  (select h.tracking_code from market_shipments h where h.order_id = o.id) as shipping_tracking_code,
  to_json(o.expires_at)#>>'{}' as expires_at, to_json(o.paid_at)#>>'{}' as paid_at,
  to_json(o.delivered_at)#>>'{}' as delivered_at, o.closed_reason, to_json(o.created_at)#>>'{}' as created_at,
  to_json(o.updated_at)#>>'{}' as updated_at, ${items} as order_items,
  jsonb_build_object('name', s.name, 'slug', s.slug) as stores, ${shipment} as shipments`;

/** How the order is to be paid, for its buyer only. */
export const paymentColumn = sql`(
  select jsonb_build_object('state', p.state, 'expires_at', p.expires_at,
    'qr_code', max(c.qr_string), 'qr_image_url', max(c.qr_image_url), 'payment_url', max(c.payment_url))
  from payments_intents p left join payments_charges c on c.intent_id = p.id
  where p.id = o.payment_id group by p.id) as payment`;

export const newestFirst = sql`order by o.created_at desc, o.id desc`;

/** One page of a list: the rows and, in the same statement, how many there are. */
export function pageOf(query: { page: number; limit: number }): SQL {
  return sql`limit ${query.limit} offset ${(query.page - 1) * query.limit}`;
}
