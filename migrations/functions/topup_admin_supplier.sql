-- The supplier's balance and the hold on new orders. Guarantee: while the balance that was seen last is below the floor,
-- no order is paid (topup_require_open); the first look that finds enough lets them through again, without a person.

-- {provider, balance, floor, alert_to} -> {balance, floor, checked_at, held_since, wake}. What was seen; a hold is mailed to
-- the operator once. Of a balance that goes up and down at the floor he hears once an hour, while it is held.
create or replace function topup_supplier_seen(input jsonb) returns jsonb language plpgsql as $$
declare
  seen bigint := (input->>'balance')::bigint;
  least_wanted bigint := (input->>'floor')::bigint;
  was timestamptz;
  s topup_supplier_state;
  mail jsonb;
begin
  select x.held_since into was from topup_supplier_state x where x.provider = input->>'provider' for no key update;
  insert into topup_supplier_state as x (provider, balance, floor, checked_at, held_since)
  values (input->>'provider', seen, least_wanted, now(), case when seen < least_wanted then now() end)
  on conflict (provider) do update set balance = excluded.balance, floor = excluded.floor, checked_at = now(),
    held_since = case when excluded.held_since is not null then coalesce(x.held_since, now()) end
  returning * into s;
  if (was is null) <> (s.held_since is null) then
    perform audit_write(jsonb_build_object('subject_kind', 'supplier', 'subject_id', s.provider, 'action',
      case when s.held_since is null then 'topup.supplier.release' else 'topup.supplier.hold' end,
      'after', jsonb_build_object('balance', s.balance, 'floor', s.floor)));
  end if;
  -- Their keys end with when the hold began.
  if s.held_since is not null and not exists (select from jobs j
    where j.dedupe_key >= 'mail/alert/topup-balance/' || extract(epoch from now() - interval '1 hour')
      and j.dedupe_key < 'mail/alert/topup-balance/' || extract(epoch from s.held_since)) then
    mail := mail_enqueue('alert', input->>'alert_to', 'alert/topup-balance/' || extract(epoch from s.held_since),
      jsonb_build_object('what', 'Saldo penyedia di bawah batas: pesanan baru ditahan',
        'facts', jsonb_build_object('saldo', s.balance, 'batas', s.floor)));
  end if;
  return topup_supplier_view(s) || jsonb_build_object('wake', jobs_wakes(mail));
end $$;

-- {provider, alert_to, after_minutes} -> {wake}. For a look that found no answer: when the last one that did was so long
-- ago, or there was none ever, the hold is blind, and the operator hears of it, once until the supplier answers again.
create or replace function topup_supplier_silent(input jsonb) returns jsonb language plpgsql as $$
declare
  s topup_supplier_state;
  mail jsonb;
begin
  select * into s from topup_supplier_state x where x.provider = input->>'provider';
  if not found or s.checked_at < now() - make_interval(mins => (input->>'after_minutes')::int) then
    mail := mail_enqueue('alert', input->>'alert_to',
      'alert/topup-supplier-silent/' || coalesce(extract(epoch from s.checked_at)::text, 'ever'),
      jsonb_build_object('what', 'Penyedia tidak memberi tahu saldo: penahanan pesanan tidak berjalan',
        'facts', jsonb_build_object('terakhir',
          coalesce(to_char(s.checked_at at time zone 'Asia/Jakarta', 'YYYY-MM-DD HH24:MI'), 'belum pernah'),
          'saldo', coalesce(s.balance::text, '-'))));
  end if;
  return jsonb_build_object('wake', jobs_wakes(mail));
end $$;

create or replace function topup_supplier_view(s topup_supplier_state) returns jsonb language sql stable as $$
  select jsonb_build_object('balance', s.balance, 'floor', s.floor, 'checked_at', s.checked_at, 'held_since', s.held_since)
$$;

-- {service_id, quantity, reason, actor_id, claim, audit} -> {stock, old_stock, reserved}: a counted stock by hand, in one
-- atomic step with its history. What is reserved stays covered; a service that is not counted keeps its kind.
create or replace function topup_stock_adjust(input jsonb) returns jsonb language plpgsql as $$
declare
  change int := (input->>'quantity')::int;
  entry_id uuid := uuidv7();
  earlier text := http_claim_of(input->'claim', 'topup.stock', entry_id::text);
  s topup_services;
begin
  if earlier is not null then
    return (select jsonb_build_object('stock', h.new_stock, 'old_stock', h.old_stock, 'reserved', x.reserved)
      from topup_stock_history h join topup_services x on x.id = h.service_id where h.id = earlier::uuid);
  end if;
  select * into s from topup_services x where x.id = (input->>'service_id')::uuid for no key update;
  if not found then
    perform app_error('not_found', 'Service not found');
  elsif s.stock is null or s.stock_type = 'UNLIMITED' then
    perform app_error('conflict', 'The stock of this service is not counted');
  elsif change > 0 and s.stock::bigint + change > 2000000000 then
    perform app_error('invalid_input', 'quantity: The stock would be too large');
  elsif s.stock + change < s.reserved then
    perform app_error('conflict', 'The stock cannot go below what open orders hold',
      jsonb_build_object('stock', s.stock, 'reserved', s.reserved));
  end if;
  update topup_services x set stock = x.stock + change, updated_at = now(),
    stock_type = case when x.stock_type = 'OUT_OF_STOCK' and x.stock + change > 0 then 'LIMITED' else x.stock_type end
  where x.id = s.id;
  -- As of now, under the lock: by when they began, changes of one moment would stand in another order than they were made.
  insert into topup_stock_history (id, service_id, type, quantity, old_stock, new_stock, reason, actor_id, created_at)
  values (entry_id, s.id, 'MANUAL_ADJUSTMENT', change, s.stock, s.stock + change, input->>'reason',
    (input->>'actor_id')::bigint, clock_timestamp());
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.stock.adjust', 'subject_kind', 'topup_service',
    'subject_id', s.id, 'reason', input->>'reason', 'before', jsonb_build_object('stock', s.stock),
    'after', jsonb_build_object('stock', s.stock + change)));
  return jsonb_build_object('stock', s.stock + change, 'old_stock', s.stock, 'reserved', s.reserved);
end $$;

-- {alert_to} -> {wake}: one mail about the services whose counted stock is low and of which no mail told today; the
-- hundred emptiest by name, all by number.
create or replace function topup_stock_alert(input jsonb) returns jsonb language plpgsql as $$
declare
  today date := (now() at time zone 'Asia/Jakarta')::date;
  low jsonb;
  many int;
  mail jsonb;
begin
  delete from topup_stock_alerts a where a.day < today - 1;
  with told as (
    insert into topup_stock_alerts (service_id, day)
    select s.id, today from topup_services s
    where s.stock_type = 'LIMITED' and s.active and s.status <> 'gone' and s.stock <= s.min_stock
    on conflict on constraint topup_stock_alerts_pkey do nothing
    returning service_id
  )
  select (jsonb_agg(jsonb_build_object('id', l.id, 'name', l.name, 'stock', l.stock, 'minStock', l.min_stock)
      order by l.stock, l.name) filter (where l.place <= 100)), count(*) into low, many
  from (select s.*, row_number() over (order by s.stock, s.name) as place
    from told join topup_services s on s.id = told.service_id) l;
  if low is not null then
    mail := mail_enqueue('topup_low_stock', input->>'alert_to',
      'topup-low-stock/' || today || '/' || (low->0->>'id'), jsonb_build_object('services', low, 'count', many));
  end if;
  return jsonb_build_object('wake', jobs_wakes(mail));
end $$;
