-- Orders in doubt and the supplier's history. Its rows have no time and no reference of ours, so an order finds its
-- purchase by service, target, zone and quantity among the rows that belong to no other order and that nobody had seen
-- before the attempt began. Guarantee: an order is refunded only when the supplier, asked at least twice after the
-- attempt was surely over, shows all that it sold since and nothing that could be its purchase; whatever is not plain
-- waits for a person.

-- {order_id, asked_at, rows: [{trxid, target, zone, code, service, quantity, price, start_count}], deepest,
--  absence_seconds, alert_to, now} -> {verdict: settled|wait|deeper, order, wake}. `rows` are the latest ones of the
-- family, newest first; `asked_at` is before the supplier was asked. `deeper`: they do not reach back to the attempt, so
-- ask for more; `deepest`: there is no longer list.
create or replace function topup_order_match(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
  doubt record;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
  perform pg_advisory_xact_lock(hashtextextended('topup/' || o.family || '/' || topup_plain_target(o.target), 0));
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if o.state <> 'unknown' then
    return jsonb_build_object('verdict', 'settled', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
  end if;
  doubt := topup_order_doubt(o, input->'rows');
  if doubt.own > 0 and doubt.busy then
    return jsonb_build_object('verdict', 'wait', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
  elsif doubt.mine is not null then
    return jsonb_build_object('verdict', 'settled') || topup_order_bought(o, input || jsonb_build_object(
      'trxid', doubt.mine->>'trxid', 'charged', doubt.mine->'price', 'start_count', doubt.mine->'start_count'));
  elsif doubt.own > 0 then
    return jsonb_build_object('verdict', 'settled') || topup_order_review(o, case doubt.purchases
      when 0 then 'the history has a purchase of this name at another price'
      else doubt.rivals || ' orders for ' || doubt.purchases || ' purchases in the history' end, input->>'alert_to');
  elsif not topup_reaches_back(o, input) then
    if (input->>'deepest')::boolean and (input->>'asked_at')::timestamptz > o.attempt_until + interval '30 minutes' then
      return jsonb_build_object('verdict', 'settled') || topup_order_review(o,
        'the history no longer reaches back to the attempt', input->>'alert_to');
    end if;
    return jsonb_build_object('verdict', 'deeper', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
  elsif (input->>'asked_at')::timestamptz < o.attempt_until then
    return jsonb_build_object('verdict', 'wait', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
  elsif doubt.near > 0 then
    return jsonb_build_object('verdict', 'settled') || topup_order_review(o,
      'the history has a purchase for this target that is another service', input->>'alert_to');
  elsif topup_has_stray(o, input->'rows') then
    return jsonb_build_object('verdict', 'settled') || topup_order_review(o,
      'the history has a purchase of this service that may be for this target, written in another way', input->>'alert_to');
  end if;
  return topup_order_absent(o, input);
end $$;

-- What the history says to an order in doubt. `rivals`: the orders in doubt that its rows can be of, itself among them;
-- where the supplier tells no code, that is every order for a service of that name, and only the price tells them apart.
-- `own`: rows that can be of this order, `purchases`: those that also have its code or price. `busy`: another order must
-- be settled first: one that is still being bought, or the one whose price a row has. `mine`: its row, where there are
-- as many as orders, each for one, and nothing tells them apart (or only one of each): the order that tried first has
-- the row that was seen first. `near`: rows for its target that fit no open order at all.
create or replace function topup_order_doubt(o topup_orders, history jsonb, out rivals int, out busy boolean,
  out purchases int, out own int, out near int, out mine jsonb) language plpgsql stable as $$
declare
  tries timestamptz[];
  turn int;
  mixed boolean;
  awaited boolean;
begin
  select count(*), bool_or(x.state = 'buying'),
    array_agg(x.attempt_at order by x.attempt_at, x.id) filter (where r.peer),
    count(*) filter (where r.peer and (x.attempt_at, x.id) <= (o.attempt_at, o.id)),
    bool_or(r.peer and not topup_alike(x, o)), bool_or(x.state = 'unknown' and not r.peer and r.has_row)
  into rivals, busy, tries, turn, mixed, awaited
  from topup_orders x, topup_rivalry(x, o, history) r
  where x.state in ('buying', 'unknown', 'review') and x.trxid is null and (r.peer or r.shares);

  with free as (
    select * from topup_unowned_rows(o, history)
  ), fitting as (
    select f.*, row_number() over (order by f.seen_at nulls last, f.n desc) as place from free f
    where topup_row_is(o, f.zone, f.code, f.service, f.quantity, f.price) and topup_may_be_of(tries[1], f.seen_at)
  )
  select count(*),
    (select count(*) from free n where topup_may_be_of(o.attempt_at, n.seen_at)
      and topup_row_fits(o, n.zone, n.code, n.service, n.quantity)),
    (select count(*) from free n where topup_may_be_of(o.attempt_at, n.seen_at) and not exists (
      select from topup_orders x
      where x.state in ('buying', 'unknown', 'review') and x.trxid is null and x.family = o.family
        and topup_is_for(x, n.target)
        and topup_row_fits(x, n.zone, n.code, n.service, n.quantity))),
    case when not mixed and count(*) = cardinality(tries) and bool_and(topup_may_be_of(tries[f.place], f.seen_at))
        and (cardinality(tries) = 1 or bool_and(f.price is not distinct from o.supplier_amount))
      then jsonb_agg(to_jsonb(f) order by f.place)->(turn - 1) end
  into purchases, own, near, mine
  from fitting f;
  busy := busy or (purchases = 0 and awaited);
end $$;

-- What another order in doubt is to this one: `shares`: a row can be of either; `peer`: and nothing tells whose it is;
-- `has_row`: a row that can be of either has its price.
create or replace function topup_rivalry(x topup_orders, o topup_orders, history jsonb,
  out shares boolean, out peer boolean, out has_row boolean) language sql stable as $$
  select coalesce(bool_or(r.of_o), false), topup_alike(x, o) or coalesce(bool_or(r.is_o and r.is_x), false),
    coalesce(bool_or(r.of_o and r.is_x), false)
  from (
    select topup_row_fits(o, f.zone, f.code, f.service, f.quantity) as of_o,
      topup_row_is(o, f.zone, f.code, f.service, f.quantity, f.price) as is_o,
      topup_row_is(x, f.zone, f.code, f.service, f.quantity, f.price) as is_x
    from topup_unowned_rows(o, history) f
    where x.family = o.family and topup_is_for(x, f.target)
      and topup_row_fits(x, f.zone, f.code, f.service, f.quantity)) r
$$;

-- The rows for this order's target that belong to no order, with when they were first seen.
create or replace function topup_unowned_rows(o topup_orders, history jsonb)
returns table (n bigint, trxid text, target text, zone text, code text, service text, quantity int, price bigint,
  start_count int, seen_at timestamptz) language sql stable as $$
  select r.n, r.trxid, r.target, r.zone, r.code, r.service, r.quantity, r.price, r.start_count, w.seen_at
  from topup_history_rows(history) r
  left join topup_supplier_sightings w on w.trxid = r.trxid
  where topup_is_for(o, r.target)
    and not exists (select from topup_orders x where x.trxid = r.trxid)
$$;

-- Whether a row first seen then (null: never before) can be of an attempt that began at `tried`. A minute is left for
-- clocks that differ.
create or replace function topup_may_be_of(tried timestamptz, seen_at timestamptz) returns boolean
language sql immutable as $$
  select seen_at is null or seen_at >= tried - interval '1 minute'
$$;

-- The history shows nothing. Told so twice, with time between, the order was not bought: it fails and is refunded.
create or replace function topup_order_absent(o topup_orders, input jsonb) returns jsonb language plpgsql as $$
declare
  asked timestamptz := (input->>'asked_at')::timestamptz;
begin
  if o.absent_since <= asked - make_interval(secs => (input->>'absence_seconds')::int) then
    update topup_orders x set absences = x.absences + 1, notes = 'The service is temporarily unavailable'
    where x.id = o.id;
    return jsonb_build_object('verdict', 'settled')
      || topup_orders_end(jsonb_build_array(jsonb_build_object('id', o.id, 'state', 'failed')), input);
  end if;
  update topup_orders x set absences = x.absences + 1, absent_since = coalesce(x.absent_since, asked)
  where x.id = o.id returning * into o;
  return jsonb_build_object('verdict', 'wait', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
end $$;

-- The rows of the history in the supplier's order.
create or replace function topup_history_rows(list jsonb)
returns table (n bigint, trxid text, target text, zone text, code text, service text, quantity int, price bigint,
  start_count int) language sql immutable as $$
  select e.n, r.trxid, r.target, r.zone, r.code, r.service, r.quantity, r.price, r.start_count
  from jsonb_array_elements(list) with ordinality e(row, n),
  lateral jsonb_to_record(e.row) r(trxid text, target text, zone text, code text, service text, quantity int,
    price bigint, start_count int)
$$;

-- What every spelling of a target has in common: numbers without country code or leading zero, the rest in small letters.
-- Different targets may share it (players 62812… and 812…), so it tells only what cannot be the same.
create or replace function topup_plain_target(target text) returns text language sql immutable as $$
  select case when target ~ '^[+]?[\d .-]+$' then regexp_replace(regexp_replace(target, '\D', '', 'g'), '^(62|0+)', '')
    else lower(btrim(target)) end
$$;

-- A target without what never tells two apart: blanks around it, the case of a host or of an account's name.
create or replace function topup_exact_target(family text, target text) returns text language sql immutable as $$
  select case when family <> 'social' then btrim(target)
    when target ~* '^\s*https?://' then lower(substring(btrim(target) from '^[^/]*//[^/?#]*'))
      || coalesce(substring(btrim(target) from '^[^/]*//[^/?#]*(.*)$'), '')
    else lower(btrim(target)) end
$$;

-- Whether a purchase for this target is for the order's: letter by letter, and a phone number however it is written. As
-- `isSameTarget` of the Worker.
create or replace function topup_is_for(o topup_orders, target text) returns boolean language sql stable as $$
  select case
    when topup_plain_target(topup_is_for.target) is distinct from topup_plain_target(o.target) then false
    when topup_exact_target(o.family, topup_is_for.target) = topup_exact_target(o.family, o.target) then true
    else o.family = 'prepaid'
      and exists (select from topup_services s where s.id = o.service_id and s.target_kind = 'phone') end
$$;

-- Whether the supplier may mean the order's target with this, for which nobody ordered: the same letters and digits with
-- something around them, or none that can be compared.
create or replace function topup_may_mean(o topup_orders, target text) returns boolean language sql immutable as $$
  select t.theirs = '' or topup_may_mean.target ~ '[*•]' or position(t.mine in t.theirs) > 0
    or position(t.theirs in t.mine) > 0
  from (select topup_bare_target(o.target) as mine, coalesce(topup_bare_target(topup_may_mean.target), '') as theirs) t
$$;

create or replace function topup_bare_target(target text) returns text language sql immutable as $$
  select regexp_replace(regexp_replace(topup_plain_target(target), '^(https?://)?(www[.]|m[.])?', ''), '[^[:alnum:]]', '', 'g')
$$;

create or replace function topup_alike(x topup_orders, o topup_orders) returns boolean language sql stable as $$
  select x.family = o.family and x.code = o.code and x.quantity = o.quantity
    and x.zone is not distinct from o.zone and topup_is_for(x, o.target)
$$;

-- Whether a row of the history can be this order's purchase: its service by code, where the supplier tells it, else by
-- name.
create or replace function topup_row_fits(o topup_orders, zone text, code text, service text, quantity int)
returns boolean language sql immutable as $$
  select coalesce(nullif(btrim(row_fits.zone), ''), '-') = coalesce(nullif(btrim(o.zone), ''), '-')
    and (o.family <> 'social' or row_fits.quantity = o.quantity)
    and case when row_fits.code is not null then row_fits.code = o.code
      else lower(btrim(row_fits.service)) = lower(btrim(o.service_name)) end
  from (select topup_row_fits.zone, topup_row_fits.code, topup_row_fits.service, topup_row_fits.quantity) row_fits
$$;

-- Whether a row is plainly this order's service. A name alone is not: two services may have the same, so it must cost
-- what this one does, where the supplier says what it cost.
create or replace function topup_row_is(o topup_orders, zone text, code text, service text, quantity int, price bigint)
returns boolean language sql immutable as $$
  select topup_row_fits(o, zone, code, service, quantity)
    and (code is not null or price is null or price = o.supplier_amount)
$$;

-- Where the list comes to what was bought before the attempt: the first row that is known to have been over, or seen, by
-- then; null: nowhere.
create or replace function topup_row_before(o topup_orders, history jsonb) returns bigint language sql stable as $$
  select min(r.n) from topup_history_rows(history) r
  where exists (select from topup_orders x
      where x.trxid = r.trxid and x.bought_at < o.attempt_at - interval '5 seconds')
    or exists (select from topup_supplier_sightings w
      where w.trxid = r.trxid and w.seen_at < o.attempt_at - interval '1 minute')
$$;

-- Whether the list is all that the supplier sold since the attempt: it goes back to before it, and lacks no purchase that
-- is known to have been made since. However short a list is, and even if it is empty, it is not taken for all there is:
-- where no purchase is known, nothing proves that lists are answered at all.
create or replace function topup_reaches_back(o topup_orders, input jsonb) returns boolean language sql stable as $$
  select topup_row_before(o, input->'rows') is not null and not exists (
    select from topup_orders x
    where x.family = o.family and x.trxid is not null and x.attempt_at > o.attempt_at
      and x.bought_at < (input->>'asked_at')::timestamptz - interval '5 seconds'
      -- Unpaid and waiting orders are attempted at most so long after their number was given.
      and x.id >= uuidv7(o.attempt_at - clock_timestamp() - interval '2 hours')
      and not exists (select from topup_history_rows(input->'rows') r where r.trxid = x.trxid))
$$;

-- Whether the list has a purchase of this order's service, made since the attempt, that is nobody's and for a target
-- that no order in doubt has, but that may be this order's, written in another way. One that is plainly for another
-- target (bought past us) is no doubt.
create or replace function topup_has_stray(o topup_orders, history jsonb) returns boolean language sql stable as $$
  select exists (
    select from topup_history_rows(history) r
    left join topup_supplier_sightings w on w.trxid = r.trxid
    where r.n < topup_row_before(o, history) and topup_may_be_of(o.attempt_at, w.seen_at)
      and topup_row_fits(o, o.zone, r.code, r.service, r.quantity) and topup_may_mean(o, r.target)
      and not exists (select from topup_orders x where x.trxid = r.trxid)
      and not exists (select from topup_orders x
        where x.state in ('buying', 'unknown', 'review') and x.trxid is null and x.family = o.family
          and topup_is_for(x, r.target)))
$$;

-- {family, seen_at, trxids} -> {added}. Purchases in the history that belong to no order of ours (yet).
create or replace function topup_sightings_note(input jsonb) returns jsonb language plpgsql as $$
declare
  added int;
begin
  insert into topup_supplier_sightings (trxid, family, seen_at)
  select distinct t, input->>'family', (input->>'seen_at')::timestamptz
  from jsonb_array_elements_text(input->'trxids') t
  where not exists (select from topup_orders x where x.trxid = t)
  on conflict do nothing;
  get diagnostics added = row_count;
  return jsonb_build_object('added', added);
end $$;
