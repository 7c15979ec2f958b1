-- Maximum matchings of small bipartite graphs, and what all of them have in common (Dulmage and Mendelsohn). Pure: used for
-- orders in doubt and the purchases that a supplier lists (topup_orders_assign.sql).
--
-- Members and seats are numbered from 1. `wishes`: [[seat, …], …], for each member the seats that it can have, the dearest
-- first. `has`: the seat of each member; null: it has none.

-- A maximum matching. Members take seats in turn, each the first free one of its wishes; who finds none makes others move.
-- Nobody loses a seat by that, so those with one are the first that can have one together. `held`: seats that members begin
-- with. What a vain search came to leads nowhere later either: without that a crowd that nothing tells apart takes minutes.
create or replace function matching_of(wishes jsonb, held int[], out has int[]) language plpgsql immutable as $$
declare
  whose int[] := '{}';
  come int[];
  vain int[] := '{}';
  queue int[];
  member int;
  seat int;
  earlier int;
begin
  has := held;
  for member in select m from generate_subscripts(held, 1) m where held[m] is not null loop
    whose[held[member]] := member;
  end loop;
  for start in 1 .. jsonb_array_length(wishes) loop
    continue when has[start] is not null;
    queue := array[start];
    come := vain;
    <<search>>
    while cardinality(queue) > 0 loop
      member := queue[1];
      queue := queue[2:];
      for seat in select e::int from jsonb_array_elements_text(wishes->(member - 1)) e loop
        continue when come[seat] is not null;
        come[seat] := member;
        if whose[seat] is not null then
          queue := queue || whose[seat];
          continue;
        end if;
        -- It is free: everybody on the way to it moves up.
        loop
          member := come[seat];
          earlier := has[member];
          has[member] := seat;
          whose[seat] := member;
          exit search when earlier is null;
          seat := earlier;
        end loop;
      end loop;
    end loop;
    vain := case when has[start] is null then come else vain end;
  end loop;
end $$;

-- Who would have to move, or go without, if these members got other seats than they have, themselves among them; `is_free`:
-- whether there is a free seat for one of them.
create or replace function matching_moves(wishes jsonb, has int[], starts int[], out members int[], out is_free boolean)
language sql immutable as $$
  with recursive moved as (
    select s as member from unnest(starts) s
    union
    select h.member::int
    from moved m, jsonb_array_elements_text(wishes->(m.member - 1)) e(seat), unnest(has) with ordinality h(seat, member)
    where h.seat = e.seat::int
  )
  select array_agg(m.member order by m.member), exists (
    select from moved f, jsonb_array_elements_text(wishes->(f.member - 1)) e(seat) where e.seat::int <> all (array_remove(has, null)))
  from moved m
$$;

-- The members of whom some maximum matching leaves one without a seat, as far as they compete with this one, itself among
-- them; none: every maximum matching has a seat for it. Who began with one keeps one (`held`).
create or replace function matching_rivals(wishes jsonb, has int[], held int[], member int) returns int[]
language plpgsql immutable as $$
declare
  unsure int[] := (matching_moves(wishes, has,
    array(select m from generate_subscripts(has, 1) m where has[m] is null))).members;
  rivals int[];
  more int[] := array[member];
begin
  if held[member] is not null or member <> all (coalesce(unsure, '{}')) then
    return '{}';
  end if;
  while cardinality(more) > 0 loop
    rivals := rivals || more;
    more := array(select u from unnest(unsure) u
      where u <> all (rivals) and exists (select from unnest(rivals) r
        where wishes->(u - 1) @> to_jsonb(has[r]) or wishes->(r - 1) @> to_jsonb(has[u])));
  end loop;
  return array(select r from unnest(rivals) r where held[r] is null);
end $$;

-- Those with whom this member could change seats, all others keeping one; itself is not among them.
create or replace function matching_swaps(wishes jsonb, has int[], member int) returns int[] language sql immutable as $$
  with recursive wish as materialized (
    select w.member::int as of, h.member::int as whose
    from jsonb_array_elements(wishes) with ordinality w(seats, member), jsonb_array_elements_text(w.seats) e(seat),
      unnest(has) with ordinality h(seat, member)
    where h.seat = e.seat::int
  ), forth as (
    select matching_swaps.member as m union select w.whose from forth f join wish w on w.of = f.m
  ), back as (
    select matching_swaps.member as m union select w.of from back b join wish w on w.whose = b.m
  )
  select array(select f.m from forth f join back b on b.m = f.m where f.m <> matching_swaps.member order by f.m)
$$;

-- A maximum matching in which this member, having a seat, has that of its own which the fewest could have: what comes later
-- finds the others free.
create or replace function matching_dearest(wishes jsonb, held int[], has int[], member int) returns int[]
language plpgsql immutable as $$
declare
  seat record;
  tried int[];
begin
  for seat in
    select e.seat, count(*) as wished from jsonb_array_elements(wishes->(member - 1)) e(seat), jsonb_array_elements(wishes) w
    where w @> e.seat group by e.seat order by wished, e.seat
  loop
    exit when has[member] is null or seat.wished >= (
      select count(*) from jsonb_array_elements(wishes) w where w @> to_jsonb(has[member]));
    tried := matching_of(jsonb_set(wishes, array[(member - 1)::text], jsonb_build_array(seat.seat)), held);
    if tried[member] = seat.seat::int and cardinality(array_remove(tried, null)) = cardinality(array_remove(has, null)) then
      return tried;
    end if;
  end loop;
  return has;
end $$;
