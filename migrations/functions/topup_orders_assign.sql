-- Whose the rows are that may be of several orders in doubt: an assignment. Each order has one purchase or none, each row is
-- one order's or, made past us, none's; who can have what is in topup_orders_claims.sql. A row that may be ours is ours, so
-- the assignments that count are those that give as many orders a row as can have one together (bipartite_matching.sql).
-- What all of them say is certain; where they differ, facts have to come or a person has to tell.

-- What the assignments say of the order at the rank at which rows fit it best, `most` at the worst (`rank`; null: no row
-- can be its purchase).
--   `mine`     the row that it has; null: not in this one, which serves who was tried first before who was later;
--   `rivals`   the orders that go without where it does not, itself among them; none: it has one in every assignment;
--   `swaps`    orders for other goods or targets with which it could change rows, all of them keeping one;
--   `is_spare` it could have another row that nobody needs;
--   `rows`     those between which it or its rivals have a choice;
--   `ends`     what they have come to, all that give the money back being one;
--   `is_busy`  an order beside it is still being bought;
--   `is_better` a row of its own fits an order in doubt beside it better.
-- A row is no order's that stands before something that was bought after it, where it stands as it should for another one.
create or replace function topup_assigned(o topup_orders, history jsonb, most int, out rank int, out mine jsonb,
  out rivals topup_orders[], out swaps topup_orders[], out is_spare boolean, out rows jsonb, out ends text[],
  out is_busy boolean, out is_better boolean) language plpgsql stable as $$
declare
  around record := topup_claims_around(o, history, most);
  claims jsonb := topup_best_claims(o, around.claims);
  orders topup_orders[];
  seats text[];
  wishes jsonb;
  held int[];
  has int[];
  me int;
  others int[];
  choice int[];
begin
  rank := (select max(c.rank) from topup_claim_record(claims) c where c.of = o.id);
  if rank is null then
    return;
  end if;
  select array_agg(x order by x.attempt_at, x.id) into orders from unnest(around.orders) x
  where x.id in (select c.of from topup_claim_record(claims) c);
  -- Dearest is what few could have, then what was made first.
  select array_agg(s.trxid order by s.fits, r.n is null, r.made_by nulls last, r.n desc) into seats
  from (select c.trxid, count(*) as fits from topup_claim_record(claims) c group by c.trxid) s
  left join topup_free_record(around.free) r on r.trxid = s.trxid;
  select jsonb_agg(w.wished order by x.ordinality), array_agg(array_position(seats, x.trxid) order by x.ordinality),
    max(x.ordinality) filter (where x.id = o.id)
  into wishes, held, me
  from unnest(orders) with ordinality x join (
    select c.of, jsonb_agg(s.at order by s.at) as wished
    from topup_claim_record(claims) c join unnest(seats) with ordinality s(trxid, at) on s.trxid = c.trxid group by c.of
  ) w on w.of = x.id;
  has := matching_of(wishes, held);
  others := matching_rivals(wishes, has, held, me);
  rivals := array(select orders[n] from unnest(others) n);
  choice := (matching_moves(wishes, has, array[me])).members;
  is_spare := others = '{}' and (matching_moves(wishes, has, array[me])).is_free;
  swaps := case when others <> '{}' then '{}' else array(select orders[n]
    from unnest(case when exists (select from unnest(orders) x where not topup_alike(x, o)) then matching_swaps(wishes, has, me) end) n
    where not topup_alike(orders[n], o)) end;
  mine := topup_seat_of(around.free, seats, orders, has, me);
  select jsonb_agg(to_jsonb(r)), array_agg(distinct topup_plain_end(r.outcome)) into rows, ends
  from topup_free_record(around.free) r
  where array_position(seats, r.trxid) in (
    select e::int from unnest(case when others = '{}' then choice else others end) n, jsonb_array_elements_text(wishes->(n - 1)) e);
  is_busy := exists (select from unnest(orders) x where x.state = 'buying' and x.id <> o.id);
  is_better := exists (select from topup_claim_record(claims) c join topup_claim_record(claims) better using (trxid)
    join unnest(orders) x on x.id = better.of
    where c.of = o.id and better.rank < c.rank and x.state = 'unknown');
end $$;

-- Of the claims those that count for the order: no worse than its best one; where a row stands as it should for one order,
-- not those of who it does not; and where an order has a row that does, not its others.
create or replace function topup_best_claims(o topup_orders, claims jsonb) returns jsonb language sql immutable as $$
  with claim as materialized (
    select c.* from topup_claim_record(claims) c
  ), held as materialized (
    select c.* from claim c where c.in_place or not exists (
      select from claim y where y.trxid = c.trxid and y.of <> c.of and y.in_place and y.rank <= c.rank)
  ), best as (
    select min(h.rank) as rank from held h where h.of = o.id
  )
  select coalesce(jsonb_agg(to_jsonb(h)), '[]') from held h, best
  where h.rank <= best.rank and (h.in_place or not exists (
    select from held y where y.of = h.of and y.in_place and y.rank <= h.rank))
$$;

create or replace function topup_claim_record(claims jsonb)
returns table (of uuid, trxid text, rank int, in_place boolean) language sql immutable as $$
  select c.* from jsonb_to_recordset(claims) c(of uuid, trxid text, rank int, in_place boolean)
$$;

-- The row that the member gets: its seat, or where that is the purchase of an order that has it already, what that one
-- could have instead.
create or replace function topup_seat_of(free jsonb, seats text[], orders topup_orders[], has int[], member int)
returns jsonb language plpgsql immutable as $$
declare
  at int := member;
  row jsonb;
begin
  while has[at] is not null loop
    row := (select f from jsonb_array_elements(free) f where f->>'trxid' = seats[has[at]]);
    exit when row is not null;
    at := (select n from generate_subscripts(orders, 1) n where orders[n].trxid = seats[has[at]]);
  end loop;
  return row;
end $$;

-- What gives the money back is all one.
create or replace function topup_plain_end(outcome text) returns text language sql immutable as $$
  select case when outcome in ('cancelled', 'refunded') then 'failed' else outcome end
$$;
