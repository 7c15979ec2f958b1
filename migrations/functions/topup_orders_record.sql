-- What came of an attempt to buy. Guarantees, from any number of connections at once: an order is bought at most once
-- and its money leaves escrow exactly once, with the order as the transfer's reference; states only go forward and a
-- final one never changes; a purchase (trxid) belongs to one order; a counted stock is given back at most once.

-- {order_id, trxid, charged?, supplier_note?, start_count?, target?, zone?, code?, quantity?, service?, suspect?, now,
-- alert_to} -> {order, wake}. The supplier took the order. An answer that comes after the order was given up is a loss that a
-- person must hear of. One in words of something else (topup_orders_suspicions.sql; `suspect`: the release before judges
-- itself), or with the purchase of another order, is no word about this one: the history tells. `service`: its name, where the
-- supplier tells no code (topup_orders_renames.sql).
create or replace function topup_order_accepted(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
  owner topup_orders;
  suspect text;
  doubt text;
  wakes jsonb := '[]';
  done jsonb;
begin
  -- Before the order, as topup_sightings_note does, which gives what a list shows to orders that were refunded.
  perform pg_advisory_xact_lock(hashtextextended('topup/late/' || (input->>'trxid'), 0));
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if o.trxid is not null then
    update topup_orders x set matched_at = null where x.id = o.id and x.trxid = input->>'trxid' and x.matched_at is not null;
    return jsonb_build_object('order', to_jsonb(o), 'wake', case when o.trxid = input->>'trxid' then '[]'::jsonb
      else jobs_wakes(topup_order_alert(o, 'Pesanan terbeli dua kali', input->>'trxid', input->>'alert_to')) end);
  end if;
  suspect := coalesce(input->>'suspect',
    topup_suspicion(o, input->>'target', input->>'zone', input->>'code', (input->>'quantity')::int));
  doubt := coalesce(suspect, topup_name_doubt(o, input->>'service', (input->>'charged')::bigint));
  select * into owner from topup_orders x where x.trxid = input->>'trxid';
  if owner.id is not null and o.finished_at is not null then
    return jsonb_build_object('order', to_jsonb(o), 'wake', jobs_wakes(topup_order_alert(o,
      'Jawaban terlambat dengan pembelian pesanan lain', (input->>'trxid') || ' / ' || owner.number, input->>'alert_to')));
  elsif owner.id is not null and not (doubt is null and topup_may_be_of(o.attempt_at, topup_told_by(owner))
      and topup_is_lent(owner, input->>'target', input->>'zone', input->>'code', input->>'service',
        (input->>'quantity')::int, (input->>'charged')::bigint)) then
    -- No word about this order, then: its own purchase is in the history, or nowhere.
    done := topup_order_untold(o, null, 'answered with the purchase of ' || owner.number, null);
    return done || jsonb_build_object('wake', (done->'wake')
      || jobs_wakes(topup_order_alert(o, 'Jawaban dengan pembelian pesanan lain', (input->>'trxid') || ' / ' || owner.number,
        input->>'alert_to')));
  elsif o.finished_at is not null then
    update topup_orders x set trxid = input->>'trxid', told_at = (input->>'now')::timestamptz, updated_at = now(),
      review_reason = case when x.refunded_amount > 0 then 'bought after all: ' || (input->>'trxid') end
    where x.id = o.id returning * into o;
    return jsonb_build_object('order', to_jsonb(o), 'wake', jobs_wakes(case when o.refunded_amount > 0 then
      topup_order_alert(o, 'Pesanan terbeli setelah dikembalikan', input->>'trxid', input->>'alert_to') end));
  elsif suspect is not null then
    return topup_order_untold(o, input->>'trxid', suspect || ': ' || (input->>'trxid'), (input->>'now')::timestamptz);
  elsif doubt is not null then
    update topup_orders x set trxid = input->>'trxid', told_at = (input->>'now')::timestamptz,
      charged_amount = case when not topup_is_absurd(o, (input->>'charged')::bigint) then (input->>'charged')::bigint end,
      -- What it was tied by is over: its purchase is known.
      review_reason = case when x.state = 'review' then doubt else x.review_reason end
    where x.id = o.id returning * into o;
    return topup_order_review(o, doubt, input->>'alert_to');
  end if;
  wakes := topup_purchase_claim(o, input->>'trxid');
  done := topup_order_bought(o, input);
  if input->>'service' ~ '[[:alnum:]]' and not topup_is_called(input->>'service', o.service_name, o.brand, o.code) then
    wakes := wakes || topup_rename_told(o, input->>'service', input->>'alert_to');
  end if;
  return done || jsonb_build_object('wake', (done->'wake') || wakes);
end $$;

drop function if exists topup_order_untold(topup_orders, text, text);
-- The answer is no word about the order: it is in doubt, as if there had been none. `told`: what may yet be its purchase, if
-- the history has no other, told of at `moment`.
create or replace function topup_order_untold(o topup_orders, told text, note text, moment timestamptz) returns jsonb
language plpgsql as $$
declare
  is_news boolean := o.state = 'buying';
begin
  if is_news or told is not null then
    update topup_orders x set state = case when is_news then 'unknown' else x.state end,
      answered_trxid = coalesce(told, x.answered_trxid), told_at = case when told is null then x.told_at else moment end,
      supplier_note = note, updated_at = now()
    where x.id = o.id returning * into o;
  end if;
  if is_news then
    perform topup_order_event(o);
  end if;
  return jsonb_build_object('order', to_jsonb(o), 'wake', topup_order_wake(o, interval '3 seconds'));
end $$;

-- The order's purchase is known: it is the supplier's turn. The caller has locked the row and found it open. What costs
-- more than expected is not sold on at the old price; what costs absurdly much is not sold on at all, until the next
-- sync. It is bought all the same, so the order goes on, with the charge unbooked (topup_is_absurd). `as_told`: what the
-- supplier writes of it is not held against it; `is_match`: found in its history.
create or replace function topup_order_bought(o topup_orders, purchase jsonb) returns jsonb language plpgsql as $$
declare
  asked bigint := (purchase->>'charged')::bigint;
  absurd boolean := topup_is_absurd(o, asked);
  as_told boolean := coalesce((purchase->>'as_told')::boolean, false);
  alert jsonb;
begin
  if o.stock_held = 'reserved' then
    perform topup_stock_take(o);
  end if;
  update topup_orders x set state = 'processing', trxid = purchase->>'trxid', charged_amount = case when not absurd then asked end, supplier_note = purchase->>'supplier_note',
    start_count = (purchase->>'start_count')::int, review_reason = null, updated_at = now(),
    stock_held = case when x.stock_held is not null then 'taken' end, absences = 0, absent_since = null,
    answered_since = case when as_told then coalesce(x.answered_since, (purchase->>'now')::timestamptz) end,
    bought_at = (purchase->>'now')::timestamptz,
    matched_at = case when (purchase->>'is_match')::boolean then (purchase->>'now')::timestamptz else x.matched_at end, ask_at = (purchase->>'now')::timestamptz + interval '10 seconds'
  where x.id = o.id
  returning * into o;
  if absurd then
    update topup_services x set status = 'empty', updated_at = now() where x.id = o.service_id and x.status = 'available';
    alert := topup_absurd_alert(o, asked, purchase->>'alert_to');
  end if;
  perform topup_order_event(o);
  perform topup_order_rest(o);
  if asked > o.supplier_amount then
    perform topup_service_dearer(o);
  end if;
  if o.charged_amount > o.amount then
    alert := mail_enqueue('alert', purchase->>'alert_to', 'alert/topup-loss/' || o.service_id || '/' || current_date,
      jsonb_build_object('what', 'Penyedia menagih lebih dari harga jual: ' || o.service_name,
        'facts', jsonb_build_object('pesanan', o.number, 'harga jual', o.amount, 'ditagih', o.charged_amount)));
  end if;
  return jsonb_build_object('order', to_jsonb(o), 'wake', jobs_wakes(alert) || topup_notify(o.id));
end $$;

-- A charge that no change of price explains: a mistake of the supplier's, or of ours. It is never booked by itself: what the
-- service should cost is, the operator hears of it at once, and the day's report has it as a difference of price, and, if
-- it was taken, of balance. While the order is under way he may settle it with another charge.
create or replace function topup_is_absurd(o topup_orders, charged bigint) returns boolean language sql immutable as $$
  select coalesce(charged > greatest(o.supplier_amount * 1.5, o.amount), false)
$$;

create or replace function topup_absurd_alert(o topup_orders, charged bigint, alert_to text) returns jsonb
language sql as $$
  select topup_order_alert(o, 'Harga pembelian tidak masuk akal', topup_absurd_words(o, charged), alert_to)
$$;

create or replace function topup_absurd_words(o topup_orders, charged bigint) returns text language sql immutable as $$
  select 'the supplier charges ' || charged || ' for what should cost ' || o.supplier_amount
$$;

-- The supplier asks more for a service than its list said: so do we, from now on and until the next sync knows better.
-- Of a social order the price of 1,000 is the least that comes to what was charged.
create or replace function topup_service_dearer(o topup_orders) returns void language sql as $$
  with raised as (
    update topup_services x set supplier_price = p.asked,
      price = greatest(x.price, topup_price(p.asked, x.family, x.brand, 'member')), updated_at = now()
    from (select case o.family when 'social' then (o.charged_amount - 1) * 1000 / o.quantity + 1
      else ceil(o.charged_amount::numeric / o.quantity)::bigint end as asked) p
    where x.id = o.service_id and x.supplier_price < p.asked
    returning new.id, old.supplier_price as old_supplier_price, new.supplier_price, old.price as old_price, new.price)
  insert into topup_price_history (service_id, old_supplier_price, supplier_price, old_price, price)
  select r.id, r.old_supplier_price, r.supplier_price, r.old_price, r.price from raised r
$$;

-- {order_id, attempt_id, notes, supplier_note?, reason, now, alert_to} -> {order, wake}. The supplier surely did not take
-- the order of this attempt: it has failed, and its money is back in the wallet. A refusal of us, not of the order, is
-- told to the operator once an hour.
create or replace function topup_order_refused(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
  ended jsonb;
  alert jsonb;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if o.state not in ('buying', 'unknown') or o.attempt_id is distinct from (input->>'attempt_id')::uuid then
    return jsonb_build_object('order', to_jsonb(o), 'wake', '[]'::jsonb);
  end if;
  update topup_orders x set notes = input->>'notes', supplier_note = input->>'supplier_note' where x.id = o.id;
  ended := topup_orders_end(jsonb_build_array(jsonb_build_object('id', o.id, 'state', 'failed')), input);
  if input->>'reason' in ('low_balance', 'not_permitted_address', 'other') then
    alert := mail_enqueue('alert', input->>'alert_to',
      'alert/topup-refused/' || (input->>'reason') || '/' || to_char(now(), 'YYYYMMDDHH24'), jsonb_build_object(
        'what', 'Penyedia menolak pesanan: ' || (input->>'reason'),
        'facts', jsonb_build_object('pesanan', o.number, 'jawaban', coalesce(input->>'supplier_note', '-'))));
  end if;
  return ended || jsonb_build_object('wake', jobs_wakes(alert) || (ended->'wake'));
end $$;

-- {order_id, attempt_id, reason, now} -> {order, wake}. This attempt may have bought: the history must tell.
create or replace function topup_order_doubted(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
begin
  update topup_orders x set state = 'unknown', supplier_note = input->>'reason', updated_at = now()
  where x.id = (input->>'order_id')::uuid and x.state = 'buying' and x.attempt_id = (input->>'attempt_id')::uuid
  returning * into o;
  if not found then
    select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
    return jsonb_build_object('order', to_jsonb(o), 'wake', '[]'::jsonb);
  end if;
  perform topup_order_event(o);
  return jsonb_build_object('order', to_jsonb(o), 'wake', topup_order_wake(o, interval '3 seconds'));
end $$;

-- {order_id, attempt_id, after_seconds, now} -> {order, wake}. Nothing has left for the supplier: the order waits for
-- its turn, with the same money.
create or replace function topup_order_deferred(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
begin
  update topup_orders x set state = 'queued', attempt_id = null, attempt_at = null, attempt_until = null,
    updated_at = now()
  where x.id = (input->>'order_id')::uuid and x.state = 'buying' and x.attempt_id = (input->>'attempt_id')::uuid
  returning * into o;
  if not found then
    select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
    return jsonb_build_object('order', to_jsonb(o), 'wake', '[]'::jsonb);
  end if;
  perform topup_order_event(o);
  return jsonb_build_object('order', to_jsonb(o), 'wake',
    topup_order_wake(o, make_interval(secs => (input->>'after_seconds')::int)));
end $$;

-- {order_id, attempt_id, lease_seconds, patience_minutes, now} -> {do: buy|ask|wait|nothing, order, wake}. What the
-- order's job is to do. An attempt whose time is over may have bought; one that waits for its turn for too long ends, and
-- so does one whose service has become dearer than it was sold for, or another one, or is gone.
create or replace function topup_order_take(input jsonb) returns jsonb language plpgsql as $$
declare
  moment timestamptz := (input->>'now')::timestamptz;
  cost bigint;
  renamed boolean;
  over text;
  o topup_orders;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  select topup_supplier_cost(s, o.quantity), topup_is_renamed(o, s) into cost, renamed from topup_services s
  where s.id = o.service_id and topup_is_served(s, moment);
  over := case when o.paid_at < moment - make_interval(mins => (input->>'patience_minutes')::int)
      then 'The service is busy'
    when cost is null then 'The service is not available'
    when renamed then 'The service has changed'
    when cost > o.amount then 'The price of this service has changed' end;
  if o.state = 'queued' and over is not null then
    update topup_orders x set notes = over where x.id = o.id;
    return topup_orders_end(jsonb_build_array(jsonb_build_object('id', o.id, 'state', 'failed')), input)
      || jsonb_build_object('do', 'nothing');
  elsif o.state = 'queued' then
    update topup_orders x set state = 'buying', supplier_amount = cost,
      target_kind = coalesce(x.target_kind, (select s.target_kind from topup_services s where s.id = x.service_id)),
      attempt_id = (input->>'attempt_id')::uuid, attempt_at = moment,
      attempt_until = moment + make_interval(secs => (input->>'lease_seconds')::int), updated_at = now()
    where x.id = o.id returning * into o;
    perform topup_order_event(o);
    return jsonb_build_object('do', 'buy', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
  elsif o.state = 'buying' and o.attempt_until <= moment then
    update topup_orders x set state = 'unknown', updated_at = now() where x.id = o.id returning * into o;
    perform topup_order_event(o);
  end if;
  return jsonb_build_object('order', to_jsonb(o), 'wake', '[]'::jsonb,
    'do', case when o.state = 'unknown' or topup_is_tied(o) then 'ask' when o.state = 'buying' then 'wait'
      else 'nothing' end);
end $$;

-- The order waits for a person, who gets a mail. The caller has locked the row and found it open. Of a tie the history
-- goes on being asked.
create or replace function topup_order_review(o topup_orders, reason text, alert_to text)
returns jsonb language plpgsql as $$
begin
  if o.state = 'review' then
    return jsonb_build_object('order', to_jsonb(o), 'wake', '[]'::jsonb);
  end if;
  update topup_orders x set state = 'review', review_reason = reason, updated_at = now() where x.id = o.id
  returning * into o;
  perform topup_order_event(o);
  if not topup_is_tied(o) then
    perform topup_order_rest(o);
  end if;
  return jsonb_build_object('order', to_jsonb(o), 'wake',
    jobs_wakes(topup_order_alert(o, 'Pesanan perlu diperiksa', reason, alert_to)));
end $$;

create or replace function topup_order_alert(o topup_orders, what text, why text, alert_to text)
returns jsonb language sql as $$
  select mail_enqueue('alert', alert_to, 'alert/topup-order/' || o.id || '/' || md5(what || why),
    jsonb_build_object('what', what, 'facts', jsonb_build_object('pesanan', o.number, 'sebab', why)))
$$;
