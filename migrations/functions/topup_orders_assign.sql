-- Whose the rows are that may be of several orders in doubt: an assignment. Each order has one purchase or none, each row is
-- one order's or, made past us, none's; who can have what is in topup_orders_claims.sql. A row that may be ours is ours, so
-- the assignments that count are those that give as many orders a row as can have one together (bipartite_matching.sql).
-- What all of them say is certain; where they differ, facts have to come or a person has to tell.

-- What the assignments say of the order at the rank at which rows fit it best, `most` at the worst (`rank`; null: no row
-- can be its purchase).
--   `mine`     the row that it has; null: not in this one, which serves who was tried first before who was later;
--   `rivals`   the orders that go without where it does not, itself among them; none: it has one in every assignment;
--   `swaps`    orders of other buyers, or for other goods, with which it could change rows, all of them keeping one;
--   `is_in_turn` the list's order tells which of these rows is whose;
--   `is_spare` it could have another row that nobody needs;
--   `is_placed` an order without one could have its row, but for where that stands;
--   `own`      the trxids of those that it could have;
--   `rows`     those between which it or its rivals have a choice;
--   `ends`     what they have come to, all that give the money back being one;
--   `is_busy`  an order beside it is still being bought; or, of an order without, one in doubt has yet to take what it could
--              have had but for where that stands;
--   `is_better` a row of its own fits an order in doubt beside it better.
drop function if exists topup_assigned(topup_orders, jsonb, int);
-- `by_ways`: of all claims up to `most` at once, but those alone that some way needs to hand out the rows (topup_orders_ways.sql).
create or replace function topup_assigned(o topup_orders, history jsonb, most int, by_ways boolean, out rank int, out mine jsonb,
  out rivals topup_orders[], out swaps topup_orders[], out is_in_turn boolean, out is_spare boolean, out is_placed boolean,
  out own text[], out rows jsonb, out ends text[], out is_busy boolean, out is_better boolean) language plpgsql stable as $$
declare
  around record := topup_claims_around(o, history, most);
  seated record;
  chosen record;
  me int;
  others int[];
  moves record;
  changing int[] := '{}';
begin
  if by_ways then
    around.claims := topup_claims_of_ways(around.orders, around.free, around.claims,
      case when around.is_by_time then history else '[]' end);
  end if;
  for rank in
    select distinct case when by_ways then most else c.rank end from topup_claim_record(around.claims) c where c.of = o.id order by 1
  loop
    seated := topup_seated(around.orders, around.free, around.claims, rank, 1);
    me := (select x.ordinality from unnest(seated.orders) with ordinality x where x.id = o.id);
    others := matching_rivals(seated.wishes, seated.has, seated.held, me);
    exit when seated.wishes->(me - 1) <> '[]' and (seated.has[me] is not null or others <> array[me]);
    me := null;
  end loop;
  if me is null then
    rank := null;
    is_busy := topup_are_held(o, around.orders, around.claims);
    return;
  end if;
  rivals := array(select seated.orders[n] from unnest(others) n);
  if others = '{}' then
    chosen := topup_seated(around.orders, around.free, around.claims, rank, case when most = 1 then 2 else 3 end);
    if matching_rivals(chosen.wishes, chosen.has, chosen.held, me) = '{}' then
      seated := chosen;
    end if;
    if exists (select from unnest(seated.orders) x where not topup_are_one_buyers(o, array[x])) then
      changing := matching_swaps(seated.wishes, seated.has, me);
    end if;
  end if;
  moves := matching_moves(seated.wishes, seated.has, array[me]);
  is_spare := others = '{}' and moves.is_free;
  swaps := array(select seated.orders[n] from unnest(changing) n where not topup_are_one_buyers(o, array[seated.orders[n]]));
  seated.has := case when swaps = '{}' then matching_dearest(seated.wishes, seated.held, seated.has, me)
    when around.is_by_time then topup_listed_so(seated.orders, seated.seats, around.free, seated.wishes, seated.has, changing || me) end;
  is_in_turn := not is_spare and seated.has is not null;
  seated.has := coalesce(seated.has, matching_of(seated.wishes, seated.held));
  mine := topup_seat_of(seated.orders, seated.seats, around.free, seated.has, me);
  if by_ways then
    select coalesce(min(c.rank) filter (where c.trxid = seated.seats[seated.has[me]]), min(c.rank)) into rank
    from topup_claim_record(around.claims) c where c.of = o.id;
  end if;
  own := array(select seated.seats[e::int] from jsonb_array_elements_text(seated.wishes->(me - 1)) e);
  select jsonb_agg(to_jsonb(r) order by r.made_by nulls last, r.n desc), array_agg(distinct topup_plain_end(r.outcome)) into rows, ends
  from topup_free_record(around.free) r
  where array_position(seated.seats, r.trxid) in (select e::int
    from unnest(case when others = '{}' then moves.members else others end) n, jsonb_array_elements_text(seated.wishes->(n - 1)) e);
  if rows is null then
    select jsonb_agg(r), array_agg(distinct topup_plain_end(r->>'outcome')) into rows, ends
    from unnest(others || me) n, topup_seat_of(seated.orders, seated.seats, around.free, seated.has, n) r where r is not null;
  end if;
  is_placed := exists (select from unnest(seated.orders) with ordinality x join topup_claim_record(around.claims) c on c.of = x.id
    where c.trxid = mine->>'trxid' and c.rank <= topup_assigned.rank and x.trxid is null and seated.has[x.ordinality] is null);
  is_busy := exists (select from unnest(seated.orders) x where x.state = 'buying' and x.id <> o.id);
  is_better := exists (with own as materialized (
      select c.trxid from topup_claim_record(around.claims) c where c.of = o.id and c.rank = topup_assigned.rank
    ), better as materialized (
      select distinct b.of from topup_claim_record(around.claims) b
      where b.rank < topup_assigned.rank and b.trxid in (select w.trxid from own w)
    ) select from better b join unnest(seated.orders) x on x.id = b.of where x.state = 'unknown');
end $$;

-- The same assignment, but that these members have the rows that they could change in the order in which the list has them:
-- who was tried first, what was made first. Null where that is no fact: an attempt began before another buyer's was over, a
-- row stands in no list, or is none that its order can have.
create or replace function topup_listed_so(orders topup_orders[], seats text[], free jsonb, wishes jsonb, has int[],
  members int[]) returns int[] language plpgsql stable as $$
declare
  turns int[] := array(select m from unnest(members) m order by orders[m].attempt_at, orders[m].id);
  listed int[] := array(select has[m] from unnest(members) m
    order by (select r.n from topup_free_record(free) r where r.trxid = seats[has[m]]) desc nulls last);
begin
  for at in 1 .. cardinality(turns) loop
    if not wishes->(turns[at] - 1) @> to_jsonb(listed[at])
      or not exists (select from topup_free_record(free) r where r.trxid = seats[listed[at]] and r.n is not null)
      or exists (select from unnest(turns[:at - 1]) earlier where orders[turns[at]].attempt_at <= orders[earlier].attempt_until
        and not topup_are_one_buyers(orders[earlier], array[orders[turns[at]]])) then
      return null;
    end if;
    has[turns[at]] := listed[at];
  end loop;
  return has;
end $$;

-- Whether a row that the order has a claim on waits for another order, for which it stands as it should.
create or replace function topup_are_held(o topup_orders, around topup_orders[], claims jsonb) returns boolean
language sql immutable as $$
  with own as materialized (
    select c.trxid from topup_claim_record(claims) c where c.of = o.id
  ), placed as materialized (
    select distinct c.of from topup_claim_record(claims) c where c.in_place and c.trxid in (select w.trxid from own w)
  )
  select exists (select from placed p join unnest(around) x on x.id = p.of
    where x.id <> o.id and x.state in ('buying', 'unknown'))
$$;

-- The orders with a claim of this rank or a better one, and what each has in an assignment. As many have a row as can have
-- one together; as long as that holds, what is said of `taste` in topup_wishes, up to the strictest.
create or replace function topup_seated(around topup_orders[], free jsonb, claims jsonb, worst int, strictest int,
  out orders topup_orders[], out seats text[], out wishes jsonb, out held int[], out has int[])
language plpgsql stable as $$
declare
  tried record;
begin
  claims := (select jsonb_agg(to_jsonb(c)) from topup_claim_record(claims) c where c.rank <= worst);
  select array_agg(x order by x.attempt_at, x.id) into orders from unnest(around) x
  where x.id in (select c.of from topup_claim_record(claims) c);
  -- Dearest is what few could have, then what was made first.
  select array_agg(s.trxid order by s.fits, r.n is null, r.made_by nulls last, r.n desc) into seats
  from (select c.trxid, count(*) as fits from topup_claim_record(claims) c group by c.trxid) s
  left join topup_free_record(free) r on r.trxid = s.trxid;
  select array_agg(array_position(seats, x.trxid) order by x.ordinality) into held from unnest(orders) with ordinality x;
  for tried in
    select w.wishes, m.has from generate_series(0, strictest) taste,
      topup_wishes(orders, seats, claims, taste) w(wishes), matching_of(w.wishes, held) m(has)
    order by taste
  loop
    continue when cardinality(array_remove(tried.has, null)) < cardinality(array_remove(has, null));
    wishes := tried.wishes;
    has := tried.has;
  end loop;
end $$;

-- For each order the seats that it has a claim on. `taste` 1: where a row stands as it should for one order, it is not for
-- those of who it does not; 2: and where an order has one that does, it has no others; 3: nor at another price, where it has
-- one at its own.
create or replace function topup_wishes(orders topup_orders[], seats text[], claims jsonb, taste int) returns jsonb
language sql immutable as $$
  with claim as materialized (
    select c.* from topup_claim_record(claims) c
  ), due as materialized (
    select c.* from claim c where taste < 1 or c.in_place or not exists (
      select from claim y where y.trxid = c.trxid and y.of <> c.of and y.in_place and y.rank <= c.rank)
  ), placed as materialized (
    select d.* from (select d.*, bool_or(d.in_place) over (partition by d.of) as has_placed from due d) d
    where taste < 2 or d.in_place or not d.has_placed
  ), priced as materialized (
    select p.* from (select p.*, bool_or(p.is_priced) over (partition by p.of) as has_priced from placed p) p
    where taste < 3 or p.is_priced or not p.has_priced
  )
  select jsonb_agg(coalesce(w.wished, '[]') order by x.ordinality)
  from unnest(orders) with ordinality x left join (
    select p.of, jsonb_agg(s.at order by s.at) as wished
    from priced p join unnest(seats) with ordinality s(trxid, at) on s.trxid = p.trxid group by p.of) w on w.of = x.id
$$;

-- The row that the member gets: its seat, or where that is the purchase of an order that has it already, what that one
-- could have instead.
create or replace function topup_seat_of(orders topup_orders[], seats text[], free jsonb, has int[], member int)
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
