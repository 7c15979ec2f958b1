-- Which of the supplier's rows may be whose: the orders in doubt around one of them, the rows that belong to no order, and
-- which can be the purchase of which. Whose they are, follows from that (topup_orders_assign.sql).
--
-- How well a row fits an order (`rank`; null: not at all):
--   1 its service, for its target;
--   2 its service at another price, where another service has the same name;
--   3 at its price, for its target, of a service, zone or spelling that no price list has;
--   4 for its target, of such a service, at another price;
--   5 its service, for a target that may be its own, blacked out or written in another way;
--   6 for such a target, of a service or zone that no price list has at its price, or its service as 2.

drop function if exists topup_row_rank(topup_orders, text, text, text, text, int, bigint);
-- `most`: a worse rank is not looked for.
create or replace function topup_row_rank(x topup_orders, target text, zone text, code text, service text, quantity int,
  price bigint, most int default 6) returns int language sql stable as $$
  select case
    when topup_is_for(x, r.target) then case
      when topup_row_is(x, r.zone, r.code, r.service, r.quantity, r.price) then 1
      when topup_row_is_other(x, r.zone, r.code, r.service, r.quantity, r.price) then null
      when topup_row_fits(x, r.zone, r.code, r.service, r.quantity) then 2
      when r.price = x.supplier_amount then 3 else 4 end
    when most < 5 or not topup_may_mean(x, r.target) then null
    -- Whether it is something else is asked last: that takes a look through the price list.
    when not coalesce(topup_row_fits(x, r.zone_beside, r.code, r.service, r.quantity) or r.price = x.supplier_amount, false)
      or topup_row_is_other(x, r.zone, r.code, r.service, r.quantity, r.price) then null
    when topup_row_is(x, r.zone_beside, r.code, r.service, r.quantity, r.price) then 5 else 6 end
  from (select topup_row_rank.target, topup_row_rank.zone, topup_row_rank.code, topup_row_rank.service,
    topup_row_rank.quantity, topup_row_rank.price,
    -- Beside a target that is written otherwise the zone may stand in it, or nowhere.
    coalesce(nullif(btrim(topup_row_rank.zone), ''), x.zone) as zone_beside) r
$$;

-- The rows that belong to no order, or to one that has them by an answer that told of another's, each once, with when they were
-- first seen, named by a callback or told of in an answer or by a person (`seen_at`), and when they were surely made by
-- (`made_by`): what stands behind another one is no younger. [{n, trxid, target, …, seen_at, made_by}].
create or replace function topup_free_rows(history jsonb) returns jsonb language sql stable as $$
  with free as materialized (
    select r.*, least(w.seen_at, r.named_at,
      -- topup_may_be_of leaves what is only named no minute.
      least(topup_told_by(x), answered.at) + case when r.n is null then interval '55 seconds' else interval '0' end) as seen_at
    from (select distinct on (h.trxid) h.* from topup_history_rows(history) h order by h.trxid, h.n) r
    left join topup_supplier_sightings w on w.trxid = r.trxid
    left join topup_orders x on x.trxid = r.trxid
    left join lateral (
      select min(topup_answered_by(y)) as at from topup_orders y where y.answered_trxid = r.trxid) answered on true
    where x.id is null or topup_is_lent(x, r.target, r.zone, r.code, r.service, r.quantity, r.price)
  )
  select coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('outcome', coalesce(f.outcome, 'open'), 'made_by',
    case when f.n is null then f.seen_at else f.above end)), '[]')
  from (select f.*, min(f.seen_at) filter (where f.n is not null) over (order by f.n) as above from free f) f
$$;

-- What of these rows may be an order's purchase: [{of, trxid, rank, in_place, is_priced}]. Never what was seen before its
-- attempt, nor what stands behind something that was final before it, where the list is known to have its newest rows first
-- (`is_told`): who trusts a place that tells nothing refunds what was bought. `in_place`: it stands where a list by time has it,
-- if it is one (`is_by_time`), behind all that was bought after the attempt's lease, and before all that was there before it; `is_priced`: it costs no other
-- than that order's price. Both tell only whose of several orders a row is, and which of several rows is an order's: rows show
-- as late as they please, or by when they last changed, and prices change before we know.
drop function if exists topup_claims_of(topup_orders, jsonb, jsonb, int);
drop function if exists topup_claims_of(topup_orders, jsonb, jsonb, int, boolean);
create or replace function topup_claims_of(x topup_orders, free jsonb, history jsonb, most int, is_told boolean,
  is_by_time boolean) returns jsonb language sql stable as $$
  with around as materialized (
    select case when is_by_time then topup_row_behind(x, history) end as after,
      case when is_by_time then topup_row_before(x, history) end as before,
      case when is_told then topup_row_older(x, history) end as older
  )
  select coalesce(jsonb_agg(jsonb_build_object('of', x.id, 'trxid', r.trxid, 'rank', fit.rank, 'in_place',
    coalesce(r.n > coalesce(around.after, 0), true) and (r.n >= around.before) is not true,
    'is_priced', coalesce(r.price = x.supplier_amount, true))), '[]')
  from around, topup_free_record(free) r, topup_row_rank(x, r.target, r.zone, r.code, r.service, r.quantity, r.price, most) fit(rank)
  where fit.rank <= most and (r.n >= around.older) is not true and topup_may_be_of(x.attempt_at, r.seen_at, r.n is null)
$$;

-- As topup_row_after, but for what like orders were matched by: nobody is sure whose of them that is.
create or replace function topup_row_behind(o topup_orders, history jsonb) returns bigint language sql stable as $$
  select max(r.n) from topup_history_rows(history) r join topup_orders x on x.trxid = r.trxid
  where x.family = o.family and x.attempt_at >= o.attempt_until and x.bought_at is not null
    and (x.matched_at is null or not topup_alike(x, o))
$$;

create or replace function topup_claim_record(claims jsonb)
returns table (of uuid, trxid text, rank int, in_place boolean, is_priced boolean) language sql immutable as $$
  select c.* from jsonb_to_recordset(claims) c(of uuid, trxid text, rank int, in_place boolean, is_priced boolean)
$$;

drop function if exists topup_free_record(jsonb);
create or replace function topup_free_record(free jsonb)
returns table (n bigint, trxid text, target text, zone text, code text, service text, quantity int, price bigint,
  start_count int, outcome text, seen_at timestamptz, made_by timestamptz) language sql immutable as $$
  select r.* from jsonb_to_recordset(free) r(n bigint, trxid text, target text, zone text, code text, service text,
    quantity int, price bigint, start_count int, outcome text, seen_at timestamptz, made_by timestamptz)
$$;

-- The orders around one in doubt, itself the first: those in doubt that a row can be of as well, and so on (`orders`); the
-- rows (`free`) and what may be whose (`claims`), up to the rank `most`. Some of the orders have their purchase, and could
-- as well have another one (topup_movable_claims). `is_by_time`: where rows stand tells when they were made (topup_is_by_time).
drop function if exists topup_claims_around(topup_orders, jsonb, int);
create or replace function topup_claims_around(o topup_orders, history jsonb, most int,
  out orders topup_orders[], out free jsonb, out claims jsonb, out is_by_time boolean) language plpgsql stable as $$
declare
  x topup_orders;
  of_x jsonb;
  moving jsonb;
  is_told boolean := topup_list_order(history) is not distinct from 'newest';
  -- Put together once: of hundreds of orders they are tens of thousands.
  found jsonb[] := '{}';
  news jsonb;
  known text[] := '{}';
  next int := 1;
begin
  free := topup_free_rows(history);
  is_by_time := topup_is_by_time(history);
  -- Where rows stand is all that is asked of them any more, if that tells anything.
  select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('trxid', h->'trxid', 'named_at', h->'named_at')) order by n), '[]')
  into history from jsonb_array_elements(history) with ordinality e(h, n) where is_told;
  orders := array[o];
  while next <= cardinality(orders) loop
    x := orders[next];
    next := next + 1;
    of_x := topup_claims_of(x, free, history, most, is_told, is_by_time);
    moving := case when is_told then topup_movable_claims(x, free, history, most) else '[]' end;
    found := found || of_x || moving || case when x.trxid is null then '[]'
      else jsonb_build_array(jsonb_build_object('of', x.id, 'trxid', x.trxid, 'rank', 1, 'in_place', true, 'is_priced', true)) end;
    -- Whose a row can be, too, is looked up once.
    news := topup_rows_of(free, (select jsonb_agg(c) from jsonb_array_elements(of_x) c where c->>'trxid' <> all (known)));
    known := known || array(select n->>'trxid' from jsonb_array_elements(news) n);
    orders := orders || topup_rivals_for(o, news, orders, most)
      || array(select y from topup_orders y where y.trxid in (select m->>'trxid' from jsonb_array_elements(moving) m)
        and y.id not in (select k.id from unnest(orders) k));
  end loop;
  select coalesce(jsonb_agg(c order by f.n, c.n), '[]') into claims
  from unnest(found) with ordinality f(claims, n), jsonb_array_elements(f.claims) with ordinality c(c, n);
  claims := topup_moving_claims(claims, orders);
end $$;

create or replace function topup_rows_of(free jsonb, claims jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_agg(f), '[]') from jsonb_array_elements(free) f
  where f->>'trxid' in (select c->>'trxid' from jsonb_array_elements(claims) c)
$$;

-- The orders in doubt beside this one that one of these rows can be of, but for those that are known.
create or replace function topup_rivals_for(o topup_orders, free jsonb, known topup_orders[], most int)
returns topup_orders[] language sql stable as $$
  select array(select y from topup_orders y
    where y.state in ('buying', 'unknown', 'review') and y.trxid is null and y.family = o.family
      and topup_is_undecided(y, o) and y.id not in (select k.id from unnest(known) k)
      and exists (select from topup_free_record(free) r
        where topup_may_be_of(y.attempt_at, r.seen_at, r.n is null)
          and topup_row_rank(y, r.target, r.zone, r.code, r.service, r.quantity, r.price, most) <= most))
$$;

-- The claims without those on purchases whose orders could not have another one instead; such a claim is no better than
-- what that order would have.
create or replace function topup_moving_claims(claims jsonb, orders topup_orders[]) returns jsonb
language sql immutable as $$
  with recursive claim as materialized (
    select c.* from topup_claim_record(claims) c
  ), settled as materialized (
    select x.id, x.trxid from unnest(orders) x where x.trxid is not null
  ), moving as (
    select s.id, s.trxid from settled s join claim c on c.of = s.id where c.trxid not in (select y.trxid from settled y)
    union
    select s.id, s.trxid from moving m join claim c on c.trxid = m.trxid join settled s on s.id = c.of
  )
  select coalesce(jsonb_agg(to_jsonb(c) || jsonb_build_object('rank', greatest(c.rank, (
      select min(other.rank) from claim other where m.id <> c.of and other.of = m.id and other.trxid <> m.trxid)))), '[]')
  from claim c left join moving m on m.trxid = c.trxid
  where m.id is not null or c.trxid not in (select s.trxid from settled s)
$$;

-- Purchases of orders like this one, tried before it, that can as well be its own; then theirs may be one that is too old
-- for this one. Rows show as late as they please, and whoever bought them, it is the same which of them is whose. Not those
-- that their own answers told of, or that lists had shown or callbacks named before its attempt.
create or replace function topup_movable_claims(x topup_orders, free jsonb, history jsonb, most int) returns jsonb
language sql stable as $$
  with before as materialized (
    select topup_row_older(x, history) as n
  ), late as materialized (
    select min(topup_row_rank(x, r.target, r.zone, r.code, r.service, r.quantity, r.price, most)) as rank
    from topup_free_record(free) r, before where r.n >= before.n
  )
  select coalesce(jsonb_agg(jsonb_build_object('of', x.id, 'trxid', y.trxid, 'rank', late.rank, 'in_place', true,
    'is_priced', true)), '[]')
  from late, before, topup_orders y left join topup_history_rows(history) r on r.trxid = y.trxid
  left join topup_supplier_sightings w on w.trxid = y.trxid
  where late.rank is not null and y.matched_at is not null and y.attempt_at < x.attempt_at and topup_alike(y, x)
    and y.id >= uuid_from(x.attempt_at - interval '1 day')
    and (r.n < before.n or r.n is null and y.bought_at >= x.attempt_at - interval '5 seconds')
    and topup_may_be_of(x.attempt_at, w.seen_at)
    and not exists (select from inbox_events e
      where e.id >= uuid_from(y.attempt_at) and e.id < uuid_from(x.attempt_at) and e.provider = 'vip-reseller'
        and starts_with(e.event_key, y.trxid || '/'))
$$;
