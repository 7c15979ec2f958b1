-- The first page for words, and the count of what fits up to the cap, from one look into the index of words: at that
-- end of the order only which should hold enough, for reading every product with a common word costs too much. Where it
-- does not hold enough, matches not being spread evenly, at as much more of it as should, a step at most, and in the end at all.
create or replace function market_search_near(input jsonb, words tsquery[], whole tsquery, share float8, cap int)
returns jsonb language plpgsql as $$
declare
  enough constant int := case when jsonb_array_length(input->'texts') > 0 then 500 else cap end;
  by_price constant boolean := input->>'sort' in ('cheapest', 'dearest');
  prices constant tsquery := market_search_prices(input);
  near tsquery;
  answer jsonb;
  looked int;
begin
  if not by_price then
    words := words || prices;
  end if;
  loop
    near := case when share < 0.9 then market_search_end(input, share) end;
    if by_price and near is null then
      words := words || prices;
    end if;
    answer := market_search_run(input, case when near is null then words else words || near end, whole, 'sort', cap, null);
    looked := (answer->>'looked')::int;
    exit when near is null or looked >= enough;
    share := least(share * greatest(1.4, 1.25 * enough / greatest(looked, 1)),
      (select min(step) from unnest(array[0.1, 0.2, 0.4, 0.6, 0.8, 1]) step where step > share));
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
  place float8;
  steps int;
begin
  select histogram_bounds::text::text[] into bounds from pg_stats where schemaname = 'public'
    and tablename = 'market_search_entries' and attname = case when is_priced then 'price' else 'created_at' end;
  if bounds is null then
    return null;
  elsif not is_priced then
    times := bounds::timestamptz[];
    place := (1 - share) * (cardinality(times) - 1);
    steps := floor(place)::int;
    return market_search_times(times[steps + 1] + (times[steps + 2] - times[steps + 1]) * (place - steps),
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
