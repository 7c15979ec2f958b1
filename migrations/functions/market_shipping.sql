-- Parcels. A shipment's kiriminaja_order_id is the parcel that the courier has for it, null once the seller has taken
-- it over; shipping_cost is what of the buyer's shipping fee is the courier's.
-- Lock order: market_locks.sql.

-- How far a parcel is; news moves it to a higher number, or from 'failed' on its way once more where the courier says
-- that he tries again. 'failed' (not at home, held, lost) is no end: such a parcel may still arrive or come back. Nor is
-- 'cancelled' where the courier fetched it all the same: what he himself says after it counts.
create or replace function market_parcel_rank(status text) returns int language sql immutable as $$
  select case status when 'pending' then 0 when 'picked_up' then 1 when 'in_transit' then 2 when 'failed' then 3
    else 9 end
$$;

-- A shipment as the wire shows it.
create or replace function market_shipment_json(h market_shipments) returns jsonb language sql stable as $$
  select jsonb_build_object('id', h.id, 'order_id', h.order_id, 'courier', h.courier, 'service', h.service,
    'status', h.status, 'tracking_code', h.tracking_code, 'estimated_delivery', market_iso(h.estimated_delivery),
    'shipped_at', market_iso(h.shipped_at), 'delivered_at', market_iso(h.delivered_at),
    'kiriminaja_order_id', h.kiriminaja_order_id)
$$;

-- market_shipment_requested({order_id, pickup_number, unpaid, alert_to, moving?}) returns {wake}
-- The courier has accepted the parcel's request: both sides hear of it once, unless it is `moving` already, which says
-- more; a parcel that nobody needs any more by now is called back. A bill that must be paid first is told to the
-- operator, once.
create or replace function market_shipment_requested(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  parcel market_shipments;
  is_told boolean;
begin
  select * into o from market_orders where id = (input->>'order_id')::uuid for update;
  update market_shipments set requested_at = coalesce(requested_at, now()),
      pickup_number = coalesce(pickup_number, input->>'pickup_number'), updated_at = now()
    where order_id = o.id and kiriminaja_order_id is not null returning * into parcel;
  if not found then
    return jsonb_build_object('wake', jobs_wakes(market_call_pickup_back(o.id)));
  end if;
  update market_orders set status = 'processing', updated_at = now() where id = o.id and status = 'paid';
  insert into market_shipment_events (shipment_id, status, description, occurred_at)
    values (parcel.id, 'pending', 'Penjemputan paket diminta', parcel.requested_at)
    on conflict do nothing;
  is_told := parcel.status = 'pending' and not coalesce((input->>'moving')::boolean, false);
  return jsonb_build_object('wake', jobs_wakes(market_order_news(o.id),
    case when is_told then market_mail('pickup_requested', o.id, 'seller') end,
    case when is_told then market_mail('pickup_requested_buyer', o.id, 'buyer') end,
    case when o.status in ('refunded', 'delivered') and not input ? 'moving' then market_call_pickup_back(o.id) end,
    case when (input->>'unpaid')::boolean then
      mail_enqueue('alert', input->>'alert_to', 'alert/pickup-unpaid/' || o.id, jsonb_build_object(
        'what', 'Tagihan penjemputan KiriminAja belum dibayar',
        'facts', jsonb_build_object('pesanan', o.number, 'penjemputan', input->>'pickup_number'))) end));
end $$;

-- market_pickup_refused({order_id, reason, cause, alert_to}) returns {wake}
-- The courier does not take the parcel as it is. The seller hears what to mend, the operator what was said; each thing
-- once.
create or replace function market_pickup_refused(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
begin
  select * into o from market_orders where id = (input->>'order_id')::uuid and status in ('paid', 'processing');
  if not found then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  return jsonb_build_object('wake', jobs_wakes(
    market_mail_about('pickup_refused', o.id, 'seller',
      market_another_refusal('mail/pickup_refused/' || o.id, '{data,reason}', input->>'reason'),
      jsonb_build_object('reason', input->>'reason')),
    mail_enqueue('alert', input->>'alert_to', concat_ws('/', 'alert/pickup-refused', o.id,
      market_another_refusal('mail/alert/pickup-refused/' || o.id, '{data,facts,sebab}', input->>'cause')),
      jsonb_build_object('what', 'Penjemputan ditolak kurir',
        'facts', jsonb_build_object('pesanan', o.number, 'sebab', input->>'cause')))));
end $$;

-- What tells this refusal's mail from the first one of the order, where that gave other words for it; else null.
create or replace function market_another_refusal(first_mail text, place text[], words text) returns text
language sql stable as $$
  select md5(words) from jobs j where j.dedupe_key = first_mail and j.payload #>> place is distinct from words
$$;

-- market_shipment_advance({number | order_id, status, step?, occurred_at, asked_at?, shipped_at?, description,
--   tracking_code, final_word, alert_to})
-- returns {known, moved, superseded, overtaken?, wake}
-- A confirmed piece of news about a parcel; by `number` it is the courier's. Forward only and repeatable: late or
-- repeated news adds at most a line to the time line. `step`: which kind of trouble a 'failed' is (refused, on its way
-- back), or that a parcel is in transit once more (redelivery); another one than before is told like a state of its
-- own, and so is that our courier carries it on after trouble, and trouble after that. A new waybill is told by itself.
-- The first "delivered" pays the seller out of escrow, exactly once; a courier who takes an end back tells the operator,
-- and moves no money. `superseded`: the seller has sent the goods
-- otherwise, so the courier's parcel means nothing any more, unless it is the very one that he named by its waybill; or
-- the courier still means to fetch what was called off here, or what was paid out as a parcel that he never had; he is
-- told not to.
-- `overtaken`: other news was recorded after the courier was asked for this (`asked_at`), so that this may be the older
-- of the two; nothing of it is recorded, and he is asked once more.
create or replace function market_shipment_advance(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  parcel market_shipments;
  next_status text := input->>'status';
  happened timestamptz := coalesce((input->>'occurred_at')::timestamptz, now());
  words text := input->>'description';
  step text := input->>'step';
  is_again boolean := false;
  moved boolean;
  is_news boolean;
  has_waybill boolean;
  told jsonb := '[]';
begin
  select * into o from market_orders
    where number = input->>'number' or id = (input->>'order_id')::uuid for update;
  select * into parcel from market_shipments where order_id = o.id for update;
  if not found then
    return market_advanced(false, false, false, '[]');
  end if;
  if input->>'number' is not null and parcel.kiriminaja_order_id is null then
    if o.status = 'delivered' or input->>'tracking_code' is distinct from parcel.tracking_code then
      return market_advanced(true, false, true, market_fee_was_earned(o, parcel, input)
        || jobs_wakes(case when next_status = 'pending' then market_call_pickup_back(o.id) end));
    end if;
    update market_shipments set kiriminaja_order_id = o.number, shipping_cost = o.shipping_amount where id = parcel.id;
  end if;
  if input->>'number' is not null and parcel.requested_at is null then
    -- The courier's news overtook the answer to our request.
    told := market_shipment_requested(jsonb_build_object('order_id', o.id, 'moving', next_status <> 'pending'))->'wake';
  end if;
  has_waybill := coalesce(input->>'tracking_code', parcel.tracking_code) is distinct from parcel.tracking_code;
  is_again := coalesce(step = 'redelivery', false) and (parcel.status = 'failed'
    or parcel.status = 'in_transit' and market_last_line(parcel.id) is distinct from words);
  if input->>'number' is not null and parcel.status = 'failed' and next_status in ('picked_up', 'in_transit')
    and not is_again then
    -- The courier names no moment of it: the one that he gives is when he first had the parcel.
    select true, 'resumed', 'Paket dalam perjalanan lagi', now() into is_again, step, words, happened;
  end if;
  moved := case when (input->>'final_word')::boolean then parcel.status <> next_status
    else market_parcel_rank(next_status) > market_parcel_rank(parcel.status) or is_again
      or parcel.status = 'cancelled' and next_status not in ('pending', 'cancelled') and input->>'number' is not null end;
  is_news := moved or next_status = 'failed' and parcel.status = 'failed'
    and market_last_line(parcel.id) is distinct from words;
  if is_news and (input->>'asked_at')::timestamptz < (
      select max(e.created_at) from market_shipment_events e where e.shipment_id = parcel.id) then
    return market_advanced(true, false, false, told) || '{"overtaken": true}';
  end if;
  if is_news or input->>'occurred_at' is not null then
    perform market_parcel_line(parcel.id, next_status, words, happened, is_news);
  end if;
  update market_shipments set
      status = case when moved then next_status else status end,
      tracking_code = coalesce(input->>'tracking_code', tracking_code),
      shipped_at = coalesce(shipped_at, case when next_status in ('picked_up', 'in_transit', 'delivered') then happened
        when next_status in ('failed', 'returned') then (input->>'shipped_at')::timestamptz end),
      delivered_at = case when moved and next_status = 'delivered' then happened else delivered_at end,
      given_up_at = case when not is_news and not has_waybill then given_up_at end, updated_at = now()
    where id = parcel.id;
  if parcel.status = 'cancelled' and next_status = 'pending' and input->>'number' is not null then
    return market_advanced(true, false, true, told || jobs_wakes(market_call_pickup_back(o.id)));
  elsif market_takes_back(parcel.status, next_status) and not moved and input->>'alert_to' is not null then
    told := told || jobs_wakes(mail_enqueue('alert', input->>'alert_to', concat_ws('/', 'alert/parcel-took-back', o.id, next_status),
      jsonb_build_object('what', 'Kurir menarik kabar akhirnya; periksa dananya', 'facts', jsonb_build_object(
        'pesanan', o.number, 'id pesanan', o.id, 'status pesanan', o.status, 'status paket', parcel.status,
        'kata kurir sekarang', words, 'resi', coalesce(parcel.tracking_code, '-')))));
  elsif is_news then
    told := told || market_order_follows(o, case when is_again or step <> 'redelivery' then step else next_status end,
      happened);
  elsif has_waybill then
    told := told || jobs_wakes(market_order_news(o.id),
      market_mail_again(case when input->>'number' is null then 'parcel_sent' else 'waybill_given' end, o.id, 'seller',
        input->>'tracking_code'),
      market_mail_again('waybill_given_buyer', o.id, 'buyer', input->>'tracking_code'));
  end if;
  return market_advanced(true, moved, false, told);
end $$;

-- Whether news says of a parcel that has reached its end that it ended otherwise.
create or replace function market_takes_back(was text, says text) returns boolean language sql immutable as $$
  select was in ('delivered', 'returned') and says in ('delivered', 'returned', 'cancelled') and was <> says
$$;

-- A courier who carries a parcel that its seller says he sends otherwise, or that was called off, bills it: his fee is
-- kept for him while the order's money is held. Later the seller has it, and the operator hears of it, once.
create or replace function market_fee_was_earned(o market_orders, parcel market_shipments, input jsonb)
returns jsonb language plpgsql as $$
begin
  if parcel.shipping_cost > 0
    or input->>'status' not in ('in_transit', 'delivered', 'returned') and input->>'shipped_at' is null then
    return '[]';
  elsif o.status in ('paid', 'processing', 'shipped') then
    update market_shipments set shipping_cost = o.shipping_amount, updated_at = now() where id = parcel.id;
    return '[]';
  elsif o.status <> 'delivered' or input->>'alert_to' is null then
    return '[]';
  end if;
  return jobs_wakes(mail_enqueue('alert', input->>'alert_to', 'alert/courier-fee/' || o.id,
    jsonb_build_object('what', 'Kurir ternyata membawa paket yang ongkirnya sudah dibayarkan ke penjual', 'facts',
      jsonb_build_object('pesanan', o.number, 'id pesanan', o.id, 'ongkir', o.shipping_amount,
        'kata kurir sekarang', input->>'description', 'resi', coalesce(input->>'tracking_code', '-')))));
end $$;

-- Adds a line to a parcel's way. The courier gives a state the same moment however often it comes back, so `is_news` of a
-- moment that is there already has happened just now.
create or replace function market_parcel_line(parcel uuid, status text, words text, happened timestamptz, is_news boolean)
returns void language plpgsql as $$
begin
  insert into market_shipment_events (shipment_id, status, description, occurred_at)
    values (parcel, status, words, happened) on conflict do nothing;
  if not found and is_news then
    insert into market_shipment_events (shipment_id, status, description, occurred_at)
      values (parcel, status, words, now()) on conflict do nothing;
  end if;
end $$;

-- What was told of a parcel last, by our own clock: the courier's may differ.
create or replace function market_last_line(parcel uuid) returns text language sql stable as $$
  select e.description from market_shipment_events e where e.shipment_id = parcel
  order by e.created_at desc, e.id desc limit 1
$$;

create or replace function market_advanced(known boolean, moved boolean, superseded boolean, wake jsonb)
returns jsonb language sql immutable as $$
  select jsonb_build_object('known', known, 'moved', moved, 'superseded', superseded, 'wake', wake)
$$;

-- Tells the sockets of an order's buyer and seller that it changed: `order:update`, as it is when it is sent. Put the
-- result into the wake list of the change.
create or replace function market_order_news(order_key uuid) returns jsonb language sql as $$
  select jobs_enqueue('market.order_news', 'provisioning', null, jsonb_build_object('order_id', order_key))
$$;

-- What a parcel's move (its state, or its step where that says more) means for its order: shipped, or delivered and
-- paid out, or trouble; both sides hear of it, live and by mail, once for each change and not for each scan.
create or replace function market_order_follows(o market_orders, parcel_status text, happened timestamptz)
returns jsonb language plpgsql as $$
declare
  again text := (select h.tracking_code from market_shipments h where h.order_id = o.id and h.kiriminaja_order_id is null);
  -- A parcel is fetched before it travels, or both are told at once; then "it has been sent" is the one word for both, and
  -- no word for what travels although its money went back.
  is_told constant boolean := o.status = 'refunded' or exists (select from jobs j
    where j.dedupe_key = concat_ws('/', 'mail/order_shipped', o.id, again));
begin
  -- What goes on after trouble and nobody knew to be on its way has now been sent.
  parcel_status := case when parcel_status = 'resumed' and not is_told then 'in_transit' else parcel_status end;
  if parcel_status in ('picked_up', 'in_transit') then
    update market_orders set status = 'shipped', updated_at = now()
      where id = o.id and status in ('paid', 'processing');
    return jobs_wakes(market_order_news(o.id),
      market_mail_again(case when is_told then 'parcel_in_transit_buyer' else 'order_shipped' end, o.id, 'buyer', again),
      market_mail_again(case when is_told then 'parcel_in_transit' when again is null then 'parcel_collected'
        else 'parcel_sent' end, o.id, 'seller', again));
  elsif parcel_status = 'delivered' then
    update market_orders set status = 'delivered', delivered_at = happened, updated_at = now()
      where id = o.id and status in ('paid', 'processing', 'shipped');
    if not found then
      return jobs_wakes(market_order_news(o.id),
        case when o.status = 'refunded' then market_mail('parcel_arrived', o.id, 'seller') end,
        case when o.status = 'refunded' then market_mail('parcel_arrived_buyer', o.id, 'buyer') end);
    end if;
    perform market_pay_out(o);
    return jobs_wakes(market_order_news(o.id), market_mail('order_delivered', o.id, 'buyer'), market_mail('order_paid_out', o.id, 'seller'));
  end if;
  if parcel_status in ('resumed', 'redelivery') then
    update market_orders set status = 'shipped', updated_at = now()
      where id = o.id and status in ('paid', 'processing');
  end if;
  parcel_status := case parcel_status when 'problem' then 'failed' else parcel_status end;
  return jobs_wakes(market_order_news(o.id), market_mail_again('parcel_' || parcel_status, o.id, 'seller', null),
    market_mail_again('parcel_' || parcel_status || '_buyer', o.id, 'buyer', null));
end $$;

-- A mail about what may happen to a parcel more than once (it is carried on after a cancellation, tried again, sent again):
-- each time is another mail, which the number of lines of its way tells apart. Only for what has surely changed.
create or replace function market_mail_again(template text, order_key uuid, reader text, occasion text) returns jsonb
language sql as $$
  select market_mail_about(template, order_key, reader, case when exists (select from jobs j
      where j.dedupe_key = concat_ws('/', 'mail', template, order_key, occasion))
    then concat_ws('/', occasion, (select count(*) from market_shipment_events e
      join market_shipments h on h.id = e.shipment_id where h.order_id = order_key)) else occasion end, '{}')
$$;
