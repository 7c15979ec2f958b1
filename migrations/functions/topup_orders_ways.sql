-- Every way in which the supplier's rows can belong to orders in doubt. What was bought later stands in front of what was
-- bought before: between two orders that says which of two rows is whose; among more, only trying out all ways tells. It is
-- done before a person is asked (topup_orders_decide.sql): quick beside a few orders, and a crowd that nothing tells apart is
-- his.

-- The claims that some of the best ways make use of (topup_best_ways). Ways that end alike for every buyer are one: the least
-- is taken. All claims, where there are too many ways to try.
create or replace function topup_claims_of_ways(orders topup_orders[], free jsonb, claims jsonb, history jsonb) returns jsonb
language plpgsql stable as $$
begin
  if (select sum(ln(1 + n)) from (select count(*) as n from topup_claim_record(claims) c group by c.of) own) > ln(topup_most_ways()) then
    return claims;
  end if;
  select array_agg(x order by x.attempt_at, x.id) into orders from unnest(orders) x;
  return (
    with way as materialized (
      select w.trxids, topup_way_ends(w.trxids, a.buyers, a.ends) as ends
      from (select topup_like_orders(orders) as buyers, topup_plain_ends(orders, free) as ends) a,
        topup_best_ways(orders, claims, history) w(trxids)
    ), kept as (
      select trxids from way where (select count(distinct ends) from way) > 1 or trxids = (select min(trxids) from way)
    ), pair as (
      select distinct x.id, p.trxid
      from kept k, unnest(k.trxids) with ordinality p(trxid, nth) join unnest(orders) with ordinality x on x.ordinality = p.nth
    )
    select coalesce(jsonb_agg(c), '[]') from topup_claim_record(claims) c join pair p on p.id = c.of and p.trxid = c.trxid);
end $$;

-- The ways by which as many orders as can be have a row: for each, in the order in which they were tried, its trxid or null.
-- No row is of two orders, nor does it stand behind another one's whose attempt was over before its own began; where more
-- have one if the list is out of order, those ways count as well. Of them the ways by which the rows fit best, and then
-- those by which most cost what they should.
create or replace function topup_best_ways(orders topup_orders[], claims jsonb, history jsonb) returns setof text[]
language sql stable as $$
  with recursive tells as materialized (
    select topup_are_priced_apart(orders, claims) as price
  ), place as materialized (
    select r.trxid, min(r.n) as n from topup_history_rows(history) r group by r.trxid
  ), choice as materialized (
    select x.ordinality::int as nth, c.trxid, p.n, c.in_place, c.rank, c.is_priced and tells.price as is_priced
    from tells, unnest(orders) with ordinality x join topup_claim_record(claims) c on c.of = x.id
    left join place p on p.trxid = c.trxid
    union all
    -- Who has a purchase that could be another's has one in all ways.
    select x.ordinality, null, null, true, 0, false from unnest(orders) with ordinality x
    where x.trxid is null or x.id not in (select c.of from topup_claim_record(claims) c)
  ), way as (
    select 0 as nth, '{}'::text[] as trxids, '{}'::bigint[] as places, true as is_listed_so, 0 as ranks, 0 as priced
    union all
    select w.nth + 1, array_append(w.trxids, c.trxid), array_append(w.places, c.n), w.is_listed_so and c.in_place
      and not exists (select from unnest(w.places) with ordinality p(n, nth)
        where p.n < c.n and orders[p.nth].attempt_until + interval '5 seconds' < orders[c.nth].attempt_at),
      w.ranks + c.rank, w.priced + c.is_priced::int
    from way w join choice c on c.nth = w.nth + 1 and (c.trxid is null or array_position(w.trxids, c.trxid) is null)
  ), whole as materialized (
    select w.*, cardinality(array_remove(w.trxids, null)) as bought from way w where w.nth = cardinality(orders)
  ), fullest as (
    select w.*, rank() over (partition by w.bought order by w.ranks, w.priced desc) as place
    from whole w, (select max(bought) as most, max(bought) filter (where is_listed_so) as most_listed_so from whole) m
    where w.is_listed_so and w.bought = m.most_listed_so or w.bought = m.most and m.most_listed_so is distinct from m.most
  )
  select f.trxids from fullest f where f.place = 1
$$;

-- Whether prices tell the orders apart: those of one target. They may have changed before we knew, and of targets that look
-- alike they would then tell nothing.
create or replace function topup_are_priced_apart(orders topup_orders[], claims jsonb) returns boolean language sql stable as $$
  select (select max(c.rank) from topup_claim_record(claims) c) < 5
    or (select bool_and(topup_alike(x, orders[1])) from unnest(orders) x)
$$;

-- What a way comes to: how the orders of each buyer for the same goods end. `buyers`: as topup_like_orders has them; `ends`:
-- {trxid: end}.
create or replace function topup_way_ends(way text[], buyers int[], ends jsonb) returns text language sql immutable as $$
  select string_agg(e.told, ',' order by e.told)
  from (select concat_ws(' ', buyers[w.nth], case when w.trxid is null then 'failed' else coalesce(ends->>w.trxid, w.trxid) end)
    as told from unnest(way) with ordinality w(trxid, nth)) e
$$;

-- The ends of these rows, the same for all that are the same to a buyer: those that give the money back; those that are for
-- the same goods and say the same; and those that succeeded, if nothing comes with them that only their own buyer may see.
create or replace function topup_plain_ends(orders topup_orders[], free jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_object_agg(r.trxid, case
      when topup_plain_end(r.outcome) = 'failed' then 'failed'
      when r.outcome = 'success' and a.are_for_all or r.outcome in ('open', 'success') and a.are_alike then r.outcome
      else r.trxid end), '{}')
  from topup_free_record(free) r, (
    select bool_and(x.family = 'social' or coalesce(x.target_kind = 'phone', false)) as are_for_all,
      bool_and(topup_alike(x, orders[1])) as are_alike
    from unnest(orders) x) a
$$;

-- Of each order the number of the first one that is the same to its buyer.
create or replace function topup_like_orders(orders topup_orders[]) returns int[] language sql stable as $$
  select array(select (select min(y) from generate_subscripts(orders, 1) y where topup_are_one_buyers(orders[x], array[orders[y]]))
    from generate_subscripts(orders, 1) x order by x)
$$;

-- A second's work.
create or replace function topup_most_ways() returns int language sql immutable as $$
  select 20000
$$;
