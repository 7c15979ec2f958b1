-- How far a parcel is; it only ever moves to a higher number. 9: over without delivery.
create or replace function market_parcel_rank(status text) returns int language sql immutable as $$
  select case status when 'pending' then 0 when 'picked_up' then 1 when 'in_transit' then 2 when 'delivered' then 8
    else 9 end
$$;

-- market_shipment_requested({order_id, pickup_number, tracking_code}) : the courier has accepted the parcel's request.
create or replace function market_shipment_requested(input jsonb) returns jsonb language plpgsql as $$
declare
  parcel market_shipments;
begin
  update market_shipments set requested_at = coalesce(requested_at, now()),
      pickup_number = coalesce(pickup_number, input->>'pickup_number'),
      tracking_code = coalesce(input->>'tracking_code', tracking_code), updated_at = now()
    where order_id = (input->>'order_id')::uuid returning * into parcel;
  update market_orders set status = 'processing', updated_at = now() where id = parcel.order_id and status = 'paid';
  insert into market_shipment_events (shipment_id, status, description, occurred_at)
    values (parcel.id, 'pending', 'Penjemputan paket diminta', parcel.requested_at)
    on conflict do nothing;
  return jsonb_build_object('wake', '[]'::jsonb);
end $$;

-- market_shipment_advance({number | order_id, status, occurred_at, description, tracking_code}) returns {known, moved, wake}
-- A confirmed piece of news about a parcel. Forward only and repeatable: late or repeated news adds at most a line to
-- the time line. The first "delivered" pays the seller out of escrow, exactly once.
create or replace function market_shipment_advance(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  parcel market_shipments;
  next_status text := input->>'status';
  happened timestamptz := coalesce((input->>'occurred_at')::timestamptz, now());
  moved boolean;
begin
  select * into o from market_orders
    where number = input->>'number' or id = (input->>'order_id')::uuid for update;
  select * into parcel from market_shipments where order_id = o.id for update;
  if not found then
    return jsonb_build_object('known', false, 'moved', false, 'wake', '[]'::jsonb);
  end if;
  moved := market_parcel_rank(parcel.status) < 8 and market_parcel_rank(next_status) > market_parcel_rank(parcel.status);
  if moved or input->>'occurred_at' is not null then
    insert into market_shipment_events (shipment_id, status, description, occurred_at)
      values (parcel.id, next_status, input->>'description', happened) on conflict do nothing;
  end if;
  update market_shipments set
      status = case when moved then next_status else status end,
      tracking_code = coalesce(input->>'tracking_code', tracking_code),
      shipped_at = case when next_status in ('picked_up', 'in_transit', 'delivered')
        then coalesce(shipped_at, happened) else shipped_at end,
      delivered_at = case when moved and next_status = 'delivered' then happened else delivered_at end,
      updated_at = now()
    where id = parcel.id;
  if not moved then
    return jsonb_build_object('known', true, 'moved', false, 'wake', '[]'::jsonb);
  end if;
  return jsonb_build_object('known', true, 'moved', true, 'wake', market_order_follows(o, next_status, happened));
end $$;

-- What a parcel's move means for its order: shipped, delivered and paid out, or a word to the seller.
create or replace function market_order_follows(o market_orders, parcel_status text, happened timestamptz)
returns jsonb language plpgsql as $$
begin
  if parcel_status in ('picked_up', 'in_transit') then
    update market_orders set status = 'shipped', updated_at = now()
      where id = o.id and status in ('paid', 'processing');
    return jobs_wakes(market_mail('order_shipped', o.id, 'buyer'));
  elsif parcel_status = 'delivered' then
    update market_orders set status = 'delivered', delivered_at = happened, updated_at = now()
      where id = o.id and status in ('paid', 'processing', 'shipped');
    if found then
      perform market_pay_out(o);
    end if;
    return jobs_wakes(market_mail('order_delivered', o.id, 'buyer'));
  end if;
  return jobs_wakes(market_mail('parcel_trouble', o.id, 'seller'));
end $$;

-- Shares a delivered order's escrow: the seller's part, the commission and the courier's fee. Unique references make
-- a second call change nothing.
create or replace function market_pay_out(o market_orders) returns void language plpgsql as $$
declare
  seller text := (select user_id from market_stores where id = o.store_id)::text;
  shop text := o.store_id::text;
begin
  perform ledger_post((select jsonb_agg(jsonb_build_object('reference', reference || o.id, 'amount', amount,
      'debit_kind', 'escrow', 'debit_owner', shop, 'credit_kind', credit_kind, 'credit_owner', credit_owner,
      'reason', words || o.number))
    from (values
      ('order-sale/', market_seller_amount(o), 'wallet', seller, 'Penjualan '),
      ('order-commission/', o.commission_amount, 'commission', 'market', 'Komisi '),
      ('order-courier/', o.shipping_amount, 'courier', 'kiriminaja', 'Ongkir ')
    ) part(reference, amount, credit_kind, credit_owner, words)
    where amount > 0));
end $$;

-- market_ship_by_seller({seller_id, order_id, courier, tracking_code, status}) returns {shipment, wake}
-- The seller of the order's store, and nobody else, says that he handed the parcel over. Never back, never "delivered".
create or replace function market_ship_by_seller(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  done jsonb;
begin
  select o_.* into o from market_orders o_ join market_stores s on s.id = o_.store_id
    where o_.id = (input->>'order_id')::uuid and s.user_id = (input->>'seller_id')::bigint for update of o_;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  if o.status not in ('paid', 'processing', 'shipped') then
    perform app_error('conflict', 'Pesanan ini tidak dapat dikirim', jsonb_build_object('status', o.status));
  end if;
  if exists (select 1 from market_shipments h where h.order_id = o.id
      and market_parcel_rank(h.status) > market_parcel_rank(input->>'status')) then
    perform app_error('conflict', 'Status pengiriman tidak dapat mundur');
  end if;
  update market_shipments set courier = input->>'courier', updated_at = now() where order_id = o.id;
  done := market_shipment_advance(jsonb_build_object('order_id', o.id, 'status', input->>'status',
    'tracking_code', input->>'tracking_code',
    'description', 'Paket diserahkan ke kurir, resi ' || (input->>'tracking_code')));
  return jsonb_build_object('wake', done->'wake',
    'shipment', (select to_jsonb(h) from market_shipments h where h.order_id = o.id));
end $$;

-- market_order_received({buyer_id, order_id}) returns {order_id, wake}
-- The buyer says that a parcel which was sent has arrived: the same "delivered" as the courier's, once.
create or replace function market_order_received(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  done jsonb;
begin
  select * into o from market_orders
    where id = (input->>'order_id')::uuid and buyer_id = (input->>'buyer_id')::bigint for update;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  if o.status not in ('shipped', 'delivered') then
    perform app_error('conflict', 'Pesanan ini belum dikirim', jsonb_build_object('status', o.status));
  end if;
  done := market_shipment_advance(jsonb_build_object('order_id', o.id, 'status', 'delivered',
    'description', 'Pembeli menerima paket'));
  return jsonb_build_object('order_id', o.id, 'wake', done->'wake');
end $$;
