-- The first page for words, and the count of what fits up to the cap, from one look into the index of words: at that
-- end of the order only which should hold enough, for reading every product with a common word costs too much. Where it
-- does not hold enough, matches not being spread evenly, at as much more of it as should, a step at most, and in the end at
-- all: at once where few were guessed and the first look held less than a quarter of what it should.
create or replace function market_search_near(input jsonb, words tsquery[], whole tsquery, share float8, cap int)
returns jsonb language plpgsql as $$
declare
  enough constant int := case when jsonb_array_length(input->'texts') > 0 then 500 else cap end;
  by_price constant boolean := input->>'sort' in ('cheapest', 'dearest');
  prices constant tsquery := market_search_prices(input);
  -- So few in all that to read them costs little.
  few constant boolean := share >= 0.1;
  near tsquery;
  answer jsonb;
  looked int;
begin
  if not by_price then
    words := words || prices;
  end if;
  if share > 0.5 then
    share := 1;
  end if;
  loop
    near := case when share < 0.9 then market_search_end(input, share) end;
    if by_price and near is null then
      words := words || prices;
    end if;
    answer := market_search_run(input, case when near is null then words else words || near end, whole, 'sort', cap, null);
    looked := (answer->>'looked')::int;
    exit when near is null or looked >= enough;
    share := case when few and looked * 4 < enough then 1
      else least(share * greatest(1.4, 1.25 * enough / greatest(looked, 1)),
        (select min(step) from unnest(array[0.1, 0.2, 0.4, 0.6, 0.8, 1]) step where step > share)) end;
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

-- The planner guesses badly how much has a word with a certain beginning, or words that seldom stand together; the first
-- rows of the order tell. A beginning that many of them have is put `aside`, to be looked for in the rows that the other
-- conditions or their place in the order have found, when those are few: the index of words would gather all that has it.
create or replace function market_search_sampled(inout input jsonb, inout words tsquery[], inout guess float8, every float8)
language plpgsql as $$
declare
  cap constant int := (input->>'cap')::int + 1;
  begun constant tsquery[] := array(select w from unnest(words) w where w::text like '%:*%');
  others constant tsquery[] := array(select w from unnest(words) w where w::text not like '%:*%');
  prices constant jsonb := case when input->>'sort' in ('cheapest', 'dearest')
    then jsonb_build_object('price_min', input->'price_min', 'price_max', input->'price_max') else '{}' end;
  looked float8;
  fits float8;
  counts float8[];
  lead float8;
  common tsquery[];
  odds float8;
  expected float8;
begin
  if every < 5000 or cardinality(begun) = 0 and (guess < 2000 or cardinality(array(
      select w from unnest(words) w where w::text not like ''':%')) < 2) then
    return;
  end if;
  execute format('select count(*), count(*) filter (where %s), array[%s]::float8[]
    from (select * from market_search_entries e where %s %s limit 2000) e', market_search_conditions(input, words, false),
    (select string_agg(format('count(*) filter (where e.words @@ %L::tsquery)', w), ',' order by n)
      from unnest(begun) with ordinality b(w, n)),
    market_search_conditions(prices, null, false), market_search_order(input, market_search_key(input)))
    into looked, fits, counts
    using null::text, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
      (input->>'price_max')::bigint;
  if looked < 2000 then
    return;
  end if;
  every := market_search_guess(prices, null);
  lead := market_search_guess(input, others);
  select coalesce(array_agg(w) filter (where c >= 0.04 * looked), '{}'),
      coalesce(exp(sum(ln(c / looked)) filter (where c >= 0.04 * looked)), 1),
      lead * coalesce(exp(sum(ln(greatest(c, 0.5) / looked)) filter (where c < 0.04 * looked)), 1)
    into common, odds, lead from unnest(begun, counts) b(w, c);
  expected := lead * odds * looked / every;
  guess := case when greatest(fits, expected) >= 15 or fits = 0 and expected >= 5
    then greatest(fits, 0.5) / looked * every else lead * odds end;
  if (case when guess > 1.4 * cap then cap / odds else lead end)
      < (case when cardinality(others) = 0 then 25000 else 15000 end) then
    input := input || jsonb_build_object('aside', common::text[]);
    words := array(select w from unnest(words) w where w <> all (common));
  end if;
end $$;

-- How many fit, up to the cap. Of what is very common enough stands among any few thousand rows; of other words the
-- newest are counted first, which the index of words finds by a narrow look.
create or replace function market_search_count(input jsonb, words tsquery[], guess float8, every float8, cap int)
returns jsonb language plpgsql as $$
declare
  share constant float8 := 1.25 * cap / greatest(guess, 1);
  near constant tsquery := case when words::text not like '%:*%' and share < 0.5 and cap * every > 6000 * guess
    then market_search_end('{"sort": "newest"}', share) end;
  total int;
begin
  if words is not null then
    words := words || market_search_prices(input);
  end if;
  perform set_config('enable_indexonlyscan', 'off', true);
  foreach total in array case when near is null then array[0] else array[1, 0] end loop
    execute format('select count(*) from (select from market_search_entries e where %s limit %s) e',
      market_search_conditions(input, case total when 1 then words || near else words end, total = 1), cap) into total
      using null::text, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
        (input->>'price_max')::bigint, null::text, null::uuid;
    exit when total = cap;
  end loop;
  return jsonb_build_object('total', total);
end $$;
