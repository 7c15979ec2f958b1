-- The rows of the supplier's history beside one order in doubt: when they can have been made, what it tells where they stand,
-- and whether they are of its goods. Which can be whose stands in topup_orders_claims.sql, what silence means in
-- topup_orders_silence.sql.

drop function if exists topup_may_be_of(timestamptz, timestamptz);
-- Whether a row first seen then (null: never before) can be of an attempt that began at `tried`. A minute is left for
-- clocks that differ; not where a callback alone names it (`is_named`): who was tried after that came leaves it to who was
-- tried before.
create or replace function topup_may_be_of(tried timestamptz, seen_at timestamptz, is_named boolean default false)
returns boolean language sql immutable as $$
  select seen_at is null or seen_at >= tried - case when is_named then interval '0' else interval '1 minute' end
$$;

drop function if exists topup_history_rows(jsonb);
-- The rows of the history. `n`: its place in the supplier's list; null for one that a callback named at `named_at` and no
-- list has: where it stands among the array's rows tells nothing.
create or replace function topup_history_rows(history jsonb)
returns table (n bigint, trxid text, target text, zone text, code text, service text, quantity int, price bigint,
  start_count int, outcome text, named_at timestamptz) language sql stable as $$
  select case when r.named_at is null then e.n end, r.trxid, r.target, r.zone, r.code, r.service, r.quantity, r.price,
    r.start_count, r.outcome, r.named_at
  from jsonb_array_elements(history) with ordinality e(row, n),
  lateral jsonb_to_record(e.row) r(trxid text, target text, zone text, code text, service text, quantity int,
    price bigint, start_count int, outcome text, named_at timestamptz)
$$;

-- In which order the list shows what was made, as far as the purchases tell that our own answers told of: one was over before
-- another was tried. `newest` first, `oldest` first: three stand so, and none the other way round; `none`: it is in no such order,
-- or may not be; null: not told. The supplier promises none: he may sort by when a row last changed.
create or replace function topup_list_order(history jsonb) returns text language sql stable as $$
  with placed as materialized (
    select r.n, x.bought_at, x.attempt_at - interval '5 seconds' as tried,
      min(x.bought_at) over above as over_before, min(x.bought_at) over behind as over_behind
    from topup_history_rows(history) r join topup_orders x on x.trxid = r.trxid
    where r.n is not null and x.bought_at is not null and x.matched_at is null
    window above as (order by r.n rows between unbounded preceding and 1 preceding),
      behind as (order by r.n desc rows between unbounded preceding and 1 preceding)
  ), told as (
    select p.*, min(p.bought_at) filter (where p.over_before < p.tried)
      over (order by p.n rows between unbounded preceding and 1 preceding) as second_before
    from placed p
  )
  select case
    when bool_or(t.second_before < t.tried) and not bool_or(t.over_behind < t.tried) then 'oldest'
    when bool_or(t.over_before < t.tried) then 'none'
    when bool_or(t.over_behind < t.tried) then 'newest' end
  from told t
$$;

-- Whether where its rows stand tells when they were made: the list has its newest first, and none stands in front of what was
-- tried when a list had shown it already. That would be by when rows last changed, or in no order.
create or replace function topup_is_by_time(history jsonb) returns boolean language sql stable as $$
  with placed as materialized (
    select x.attempt_at as tried,
      min(w.seen_at) over (order by r.n rows between unbounded preceding and 1 preceding) as shown_above
    from topup_history_rows(history) r
    left join topup_orders x on x.trxid = r.trxid and x.bought_at is not null and x.matched_at is null
    left join topup_supplier_sightings w on w.trxid = r.trxid
    where r.n is not null
  )
  select topup_list_order(history) is not distinct from 'newest'
    and not exists (select from placed p where p.shown_above < p.tried - interval '1 minute')
$$;

-- The list with its newest rows first, where it is known to have its oldest there.
create or replace function topup_newest_first(history jsonb) returns jsonb language sql stable as $$
  select case when topup_list_order(history) = 'oldest'
    then (select jsonb_agg(e.row order by e.n desc) from jsonb_array_elements(history) with ordinality e(row, n))
    else history end
$$;

-- When the list's rows were final, as far as we know, and when the last purchase in front of each was tried that our own
-- answers told of. A minute is left to lists, of which 5 seconds are those of our clocks.
create or replace function topup_final_rows(history jsonb)
returns table (n bigint, final_at timestamptz, tried_above timestamptz) language sql stable as $$
  select r.n, least(case when x.bought_at is not null then x.finished_at end, w.ended_at + interval '55 seconds'),
    max(x.attempt_at) filter (where x.bought_at is not null and x.matched_at is null)
      over (order by r.n rows between unbounded preceding and 1 preceding)
  from topup_history_rows(history) r left join topup_orders x on x.trxid = r.trxid
  left join topup_supplier_sightings w on w.trxid = r.trxid
  where r.n is not null
$$;

create or replace function topup_alike(x topup_orders, o topup_orders) returns boolean language sql stable as $$
  select x.family = o.family and x.code = o.code and x.quantity = o.quantity
    and topup_plain_zone(x.zone) is not distinct from topup_plain_zone(o.zone) and topup_is_for(x, o.target)
$$;

-- Names as they are compared: the case of letters, the number of blanks, and how a page writes "&" tell nothing.
create or replace function topup_plain_name(name text) returns text language sql immutable as $$
  select replace(lower(btrim(regexp_replace(name, '\s+', ' ', 'g'))), '&amp;', '&')
$$;

-- Zones as they are compared: zeros before a number tell nothing either.
create or replace function topup_plain_zone(zone text) returns text language sql immutable as $$
  select case when btrim(zone) ~ '^\d+$' then coalesce(nullif(ltrim(btrim(zone), '0'), ''), '0') else topup_plain_name(zone) end
$$;

-- Whether a row of the history can be this order's purchase: its service by code, where the supplier tells it, else by
-- name, as it was ordered or as the price list has it now.
create or replace function topup_row_fits(o topup_orders, zone text, code text, service text, quantity int)
returns boolean language sql stable as $$
  select coalesce(nullif(topup_plain_zone(row_fits.zone), ''), '-') = coalesce(nullif(topup_plain_zone(o.zone), ''), '-')
    and (o.family <> 'social' or row_fits.quantity = o.quantity)
    and case when row_fits.code is not null then row_fits.code = o.code else topup_is_named(o, row_fits.service) end
  from (select topup_row_fits.zone, topup_row_fits.code, topup_row_fits.service, topup_row_fits.quantity) row_fits
$$;

create or replace function topup_is_named(o topup_orders, service text) returns boolean language sql stable as $$
  select topup_is_called(topup_is_named.service, o.service_name, o.brand, o.code) or exists (select from topup_services s
    where s.id = o.service_id and topup_is_called(topup_is_named.service, s.name, s.brand, s.code))
$$;

-- Names as those of services are found by, in whatever way the supplier divides them. Nothing of ours in here: an index that
-- is built anew or analyzed finds no other function.
create or replace function topup_name_key(name text) returns text language sql immutable as $$
  select replace(lower(btrim(regexp_replace(name, '[\s:|/–—-]+', ' ', 'g'))), '&amp;', '&')
$$;
create index if not exists topup_services_name_key_idx on topup_services (topup_name_key(name));
create index if not exists topup_services_whole_name_key_idx on topup_services (topup_name_key(brand || ' ' || name));

-- Whether the supplier means a service of its price list with these words beside a purchase: its name there, as it is or
-- behind its game, category or code ("Mobile Legends B - 1048 Diamonds", as the orders of games are shown), or its code.
-- Among tens of thousands it is found by indexes.
create or replace function topup_is_called(shown text, name text, brand text, code text) returns boolean
language sql immutable as $$
  select topup_name_key(name) = topup_name_key(shown) or topup_name_key(brand || ' ' || name) = topup_name_key(shown)
    or code = split_part(btrim(shown), ' ', 1)
      and (code = btrim(shown) or topup_name_key(code || ' ' || name) = topup_name_key(shown))
$$;

-- Whether a row is plainly this order's service. A name alone is not where another service has the same: then it must
-- cost what this one does, where the supplier says what it cost.
create or replace function topup_row_is(o topup_orders, zone text, code text, service text, quantity int, price bigint)
returns boolean language sql stable as $$
  select topup_row_fits(o, zone, code, service, quantity)
    and (code is not null or price is null or price = o.supplier_amount
      or not exists (select from topup_services s where s.family = o.family and s.id <> o.service_id
        and topup_is_called(topup_row_is.service, s.name, s.brand, s.code)))
$$;

-- Whether a row is plainly something else than what was ordered, though it is for the same target: another zone or
-- quantity, or another service of the price list by its code or its name. Zones are plainly others where both are numbers:
-- a server's name is written in many ways. A name may have come from another service since, so it proves nothing at what
-- the order should cost. Of a name that both have the price tells, once a list younger than the attempt has both prices.
create or replace function topup_row_is_other(o topup_orders, zone text, code text, service text, quantity int,
  price bigint) returns boolean language sql stable as $$
  select coalesce(btrim(r.zone) ~ '^\d+$' and btrim(o.zone) ~ '^\d+$' and topup_plain_zone(r.zone) <> topup_plain_zone(o.zone), false)
    or coalesce(o.family = 'social' and r.quantity <> o.quantity, false)
    or case when r.code = o.code then false
      when r.code is not null
        then exists (select from topup_services s where s.family = o.family and s.code = r.code)
      when topup_is_named(o, r.service) and (r.price <> o.supplier_amount) is not true then false
      else exists (select from topup_services s, lateral (select topup_supplier_cost(s, o.quantity) as cost) c
        where s.family = o.family and s.id <> o.service_id and topup_is_called(r.service, s.name, s.brand, s.code)
          and case when topup_is_named(o, r.service)
            then r.price <> o.supplier_amount and r.price = c.cost and topup_is_priced_since(o, r.price)
            else not coalesce(r.price = o.supplier_amount and r.price <> c.cost and not topup_has_cost(s, o, r.price), false) end) end
  from (select topup_row_is_other.zone, topup_row_is_other.code, topup_row_is_other.service,
    topup_row_is_other.quantity, topup_row_is_other.price) r
$$;

-- Whether another service cost this when the order was tried, or in the day before, or since then, though it does not now.
create or replace function topup_has_cost(s topup_services, o topup_orders, price bigint) returns boolean
language sql stable as $$
  select exists (select from topup_price_history h
    where h.service_id = s.id and h.created_at > o.attempt_at - interval '1 day' and topup_supplier_cost(
      jsonb_populate_record(s, jsonb_build_object('supplier_price', h.old_supplier_price)), o.quantity) = topup_has_cost.price)
$$;

-- Whether a price list that was asked for after the attempt has the order's service, and not at this price.
create or replace function topup_is_priced_since(o topup_orders, price bigint) returns boolean language sql stable as $$
  select exists (select from topup_syncs y
      where y.started_at > o.attempt_at and y.families->o.family->>'state' = 'applied')
    and not exists (select from topup_services s
      where s.id = o.service_id and topup_supplier_cost(s, o.quantity) = topup_is_priced_since.price)
$$;
