-- Orders of the supplier's services, from the click to the attempt. Guarantees, from any number of connections at once:
-- an order is paid from its buyer's wallet in the transaction that opens its one attempt, at a price that is computed
-- here from the catalogue; a repeat with the same key is the same order; a counted stock is never given twice.
-- The functions of topup_orders*.sql take the locks of a transaction in one order: the buyer's turn, orders by id,
-- a number's turn, services by id, accounts (all in one ledger_post).

-- {order_id, numbers, user_id, family, code, target, zone?, quantity, amount?, most?, pay, confirm, ordered_via,
--  reseller_key_id?, idempotency_key?, input_hash, hand_request_id?, now, attempt_id, lease_seconds, expiry_minutes,
--  limits} -> {order, replayed, wake}. `amount`: refused at any other price; `most`: at a higher one. `pay` false: an unpaid order, for topup_order_pay. `target` and `zone` are in plain
-- form. An admin's request (`hand_request_id`) places one order, however late it is carried on.
create or replace function topup_order_place(input jsonb) returns jsonb language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  pays boolean := (input->>'pay')::boolean;
  -- The greatest int stands for whatever is beyond.
  wanted int := least((input->>'quantity')::numeric, 2147483647)::int;
  earlier text;
  s topup_services;
  o topup_orders;
  cost record;
  goal text := input->>'target';
  candidate text;
begin
  earlier := case when input->>'hand_request_id' is not null then topup_hand_placed((input->>'hand_request_id')::uuid)
    else http_claim(buyer, input->>'idempotency_key', 'topup.order', input->>'input_hash', input->>'order_id') end;
  if earlier is not null then
    return topup_order_again(earlier::uuid);
  end if;
  perform topup_buyer_turn(buyer);
  if not pays then
    perform topup_require_few_unpaid(buyer, input);
  end if;
  s := topup_service_for_sale(input->>'family', input->>'code', (input->>'now')::timestamptz);
  perform topup_require_quantity(s, wanted);
  if s.target_kind = 'phone' then
    goal := regexp_replace(goal, '^[+]?62', '0');
  end if;
  perform topup_require_target(s, goal, input->>'zone');
  cost := topup_order_cost(s, buyer, wanted);
  if (input->>'amount')::bigint <> cost.amount then
    perform app_error('invalid_input', 'Amount does not match the price of this service (' || cost.amount || ')',
      jsonb_build_object('amount', cost.amount));
  end if;
  if cost.amount > (input->>'most')::bigint then
    perform app_error('changed', 'The charge of this order is ' || cost.amount || ' now',
      jsonb_build_object('amount', cost.amount));
  end if;

  foreach candidate in array array(select jsonb_array_elements_text(input->'numbers')) loop
    insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target, target_kind,
      zone, quantity, amount, supplier_amount, state, ordered_via, reseller_key_id, expires_at)
    values ((input->>'order_id')::uuid, candidate, buyer, s.id, s.family, s.code, s.name, s.brand, goal, s.target_kind,
      case when s.family = 'game' then nullif(input->>'zone', '') end, wanted, cost.amount, cost.supplier_amount, 'pending',
      input->>'ordered_via', (input->>'reseller_key_id')::uuid,
      case when not pays
        then (input->>'now')::timestamptz + make_interval(mins => (input->>'expiry_minutes')::int) end)
    on conflict on constraint topup_orders_number_key do nothing
    returning * into o;
    exit when found;
  end loop;
  if o.id is null then
    perform app_error('unavailable', 'Please try again');
  end if;
  perform topup_order_event(o);
  if input->>'hand_request_id' is not null then
    perform topup_hand_note_placed((input->>'hand_request_id')::uuid, o.id);
  end if;
  if pays then
    o := topup_order_open(o, s, input);
  end if;
  return jsonb_build_object('order', to_jsonb(o), 'replayed', false, 'wake', '[]'::jsonb);
end $$;

-- What topup_order_place answers to a repeat.
create or replace function topup_order_again(order_id uuid) returns jsonb language sql stable as $$
  select jsonb_build_object('order', to_jsonb(o), 'replayed', true, 'wake', '[]'::jsonb)
  from topup_orders o where o.id = order_id
$$;

-- {number, user_id, confirm, now, attempt_id, lease_seconds, limits, claim} -> {order, replayed}. Pays an unpaid order at
-- the price that was told, once: whoever comes second finds it no longer ready, or has the same key. Of a service that has
-- become another one since, it pays for nothing.
create or replace function topup_order_pay(input jsonb) returns jsonb language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  earlier text := http_claim_of(input->'claim', 'topup.pay', input->>'number');
  s topup_services;
  o topup_orders;
  cost record;
begin
  perform topup_buyer_turn(buyer);
  select * into o from topup_orders x where x.number = input->>'number' and x.user_id = buyer for no key update;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  if earlier is not null then
    return jsonb_build_object('order', to_jsonb(o), 'replayed', true);
  end if;
  if o.state <> 'pending' or o.expires_at <= (input->>'now')::timestamptz then
    perform app_error('invalid_input', 'Order is not ready for processing');
  end if;
  s := topup_service_for_sale(o.family, o.code, (input->>'now')::timestamptz);
  cost := topup_order_cost(s, buyer, o.quantity);
  if topup_is_renamed(o, s) then
    perform app_error('changed', 'This service is now ' || concat_ws(' - ', case when s.brand <> o.brand then s.brand end, s.name) || '. Please order again.',
      jsonb_build_object('amount', cost.amount));
  end if;
  if cost.amount <> o.amount then
    perform app_error('changed', 'The price of this service has changed to ' || cost.amount || '. Please order again.',
      jsonb_build_object('amount', cost.amount));
  end if;
  update topup_orders x set supplier_amount = cost.supplier_amount where x.id = o.id returning * into o;
  o := topup_order_open(o, s, input);
  return jsonb_build_object('order', to_jsonb(o), 'replayed', false);
end $$;

-- One order of a buyer at a time, so that limits and likeness see all that came before.
create or replace function topup_buyer_turn(buyer bigint) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('topup/' || buyer, 0))
$$;

-- The service as it is sold at this moment.
create or replace function topup_service_for_sale(wanted_family text, wanted_code text, moment timestamptz)
returns topup_services language plpgsql stable as $$
declare
  s topup_services;
begin
  select * into s from topup_services x
  where x.family = wanted_family and x.code = wanted_code and x.stock_type <> 'OUT_OF_STOCK'
    and topup_is_open(x, moment);
  if not found then
    perform app_error('not_found', 'Service not available');
  end if;
  return s;
end $$;

-- Whether the service's code has come to stand for other goods than were ordered: the supplier gives it to what he likes,
-- at the old price too, and its name alone tells.
create or replace function topup_is_renamed(o topup_orders, s topup_services) returns boolean language sql immutable as $$
  select topup_plain_name(s.name) <> topup_plain_name(o.service_name)
    -- Goods of one name there are in many games.
    or o.family = 'game' and topup_plain_name(s.brand) <> topup_plain_name(o.brand)
$$;

-- Whether we sell the service then.
create or replace function topup_is_open(s topup_services, moment timestamptz) returns boolean language sql stable as $$
  select s.active and s.status = 'available' and not topup_in_maintenance(s.maintenance, moment)
$$;

-- Whether the supplier takes orders of it then, as far as we know: what was paid is bought, though it is sold no more.
create or replace function topup_is_served(s topup_services, moment timestamptz) returns boolean language sql stable as $$
  select s.status = 'available' and not topup_in_maintenance(s.maintenance, moment)
$$;

-- Whether a moment lies in a daily window "HH:mm - HH:mm" of Jakarta's time, which may span midnight.
create or replace function topup_in_maintenance(hours text, moment timestamptz)
returns boolean language plpgsql immutable as $$
declare
  bounds text[] := regexp_match(hours, '^\s*([01]?\d|2[0-3])[:.]([0-5]\d)\s*-\s*([01]?\d|2[0-3])[:.]([0-5]\d)\s*$');
  clock time := (moment at time zone 'Asia/Jakarta')::time;
  opens time;
  closes time;
begin
  if bounds is null then return false; end if;
  opens := make_time(bounds[1]::int, bounds[2]::int, 0);
  closes := make_time(bounds[3]::int, bounds[4]::int, 0);
  return case when opens <= closes then clock >= opens and clock < closes else clock >= opens or clock < closes end;
end $$;

-- What a buyer pays for so many, and what we expect to be charged: whole rupiah, social services per 1,000 and rounded
-- up. Nothing sells at a loss, whatever the margins say.
create or replace function topup_order_cost(s topup_services, buyer bigint, wanted int,
  out amount bigint, out supplier_amount bigint) language plpgsql stable as $$
declare
  member_level text := coalesce((select m.level from topup_members m where m.user_id = buyer), 'member');
  unit bigint := case member_level when 'member' then s.price
    else topup_price(s.supplier_price, s.family, s.brand, member_level) end;
begin
  amount := case s.family when 'social' then ceil(unit::numeric * wanted / 1000) else unit * wanted end;
  supplier_amount := topup_supplier_cost(s, wanted);
  if amount < supplier_amount then
    perform app_error('not_found', 'Service not available');
  end if;
end $$;

create or replace function topup_supplier_cost(s topup_services, wanted int) returns bigint language sql immutable as $$
  select case s.family when 'social' then greatest(ceil(s.supplier_price::numeric * wanted / 1000), 1)
    else s.supplier_price * wanted end
$$;

-- Takes the money and opens the one attempt, with the job that looks after it if nobody records what came of it.
create or replace function topup_order_open(o topup_orders, s topup_services, input jsonb)
returns topup_orders language plpgsql as $$
declare
  moment timestamptz := (input->>'now')::timestamptz;
  lease interval := make_interval(secs => (input->>'lease_seconds')::int);
begin
  perform topup_require_open();
  perform topup_require_measure(o, s, input);
  if o.reseller_key_id is not null then
    perform topup_key_spend(o.reseller_key_id, o.amount);
  end if;
  if s.stock_type = 'LIMITED' then
    update topup_services x set reserved = x.reserved + o.quantity
    where x.id = s.id and x.stock - x.reserved >= o.quantity;
    if not found then
      perform app_error('sold_out', 'Out of stock');
    end if;
  end if;
  update topup_orders x set state = 'buying', paid_at = moment, expires_at = null, updated_at = now(),
    target_kind = coalesce(x.target_kind, s.target_kind),
    stock_held = case when s.stock_type = 'LIMITED' then 'reserved' end,
    attempt_id = (input->>'attempt_id')::uuid, attempt_at = moment, attempt_until = moment + lease
  where x.id = o.id
  returning * into o;
  perform ledger_transfer('topup-paid/' || o.id, 'wallet', o.user_id::text, 'escrow', 'topup:' || o.user_id, o.amount,
    'Pembayaran pesanan ' || o.number);
  perform topup_order_watch(o, lease);
  perform topup_order_event(o);
  return o;
end $$;

-- Writes down that an order has come to where it is.
create or replace function topup_order_event(o topup_orders) returns void language sql as $$
  insert into topup_order_events (order_id, state) values (o.id, o.state)
$$;

-- {limit, now} -> how many unpaid orders have run out.
create or replace function topup_orders_expire(input jsonb) returns jsonb language plpgsql as $$
declare
  ended int;
begin
  with due as (
    select x.id from topup_orders x
    where x.state = 'pending' and x.expires_at <= (input->>'now')::timestamptz
    order by x.id limit (input->>'limit')::int
    for no key update skip locked
  ), closed as (
    update topup_orders x set state = 'cancelled', notes = 'Not paid in time', updated_at = now(),
      finished_at = (input->>'now')::timestamptz
    from due where x.id = due.id
    returning x.id
  ), told as (
    insert into topup_order_events (order_id, state) select id, 'cancelled' from closed returning 1
  )
  select count(*) into ended from told;
  return jsonb_build_object('ended', ended);
end $$;
