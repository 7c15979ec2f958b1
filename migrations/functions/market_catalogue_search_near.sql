-- The first page for words, and the count of what fits up to the cap, from one look into the index of words: at that
-- end of the order only which should hold enough, for reading every product with a common word costs too much. Where it
-- does not hold enough, matches not being spread evenly, at more and more of it, and in the end at all.
create or replace function market_search_near(input jsonb, words tsquery[], whole tsquery, share float8, cap int)
returns jsonb language plpgsql as $$
declare
  part float8;
  near tsquery;
  answer jsonb;
begin
  if input->>'price_max' is not null and (input->>'sort' in ('newest', 'relevance') or share >= 0.9) then
    words := words || market_search_price_steps((input->>'price_min')::bigint, (input->>'price_max')::bigint);
  end if;
  foreach part in array array[share, 0.1, 0.2, 0.4, 0.6, 0.8, 1] loop
    continue when part < share;
    near := case when part < 0.9 then market_search_end(input, part) end;
    continue when near is null and part < 1;
    answer := market_search_run(input, case when near is null then words else words || near end, whole, 'sort', cap, null);
    exit when (answer->>'looked')::int >= case when jsonb_array_length(input->'texts') > 0 then 1000 else cap end;
  end loop;
  return answer;
end $$;

-- The lexemes of the rows at the beginning of the input's order that make up this share of all; null: not known.
create or replace function market_search_end(input jsonb, share float8) returns tsquery language plpgsql stable as $$
declare
  is_priced constant boolean := input->>'sort' in ('cheapest', 'dearest');
  bounds text[];
  times timestamptz[];
  prices bigint[];
  steps int;
begin
  select histogram_bounds::text::text[] into bounds from pg_stats where schemaname = 'public'
    and tablename = 'market_search_entries' and attname = case when is_priced then 'price' else 'created_at' end;
  if bounds is null then
    return null;
  elsif not is_priced then
    times := bounds::timestamptz[];
    steps := cardinality(times);
    return market_search_times(times[greatest(steps - ceil(share * (steps - 1))::int, 1)],
      (select max(created_at) from market_search_entries));
  end if;
  prices := array(select b from unnest(bounds::bigint[]) b where b >= coalesce((input->>'price_min')::bigint, 0)
    and b <= coalesce((input->>'price_max')::bigint, b) order by b);
  steps := cardinality(prices);
  if steps < 4 then
    return null;
  elsif input->>'sort' = 'cheapest' then
    return market_search_price_steps((input->>'price_min')::bigint, prices[least(1 + ceil(share * (steps - 1))::int, steps)]);
  end if;
  return market_search_price_steps(prices[greatest(steps - ceil(share * (steps - 1))::int, 1)],
    coalesce((input->>'price_max')::bigint, (select max(price) from market_search_entries)));
end $$;

-- The spans of time from the one that holds `since` to the one that holds `until`, short ones first, then long ones.
create or replace function market_search_times(since timestamptz, until timestamptz) returns tsquery
language plpgsql immutable as $$
declare
  last constant bigint := extract(epoch from until);
  n int := 16;
  place bigint;
  found text[] := '{}';
begin
  while n < 22 and (last - extract(epoch from since)::bigint) >> n > 20 loop
    n := n + 2;
  end loop;
  place := (extract(epoch from since)::bigint >> n) << n;
  while place <= last loop
    while n < 24 and place % (1::bigint << (n + 2)) = 0 and place + (1::bigint << n) <= last loop
      n := n + 2;
    end loop;
    found := found || quote_literal(':t' || n || '/' || (place >> n));
    place := place + (1::bigint << n);
  end loop;
  return array_to_string(found, ' | ')::tsquery;
end $$;
