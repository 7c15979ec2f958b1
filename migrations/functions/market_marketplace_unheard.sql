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

-- market_marketplace_silent({hours, alert_to}) returns {wake}
-- Connected shops that could not be asked for their orders for so long: what they sell does not lessen the stock here.
-- Each seller is told once as long as it lasts, the operator once a day of all shops of a platform.
create or replace function market_marketplace_silent(input jsonb) returns jsonb language plpgsql as $$
declare
  patience constant interval := make_interval(hours => (input->>'hours')::int);
  p record;
  mails jsonb[] := '{}';
begin
  for p in
    select c.platform, array_agg(c.id order by c.id) as shops, min(c.orders_since) as since
    from market_connections c join market_stores s on s.id = c.store_id and s.deleted_at is null
    -- One that was connected again has news of all its time away to take in first.
    where c.status = 'connected' and c.orders_since < now() - patience and c.connected_at < now() - interval '1 hour'
    group by c.platform
  loop
    mails := mails || array(select market_marketplace_mail('marketplace_silent', c.id, c.orders_since::text,
        jsonb_build_object('since', c.orders_since))
      from market_connections c where c.id = any (p.shops) order by c.id);
    mails := mails || mail_enqueue('alert', input->>'alert_to',
      concat_ws('/', 'alert/marketplace-silent', p.platform, (now() at time zone 'Asia/Jakarta')::date),
      jsonb_build_object('what', 'Pesanan di ' || initcap(p.platform) || ' tidak terbaca', 'facts',
        jsonb_build_object('toko', cardinality(p.shops)::text, 'sejak', p.since, 'koneksi', p.shops[1])));
  end loop;
  return jsonb_build_object('wake', jobs_wakes(variadic mails));
end $$;
