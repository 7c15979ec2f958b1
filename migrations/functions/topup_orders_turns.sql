-- The order of the supplier's list as a fact about several orders at once: what was bought later stands in front of what was
-- bought before. Between two orders that says which of two rows is whose; among more, only trying out all ways tells. It is
-- asked before a person is (topup_orders_decide.sql): quick beside a few orders, and a crowd that nothing tells apart is his.

-- Of these claims those by which, all orders taken together, the purchases can have been made (topup_best_ways). Where all
-- ways come to the same for each buyer, those of one of them. All claims, where there are too many ways to try.
create or replace function topup_claims_in_turn(orders topup_orders[], free jsonb, claims jsonb, history jsonb) returns jsonb
language plpgsql stable as $$
begin
  if (select sum(ln(1 + (select count(*) from topup_claim_record(claims) c where c.of = x.id))) from unnest(orders) x)
    > ln(topup_most_ways()) then
    return claims;
  end if;
  select array_agg(x order by x.attempt_at, x.id) into orders from unnest(orders) x;
  return (
    with way as materialized (
      select w.way, topup_way_ends(w.way, a.whose, a.ends) as ends
      from (select topup_same_buyers(orders) as whose, topup_plain_ends(orders, free) as ends) a,
        topup_best_ways(orders, claims, history) w(way)
    ), told as (
      select way from way where (select count(distinct ends) from way) > 1 or way = (select min(way) from way)
    ), pair as (
      select distinct x.id, p.trxid
      from told t, unnest(t.way) with ordinality p(trxid, turn) join unnest(orders) with ordinality x on x.ordinality = p.turn
    )
    select coalesce(jsonb_agg(c), '[]') from topup_claim_record(claims) c join pair p on p.id = c.of and p.trxid = c.trxid);
end $$;

-- The ways to hand out the rows that explain most: for each order, by turns, its row or null. Each row is one order's, as many
-- orders have one as can, and none stands behind another one's whose attempt was over before its own began. Where more have
-- one if the list is out of order, those ways as well. Of these the ways by which most rows cost what they should.
create or replace function topup_best_ways(orders topup_orders[], claims jsonb, history jsonb) returns setof text[]
language sql stable as $$
  with recursive tells as materialized (
    select topup_are_priced_apart(orders, claims) as price
  ), choice as materialized (
    select x.ordinality::int as turn, c.trxid, r.n, c.in_place, c.is_priced and tells.price as is_priced
    from tells, unnest(orders) with ordinality x join topup_claim_record(claims) c on c.of = x.id
    left join topup_history_rows(history) r on r.trxid = c.trxid
    union all
    -- Who has a purchase that could be another's has one in all ways.
    select x.ordinality, null, null, null, false from unnest(orders) with ordinality x
    where x.trxid is null or x.id not in (select c.of from topup_claim_record(claims) c)
  ), way as (
    select 0 as turn, '{}'::text[] as trxids, '{}'::bigint[] as places, true as is_in_order, 0 as priced
    union all
    select w.turn + 1, array_append(w.trxids, c.trxid), array_append(w.places, c.n), w.is_in_order and coalesce(c.in_place, true)
      and not exists (select from unnest(w.places) with ordinality p(n, turn)
        where p.n < c.n and orders[p.turn].attempt_until + interval '5 seconds' < orders[c.turn].attempt_at),
      w.priced + c.is_priced::int
    from way w join choice c on c.turn = w.turn + 1 and (c.trxid is null or array_position(w.trxids, c.trxid) is null)
  ), whole as materialized (
    select w.*, cardinality(array_remove(w.trxids, null)) as bought from way w where w.turn = cardinality(orders)
  ), fullest as (
    select w.*, max(w.priced) over (partition by w.bought) as most_priced
    from whole w, (select max(bought) as most, max(bought) filter (where is_in_order) as most_in_order from whole) m
    where w.is_in_order and w.bought = m.most_in_order or w.bought = m.most and m.most_in_order is distinct from m.most
  )
  select f.trxids from fullest f where f.priced = f.most_priced
$$;

-- Whether prices tell the orders apart: those of one target. They may have changed before we knew, and of targets that look
-- alike they would then tell nothing.
create or replace function topup_are_priced_apart(orders topup_orders[], claims jsonb) returns boolean language sql stable as $$
  select (select max(c.rank) from topup_claim_record(claims) c) < 5
    or (select bool_and(topup_alike(x, orders[1])) from unnest(orders) x)
$$;

-- What a way comes to: for the orders of each buyer for the same goods (`whose`, by turns), how they end. `ends`: {trxid: end}.
create or replace function topup_way_ends(way text[], whose int[], ends jsonb) returns text language sql immutable as $$
  select string_agg(e.told, ',' order by e.told)
  from (select concat_ws(' ', whose[w.turn], case when w.trxid is null then 'failed' else coalesce(ends->>w.trxid, w.trxid) end)
    as told from unnest(way) with ordinality w(trxid, turn)) e
$$;

-- The ends of these rows, the same for all that are the same to a buyer: those that give the money back; those that are for
-- the same goods and say the same; and those that succeeded, if nothing comes with them that only their own buyer may see.
create or replace function topup_plain_ends(orders topup_orders[], free jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_object_agg(r.trxid, case
      when topup_plain_end(r.outcome) = 'failed' then 'failed'
      when r.outcome = 'success' and (orders[1].family = 'social' or orders[1].target_kind = 'phone') then r.outcome
      when r.outcome in ('open', 'success') and (select bool_and(topup_alike(x, orders[1])) from unnest(orders) x) then r.outcome
      else r.trxid end), '{}')
  from topup_free_record(free) r
$$;

-- Of each order, by turns, the turn of the first that is the same to its buyer.
create or replace function topup_same_buyers(orders topup_orders[]) returns int[] language sql stable as $$
  select array(select (select min(y) from generate_subscripts(orders, 1) y where topup_are_one_buyers(orders[x], array[orders[y]]))
    from generate_subscripts(orders, 1) x order by x)
$$;

-- A second's work.
create or replace function topup_most_ways() returns int language sql immutable as $$
  select 20000
$$;
