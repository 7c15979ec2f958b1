-- Words that were typed, each as a tsquery of words that exist: a part of a word (from three letters on, else a beginning)
-- stands for the words that hold it; one that nothing holds for its nearest neighbours by letter triples, when
-- `mended`. Null: some word stands for nothing.
create or replace function market_search_groups(typed text[], mended boolean) returns tsquery[]
language plpgsql stable as $$
declare
  term text;
  found text[];
  groups tsquery[] := '{}';
begin
  foreach term in array typed loop
    found := array(select word from market_search_words
      where word like case when length(term) < 3 then '' else '%' end || term || '%'
      order by length(word), word limit 40);
    if length(term) < 3 and cardinality(found) in (0, 40) then
      groups := groups || market_any_of('{}', term);
      continue;
    end if;
    if cardinality(found) = 0 and mended and length(term) >= 4 then
      found := array(select word from market_search_words where word % term and similarity(word, term) >= 0.35
        order by similarity(word, term) desc, word limit 5);
    end if;
    if cardinality(found) = 0 then
      return null;
    elsif cardinality(found) = 40 then
      -- So many that it is rather a beginning.
      groups := groups || market_any_of(found, term);
    else
      groups := groups || market_any_of(found, null);
    end if;
  end loop;
  return groups;
end $$;

create or replace function market_any_of(words text[], beginning text) returns tsquery language sql immutable as $$
  select string_agg(word, ' | ')::tsquery from (
    select quote_literal(w) as word from unnest(words) w where beginning is null or not starts_with(w, beginning)
    union all select quote_literal(beginning) || ':*' where beginning is not null) either
$$;

-- market_search({terms, texts, category_id, store_id, price_min, price_max, in_stock, featured, sort, offset, limit,
--   after: {value, id} | null, cap}) returns {ids, total, last: {value, id} | null, mended}
-- The ids of one page of what is on sale. Without `after` the first `cap` matches can be paged through by number, so that
-- no page costs more than the way to the `cap`th; with it a page starts behind that row, at the same price at any depth.
-- Relevance ranks the newest 200 matches, the rest follow by time: names that hold the words whole first, then those that say little else.
create or replace function market_search(input jsonb) returns jsonb language plpgsql
set jit = off set random_page_cost = 1.1 set max_parallel_workers_per_gather = 0 set enable_indexonlyscan = on as $$
declare
  typed constant text[] := array(select jsonb_array_elements_text(input->'terms'));
  words tsquery[];
  is_mended boolean := false;
  answer jsonb;
begin
  if cardinality(typed) > 0 then
    words := market_search_groups(typed, false);
    if words is null then
      words := market_search_groups(typed, true);
      is_mended := words is not null;
    end if;
    if words is null then
      return jsonb_build_object('ids', '[]'::jsonb, 'total', 0, 'last', null, 'mended', false);
    end if;
    words := market_search_narrowed(input, words);
  end if;
  return market_search_look(input, words, market_whole_words(typed)) || jsonb_build_object('mended', is_mended);
end $$;

-- The words together with what else the look into their index can tell.
create or replace function market_search_narrowed(input jsonb, words tsquery[]) returns tsquery[]
language sql immutable as $$
  select words
    || case when input->>'category_id' is not null then array[quote_literal(':c' || (input->>'category_id'))::tsquery] end
    || case when input->>'store_id' is not null
      then array[quote_literal(':s' || right(lower(input->>'store_id'), 8))::tsquery] end
$$;

-- The steps that a range of prices touches, one that no product is on where the range lies beside all prices; null: so
-- many that they narrow nothing.
create or replace function market_search_price_steps(lowest bigint, highest bigint) returns tsquery
language plpgsql stable as $$
declare
  first int;
  last int;
begin
  select market_search_price_step(greatest(lowest, min(price))), market_search_price_step(least(highest, max(price)))
    into first, last from market_search_entries;
  if last - first > 16 or first is null then
    return null;
  end if;
  return coalesce((select string_agg(quote_literal(':p' || n), ' | ')::tsquery from generate_series(first, last) n),
    quote_literal(':p-')::tsquery);
end $$;

-- The same of the prices that are asked for; null too where none are.
create or replace function market_search_prices(input jsonb) returns tsquery language sql stable as $$
  select case when coalesce(input->>'price_min', input->>'price_max') is not null
    then market_search_price_steps((input->>'price_min')::bigint, (input->>'price_max')::bigint) end
$$;

-- What a row must fulfil, as SQL with these values: $2 the input's category, $3 store, $4 and $5 price, $6 and $7 the
-- row to start behind. Each group of words is a condition of its own: as one tsquery, the index would weigh the whole of
-- it for every product with any of the words, instead of leaping from one group's next product to the other's.
-- `is true` hides a condition from other indexes, so that `alone` the index of words is asked, or any but that (`beside`).
create or replace function market_search_conditions(input jsonb, words tsquery[], alone boolean,
  beside boolean default false) returns text
language sql immutable as $$
  select concat_ws(' and ', 'true',
    (select string_agg(format('(e.words @@ %L::tsquery)%s', w, case when beside then ' is true' else '' end), ' and ')
      from unnest(words) w where w is not null),
    (select string_agg(format('(e.words @@ %L::tsquery) is true', w), ' and ') from jsonb_array_elements_text(input->'aside') w),
    case when input->>'category_id' is not null and words is null then 'e.category_id = $2' end,
    case when input->>'store_id' is not null then '(e.store_id = $3)' || hidden end,
    case when input->>'price_min' is not null then '(e.price >= $4)' || hidden end,
    case when input->>'price_max' is not null then '(e.price <= $5)' || hidden end,
    case when (input->>'in_stock')::boolean then 'e.in_stock' end,
    case when (input->>'featured')::boolean then 'e.is_featured' || hidden end,
    case when input->'after'->>'id' is not null then case input->>'sort'
      when 'cheapest' then '(e.price, e.product_id) > ($6::bigint, $7)'
      when 'dearest' then '(e.price, e.product_id) < ($6::bigint, $7)'
      else '(e.created_at, e.product_id) < ($6::timestamptz, $7)' end end)
  from (select case when alone then ' is true' else '' end as hidden) h
$$;

-- How many rows would fit, as the planner guesses from its statistics: it knows how common each word is.
create or replace function market_search_guess(input jsonb, words tsquery[]) returns float8 language plpgsql as $$
declare
  plan json;
begin
  execute 'explain (format json) select from market_search_entries e where '
    || market_search_conditions(input, words, false) into plan
    using null::text, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
      (input->>'price_max')::bigint, input->'after'->>'value', (input->'after'->>'id')::uuid;
  return (plan->0->'Plan'->>'Plan Rows')::float8;
end $$;

-- Without words, or behind a row: two ways to the first rows of an order: walk along its index until enough is found,
-- which is fast where much fits, or sort all that fits, which is fast where little does. The guess decides between them,
-- since the planner's own choice goes wrong where matches are not spread evenly; for the same reason a walk along the
-- time ends soon after the way that it should take, and all is sorted.
create or replace function market_search_look(input jsonb, words tsquery[], whole tsquery) returns jsonb
language plpgsql as $$
declare
  cap constant int := (input->>'cap')::int + 1;
  after_row constant boolean := input->'after'->>'id' is not null;
  texts constant boolean := jsonb_array_length(input->'texts') > 0;
  wanted int := case when after_row then (input->>'limit')::int + 1
    else greatest((input->>'offset')::int + (input->>'limit')::int, case when words is null then 0 else 200 end) end;
  is_plain constant boolean := words is null and coalesce(input->>'price_min', input->>'price_max') is null;
  -- Whether a narrow look into the index of words is cheap: for the beginning of a word it gathers all that has it first.
  leaps boolean;
  counted constant int := case when after_row then wanted else cap end;
  every float8 := 0;
  guess float8 := 0;
  beside text;
  answer jsonb;
begin
  if is_plain then
    return market_search_run(input, words, whole, 'walk', counted, null);
  end if;
  guess := market_search_guess(input, words);
  -- Before the first analyze nothing is known, and told as -1.
  select greatest(reltuples, guess) into every from pg_class where oid = 'market_search_entries'::regclass;
  if words is not null and not after_row then
    select s.input, s.words, s.guess into input, words, guess from market_search_sampled(input, words, guess, every) s;
    leaps := words::text not like '%:*%' and input->>'sort' in ('newest', 'relevance');
  end if;
  if words is not null and not texts then
    beside := market_search_beside(input, counted / greatest(guess, 1));
    if beside is not null then
      return market_search_run(input, words, whole, beside, counted, null);
    end if;
  end if;
  if words is not null and not after_row then
    if not texts and (case when leaps then wanted * every < 6000 * guess else guess * guess > 0.72 * wanted * every end) then
      answer := market_search_run(input, words, whole, 'walk', wanted, 1000 + 1.5 * wanted * every / guess);
      if answer is not null then
        return answer || market_search_count(input, words, guess, every, cap);
      end if;
    end if;
    return market_search_near(input, words, whole, 1.2 * case when texts then 500 else cap end / greatest(guess, 1), cap);
  end if;
  if (guess < 3000 and not after_row) or texts then
    return market_search_run(input, words, whole,
      case when texts and guess * guess > 180 * every then 'walk' else 'sort' end, cap, 3 * 1000 * every / greatest(guess, 1));
  end if;
  if guess * guess > 0.18 * wanted * every then
    answer := market_search_run(input, words, whole, 'walk', wanted, 5000 + 3 * wanted * every / greatest(guess, 1));
  end if;
  answer := coalesce(answer, market_search_run(input, case when words is not null then words || market_search_prices(input) end,
    whole, 'sort', wanted, null));
  return answer || case when after_row then '{}' else market_search_count(input, words, guess, every, cap) end;
end $$;

-- For words that stand in many names, a shorter way than through the index of words, or null: past all that is featured,
-- or through the prices that are asked for, whose index tells all without a look at any row: to their end, or in an
-- order of price until this share of what fits is found.
create or replace function market_search_beside(input jsonb, share float8) returns text language plpgsql as $$
declare
  by_price constant boolean := input->>'sort' in ('cheapest', 'dearest');
  prices constant jsonb := jsonb_build_object('price_min', input->'price_min', 'price_max', input->'price_max')
    || case when by_price then jsonb_build_object('sort', input->'sort', 'after', input->'after') else '{}' end;
  most constant int := 30000;
begin
  if (input->>'featured')::boolean and market_search_guess('{"featured": true}', null) < most then
    return 'beside';
  elsif coalesce(input->>'price_min', input->>'price_max', case when by_price then input->'after'->>'id' end) is null then
    return null;
  end if;
  return case when market_search_guess(prices, null) * case when by_price then least(share, 1) else 1 end < most
    then case when by_price then 'walk' else 'beside' end end;
end $$;

-- Which rows a look goes through, and in which order, as SQL with the values of market_search_conditions. `bounded`: of
-- the next so many in order of time those that fit.
create or replace function market_search_rows(input jsonb, words tsquery[], way text, bounded bigint) returns text
language plpgsql immutable as $$
declare
  conditions constant text := market_search_conditions(input, words, way = 'sort' and words is not null,
    way = 'beside' or way = 'walk' and words is not null);
begin
  if bounded is not null then
    return format('select e.* from (select * from market_search_entries e where %s %s limit %s) e where %s',
      case when input->'after'->>'id' is null then 'true' else '(e.created_at, e.product_id) < ($6::timestamptz, $7)' end,
      market_search_order(input, market_search_key(input)), bounded, conditions);
  end if;
  return format('select e.product_id, e.price, e.created_at, e.words from market_search_entries e where %s %s',
    conditions, market_search_order(input,
    -- To sort, not the index's own expression, so that its order is no way to go.
    case when way = 'walk' then market_search_key(input)
      when input->>'sort' in ('cheapest', 'dearest') then 'e.price + 0' else 'e.created_at + interval ''0''' end));
end $$;

create or replace function market_search_key(input jsonb) returns text language sql immutable as $$
  select case when input->>'sort' in ('cheapest', 'dearest') then 'e.price' else 'e.created_at' end
$$;

create or replace function market_search_order(input jsonb, key text) returns text language sql immutable as $$
  select format('order by %1$s %2$s, e.product_id %2$s', key,
    case when input->>'sort' = 'cheapest' then 'asc' else 'desc' end)
$$;

-- One look at the first `wanted` rows. Null: walking `window_rows` in order of time did not find them. Relevance ranks
-- the newest 200. Of names that must hold a text as it stands the first 500 that hold its words are looked at.
create or replace function market_search_run(
  input jsonb, words tsquery[], whole tsquery, way text, wanted int, window_rows float8
) returns jsonb language plpgsql as $$
declare
  key constant text := market_search_key(input);
  bounded constant bigint := case when way = 'walk' and key = 'e.created_at' then window_rows::bigint end;
  texts constant text[] := array(select jsonb_array_elements_text(input->'texts'));
  matching text := 'select * from looked';
  answer jsonb;
begin
  if cardinality(texts) > 0 then
    matching := format('select e.* from looked e join market_products p on p.id = e.product_id
      where p.name ilike all ($8) %s', market_search_order(input, key));
  end if;
  -- Until market_search returns: only a walk may go through an index from its one end to the other.
  perform set_config('enable_indexonlyscan', case when way in ('walk', 'beside') then 'on' else 'off' end, true);
  execute format('
    with looked as materialized (%3$s limit %5$s),
    found as materialized (
      select e.product_id as id, %1$s as value, e.words, row_number() over () as place from (%4$s limit $9) e),
    page as (
      select f.id, f.value, row_number() over () as n
      from (select id, value from found e order by %2$s place limit $11 offset $10) f)
    select jsonb_build_object(
      ''ids'', (select coalesce(jsonb_agg(id order by n), ''[]'') from page),
      ''last'', (select jsonb_build_object(''value'', value, ''id'', id) from page order by n desc limit 1),
      ''looked'', (select count(*) from looked),
      ''total'', (select count(*) from found))',
    key, case when input->>'sort' = 'relevance' and whole is not null
      then 'place > 200, case when place <= 200 then (not e.words @@ $12)::int * 1000 + length(e.words) end,' else '' end,
    market_search_rows(input, words, way, bounded), matching, case when cardinality(texts) > 0 then 500 else wanted end)
    into answer
    using null::text, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
      (input->>'price_max')::bigint, input->'after'->>'value', (input->'after'->>'id')::uuid, texts, wanted,
      (input->>'offset')::int, (input->>'limit')::int, whole;
  return case when bounded is not null and (answer->>'total')::int < wanted and cardinality(texts) = 0 then null
    else answer end;
end $$;

create or replace function market_whole_words(typed text[]) returns tsquery language sql immutable as $$
  select string_agg(quote_literal(word), ' & ')::tsquery from unnest(typed) word
$$;
