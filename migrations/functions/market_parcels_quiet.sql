-- Parcels that nobody tells us about: asked about ever more seldom, and handed to people in the end.

-- When a parcel was last heard of, by our own clock.
create or replace function market_parcel_heard(h market_shipments) returns timestamptz language sql stable as $$
  select coalesce(greatest(h.requested_at,
    (select max(e.created_at) from market_shipment_events e where e.shipment_id = h.id)), h.created_at)
$$;

-- Whether our courier has it, and may still say something of it.
create or replace function market_parcel_is_open(h market_shipments) returns boolean language sql immutable as $$
  select h.requested_at is not null and h.kiriminaja_order_id is not null and h.given_up_at is null
    and h.status in ('pending', 'picked_up', 'in_transit', 'failed')
$$;

-- market_parcels_quiet({most}) returns [number]
-- Parcels to ask about now, each taken by one caller: every six hours at first (every half an hour while there should be a
-- waybill and is none), every two days in the end. One whose question fails is due again after a twelfth of its pause.
-- So are, every hour for a week, those that their courier called cancelled while their order's money is held: he may carry
-- them all the same, and what is not heard of then pays nobody.
create or replace function market_parcels_quiet(input jsonb) returns jsonb language sql as $$
  with due as (
    select h.id, p.pause from market_shipments h cross join lateral (select least(interval '2 days',
      greatest(case when h.tracking_code is null then interval '30 minutes' else interval '6 hours' end,
        (now() - market_parcel_heard(h)) / 8)) as pause) p
    where market_parcel_is_open(h) and h.updated_at < now() - interval '30 minutes' and h.updated_at < now() - p.pause
    order by h.updated_at limit (input->>'most')::int for no key update of h skip locked
  ), cancelled as (
    select h.id, interval '1 hour' as pause from market_shipments h join market_orders o on o.id = h.order_id
    where h.status = 'cancelled' and h.kiriminaja_order_id is not null
      and h.updated_at between now() - interval '8 days' and now() - interval '1 hour'
      and market_parcel_heard(h) > now() - interval '7 days' and o.status in ('paid', 'processing', 'shipped')
    order by h.updated_at limit (input->>'most')::int for no key update of h skip locked
  ), taken as (
    update market_shipments h set updated_at = now() - d.pause * 11 / 12
    from (select * from due union all select * from cancelled) d where h.id = d.id
    returning h.kiriminaja_order_id as number
  )
  select coalesce(jsonb_agg(taken.number), '[]') from taken
$$;

-- market_parcels_give_up({days, alert_to}) returns {wake}
-- Parcels that nobody has heard of for so long are not asked about any more: the operator is told, who decides about
-- the money, and both sides where it has not gone back yet. So are those that no courier of ours has (the seller sent
-- them, or never did) while their order's money is held. News that still comes takes effect as ever.
create or replace function market_parcels_give_up(input jsonb) returns jsonb language plpgsql as $$
declare
  parcel market_shipments;
  o market_orders;
  occasion text;
  wakes jsonb[] := '{}';
begin
  for parcel in
    select h.* from market_shipments h join market_orders w on w.id = h.order_id
    where h.given_up_at is null and (market_parcel_is_open(h) or w.status in ('paid', 'processing', 'shipped'))
      and coalesce(h.requested_at, h.created_at) < now() - make_interval(days => (input->>'days')::int)
      and market_parcel_heard(h) < now() - make_interval(days => (input->>'days')::int)
    order by h.created_at limit 200 for no key update of h skip locked
  loop
    update market_shipments set given_up_at = now() where id = parcel.id;
    select * into o from market_orders where id = parcel.order_id;
    occasion := market_iso(market_parcel_heard(parcel));
    wakes := wakes || mail_enqueue('alert', input->>'alert_to', concat_ws('/', 'alert/parcel-quiet', o.id, occasion),
      jsonb_build_object('what', format('Tidak ada kabar paket selama %s hari; putuskan dananya', input->>'days'),
        'facts', jsonb_build_object('pesanan', o.number, 'id pesanan', o.id, 'status pesanan', o.status, 'status paket', parcel.status,
          'kurir', parcel.courier, 'resi', coalesce(parcel.tracking_code, '-'), 'kabar terakhir', occasion)));
    if o.status in ('paid', 'processing', 'shipped') then
      wakes := wakes || market_order_news(o.id) || market_mail_about('parcel_quiet', o.id, 'seller', occasion, '{}')
        || market_mail_about('parcel_quiet_buyer', o.id, 'buyer', occasion, '{}');
    end if;
  end loop;
  return jsonb_build_object('wake', jobs_wakes(variadic wakes));
end $$;
