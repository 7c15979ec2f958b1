-- market_marketplace_unheard({days, most}) returns {orders}
-- Unpaid orders of a shop that tells us nothing any more (its seller has left, must connect it again, or has put another
-- in its place) hold our stock no longer than days: no platform waits so long for a payment. Once it tells all the same
-- that one was paid, it is taken as far as it is there (market_marketplace_line).
create or replace function market_marketplace_unheard(input jsonb) returns jsonb language plpgsql as $$
declare
  unheard uuid[];
begin
  select array_agg(d.id) into unheard from (
    select x.id from market_channel_orders x join market_connections c on c.id = x.connection_id
    where x.status = 'unpaid' and x.updated_at < now() - make_interval(days => (input->>'days')::int)
      and (c.status <> 'connected' or x.created_at < c.orders_from)
      and exists (select from market_channel_lines l where l.channel_order_id = x.id and l.held > 0)
    order by x.id limit (input->>'most')::int for no key update of x skip locked) d;
  perform market_store_hold(s.id) from (select distinct c.store_id as id from market_connections c
    join market_channel_orders x on x.connection_id = c.id where x.id = any (unheard) order by 1) s;
  perform from market_products p where p.id in (
      select l.product_id from market_channel_lines l where l.channel_order_id = any (unheard) and l.held > 0)
    order by p.id for no key update;
  update market_products p set reserved = p.reserved - h.held
    from (select l.product_id, sum(l.held)::int as held from market_channel_lines l
      where l.channel_order_id = any (unheard) group by l.product_id) h
    where p.id = h.product_id and h.held > 0;
  update market_channel_lines l set held = 0, problem = 'Tidak ada kabar lagi: stoknya dilepas'
    where l.channel_order_id = any (unheard) and l.held > 0;
  update market_orders o set status = 'cancelled', closed_at = now(), updated_at = now(),
      closed_reason = 'Belum dibayar, dan tidak ada kabar lagi dari ' || initcap(c.platform)
    from market_channel_orders x join market_connections c on c.id = x.connection_id
    where x.id = any (unheard) and o.id = x.order_id and o.status = 'pending';
  return jsonb_build_object('orders', coalesce(cardinality(unheard), 0));
end $$;
