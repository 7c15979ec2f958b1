-- What the people of an order say about its parcel: the seller that he sent it, the buyer that he has it.
-- `call_back` in an answer is read by the Worker of the release before: a pickup is called back by a job now.

-- market_ship_by_seller({seller_id, order_id, courier, tracking_code, status}) returns {shipment, wake}
-- The seller of the order's store, and nobody else, says that he handed the parcel over. Never back, never
-- "delivered", and not while a courier of ours carries it. A pickup that is not needed now is called back.
create or replace function market_ship_by_seller(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  parcel market_shipments;
  waybill constant text := input->>'tracking_code';
  is_ours boolean;
  done jsonb;
begin
  select o_.* into o from market_orders o_ join market_stores s on s.id = o_.store_id
    where o_.id = (input->>'order_id')::uuid and s.user_id = (input->>'seller_id')::bigint for update of o_;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  if o.source = 'marketplace' then
    perform app_error('conflict', 'Pesanan ini dikirim lewat marketplace asalnya');
  elsif o.status not in ('paid', 'processing', 'shipped') then
    perform app_error('conflict', 'Pesanan ini tidak dapat dikirim', jsonb_build_object('status', o.status));
  end if;
  select * into parcel from market_shipments where order_id = o.id for update;
  is_ours := parcel.kiriminaja_order_id is not null and parcel.tracking_code is not distinct from waybill;
  if is_ours or parcel.kiriminaja_order_id is null then
    if market_parcel_rank(parcel.status) > market_parcel_rank(input->>'status') then
      perform app_error('conflict', 'Status pengiriman tidak dapat mundur', jsonb_build_object('status', parcel.status));
    end if;
  elsif parcel.status in ('picked_up', 'in_transit') then
    perform app_error('conflict', 'Paket sedang dibawa kurir', jsonb_build_object('status', parcel.status));
  end if;
  if not is_ours then
    perform market_take_over(parcel, input->>'courier');
  end if;
  done := market_shipment_advance(jsonb_build_object('order_id', o.id, 'status', input->>'status',
    'tracking_code', waybill, 'description', 'Paket diserahkan ke kurir, resi ' || waybill));
  return jsonb_build_object('wake', (done->'wake') || jobs_wakes(
      case when not is_ours and market_pickup_waits(parcel) then market_call_pickup_back(o.id) end),
    'shipment', (select market_shipment_json(h) from market_shipments h where h.order_id = o.id), 'call_back', null);
end $$;

-- From here on the seller carries the parcel. Where no courier of ours ever moved it, the whole shipping fee is his;
-- one that was lost, or came back, was paid for.
create or replace function market_take_over(parcel market_shipments, carrier text) returns void language sql as $$
  update market_shipments set courier = carrier, service = '', updated_at = now(),
      status = case when parcel.kiriminaja_order_id is null then status else 'pending' end,
      shipped_at = case when parcel.kiriminaja_order_id is null then shipped_at end,
      shipping_cost = case when parcel.shipped_at is null then 0 else shipping_cost end,
      kiriminaja_order_id = null
    where id = parcel.id
$$;

-- market_order_received({buyer_id, order_id, heard?, idempotency_key}) returns {order_id, ask, wake}
-- The buyer says that a parcel which was sent has arrived, once. It is against his own interest, so it counts also where
-- the courier says otherwise. `ask`: nothing is recorded yet, for our courier may have fetched this parcel without a
-- word, and then has earned his fee; ask him first and call again with `heard` true. A pickup that is not needed now is called back.
create or replace function market_order_received(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  parcel market_shipments;
  -- Null: the Worker of the release before, which neither asks him nor has heard anything.
  heard constant boolean := (input->>'heard')::boolean;
begin
  select * into o from market_orders
    where id = (input->>'order_id')::uuid and buyer_id = (input->>'buyer_id')::bigint for update;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  select * into parcel from market_shipments where order_id = o.id for update;
  if market_may_be_received(o) and heard = false and parcel.kiriminaja_order_id is not null
    and parcel.requested_at is not null and parcel.shipped_at is null then
    return jsonb_build_object('order_id', o.id, 'ask', parcel.kiriminaja_order_id, 'wake', '[]'::jsonb);
  end if;
  perform http_claim(o.buyer_id, input->>'idempotency_key', 'market.received', o.id::text, o.id::text);
  -- Who was allowed to say so is, whatever the courier has answered since.
  if o.status <> 'delivered' and not market_may_be_received(o) and not (heard is true and o.status in ('paid', 'processing')) then
    perform app_error('conflict', 'Pesanan ini belum dikirim', jsonb_build_object('status', o.status));
  end if;
  return jsonb_build_object('order_id', o.id, 'ask', null, 'wake', market_goods_arrived(o, 'Pembeli menerima paket'));
end $$;

-- Whether a buyer may say that he has the goods: they were sent, or nobody has told anything of them for so long that he
-- was asked.
create or replace function market_may_be_received(o market_orders) returns boolean language sql stable as $$
  select o.status = 'shipped' or o.status in ('paid', 'processing') and exists (
    select from market_shipments h where h.order_id = o.id and h.given_up_at is not null)
$$;

-- The same "delivered" as the courier's, whatever he says or does not say. One who never fetched the parcel has earned
-- nothing, and is told not to come. Returns the wakes.
create or replace function market_goods_arrived(o market_orders, words text) returns jsonb language plpgsql as $$
declare
  parcel market_shipments;
  told jsonb;
begin
  select * into parcel from market_shipments where order_id = o.id for update;
  if o.status <> 'delivered' and parcel.kiriminaja_order_id is not null and parcel.shipped_at is null then
    perform market_take_over(parcel, parcel.courier);
  end if;
  told := market_shipment_advance(jsonb_build_object('order_id', o.id, 'status', 'delivered', 'final_word', true,
    'description', words))->'wake';
  return told || jobs_wakes(case when o.status <> 'delivered' and market_pickup_waits(parcel)
    then market_call_pickup_back(o.id) end);
end $$;

-- market_order_delivered({order_id, actor_id, reason, idempotency_key, input_hash, audit})
-- returns {order_id, status, wake}
-- An admin has found out that the buyer has the goods, whatever the courier says or does not say: the same "delivered",
-- once, and never of an order that is his own as buyer or seller.
create or replace function market_order_delivered(input jsonb) returns jsonb language plpgsql as $$
declare
  order_key constant uuid := (input->>'order_id')::uuid;
  actor constant bigint := (input->>'actor_id')::bigint;
  earlier constant text := http_claim(actor, input->>'idempotency_key', 'market.delivered', input->>'input_hash',
    order_key::text);
  o market_orders;
  parcel market_shipments;
  told jsonb;
begin
  select * into o from market_orders where id = order_key for update;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  perform market_refuse_own(o, actor);
  if earlier is not null or o.status = 'delivered' then
    return jsonb_build_object('order_id', o.id, 'status', o.status, 'call_back', null, 'wake', '[]'::jsonb);
  elsif o.source <> 'web' or o.status not in ('paid', 'processing', 'shipped') then
    perform app_error('conflict', 'Pesanan ini tidak menunggu barangnya sampai', jsonb_build_object('status', o.status));
  end if;
  select * into parcel from market_shipments where order_id = o.id for update;
  told := market_goods_arrived(o, 'Paket dinyatakan diterima');
  perform audit_write(input->'audit' || jsonb_build_object('subject_kind', 'market_order', 'subject_id', o.id,
    'action', 'market.order.deliver', 'reason', input->>'reason', 'before', jsonb_build_object('status', o.status,
      'parcel', parcel.status), 'after', jsonb_build_object('status', 'delivered')));
  return jsonb_build_object('order_id', o.id, 'status', 'delivered', 'call_back', null, 'wake', told);
end $$;

-- An admin decides nothing about an order that he bought or sold himself.
create or replace function market_refuse_own(o market_orders, actor bigint) returns void language plpgsql as $$
begin
  if o.buyer_id = actor or exists (select from market_stores s where s.id = o.store_id and s.user_id = actor) then
    perform app_error('forbidden', 'Pesanan sendiri diputuskan oleh admin lain');
  end if;
end $$;

-- market_parcel_of_seller({seller_id, order_id}) returns {number, status, tracking_code}
-- The parcel that our courier has, or will have, of an order of this seller's store. Refuses what is not ours.
create or replace function market_parcel_of_seller(input jsonb) returns jsonb language plpgsql stable as $$
declare
  o market_orders;
  parcel market_shipments;
begin
  select o_.* into o from market_orders o_ join market_stores s on s.id = o_.store_id
    where o_.id = (input->>'order_id')::uuid and s.user_id = (input->>'seller_id')::bigint;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  select * into parcel from market_shipments where order_id = o.id;
  if not found then
    perform app_error('conflict', 'Pesanan ini belum punya paket', jsonb_build_object('status', o.status));
  elsif parcel.kiriminaja_order_id is null then
    perform app_error('conflict', 'Paket ini Anda kirim sendiri');
  elsif parcel.tracking_code is null then
    perform app_error('conflict', 'Nomor resi belum terbit. Coba lagi beberapa saat lagi.');
  end if;
  return jsonb_build_object('number', o.number, 'status', parcel.status, 'tracking_code', parcel.tracking_code);
end $$;

-- market_pickup_called_back({order_id, final?}) returns {wake}
-- The courier has taken note that he need not come: both sides hear of it, once. Mostly the parcel is cancelled only
-- once he says so (up to 48 hours); where it is so at once (`final`), that is the one word for both.
create or replace function market_pickup_called_back(input jsonb) returns jsonb language plpgsql as $$
declare
  order_key constant uuid := (input->>'order_id')::uuid;
  words constant text := 'Pembatalan penjemputan diminta';
  is_told constant boolean := not coalesce((input->>'final')::boolean, false);
  parcel uuid;
begin
  select h.id into parcel from market_shipments h where h.order_id = order_key for update;
  if parcel is null or exists (select from market_shipment_events e
      where e.shipment_id = parcel and e.description = words) then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  insert into market_shipment_events (shipment_id, status, description, occurred_at)
    values (parcel, 'pending', words, now()) on conflict do nothing;
  return jsonb_build_object('wake', jobs_wakes(market_order_news(order_key),
    case when is_told then market_mail('pickup_called_back', order_key, 'seller') end,
    case when is_told then market_mail('pickup_called_back_buyer', order_key, 'buyer') end));
end $$;
