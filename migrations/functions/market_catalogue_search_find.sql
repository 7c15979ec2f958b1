-- Words that were typed, as a tsquery of words that exist: a part of a word (from three letters on, else a beginning)
-- stands for the words that hold it; one that nothing holds for its nearest neighbours by letter triples, when
-- `mended`. Null: some word stands for nothing.
create or replace function market_search_query(typed text[], mended boolean) returns tsquery
language plpgsql stable as $$
declare
  term text;
  found text[];
  whole tsquery;
begin
  foreach term in array typed loop
    if length(term) < 3 then
      whole := coalesce(whole && market_any_of('{}', term), market_any_of('{}', term));
      continue;
    end if;
    found := array(select word from market_search_words where word like '%' || term || '%'
      order by length(word), word limit 40);
    if cardinality(found) = 0 and mended and length(term) >= 4 then
      found := array(select word from market_search_words where word % term and similarity(word, term) >= 0.35
        order by similarity(word, term) desc, word limit 5);
    end if;
    if cardinality(found) = 0 then
      return null;
    elsif cardinality(found) = 40 then
      -- So many that it is rather a beginning.
      whole := coalesce(whole && market_any_of(found, term), market_any_of(found, term));
    else
      whole := coalesce(whole && market_any_of(found, null), market_any_of(found, null));
    end if;
  end loop;
  return whole;
end $$;

create or replace function market_any_of(words text[], beginning text) returns tsquery language sql immutable as $$
  select string_agg(word, ' | ')::tsquery from (
    select quote_literal(w) as word from unnest(words) w
    union all select quote_literal(beginning) || ':*' where beginning is not null) either
$$;

-- market_search({terms, texts, category_id, store_id, price_min, price_max, in_stock, featured, sort, offset, limit,
--   after: {value, id} | null, cap}) returns {ids, total, last: {value, id} | null, mended}
-- The ids of one page of what is on sale. Without `after` the first `cap` matches can be paged through by number, so that
-- no page costs more than the way to the `cap`th; with it a page starts behind that row, at the same price at any depth.
-- Relevance ranks the newest 200 matches, the rest follow by time: names that hold the words whole first, then those that say little else.
create or replace function market_search(input jsonb) returns jsonb language plpgsql
set plan_cache_mode = force_custom_plan set random_page_cost = 1.1 set enable_indexonlyscan = on as $$
declare
  typed constant text[] := array(select jsonb_array_elements_text(input->'terms'));
  words tsquery;
  is_mended boolean := false;
  answer jsonb;
begin
  if cardinality(typed) > 0 then
    words := market_search_query(typed, false);
    if words is null then
      words := market_search_query(typed, true);
      is_mended := words is not null;
    end if;
    if words is null then
      return jsonb_build_object('ids', '[]'::jsonb, 'total', 0, 'last', null, 'mended', false);
    end if;
    if input->>'category_id' is not null then
      words := words && quote_literal('c:' || (input->>'category_id'))::tsquery;
    end if;
  end if;
  return market_search_look(input, words, market_whole_words(typed)) || jsonb_build_object('mended', is_mended);
end $$;

-- What a row must fulfil, as SQL with these values: $1 words, $2 the input's category, $3 store, $4 and $5 price,
-- $6 and $7 the row to start behind.
create or replace function market_search_conditions(input jsonb, words tsquery) returns text language sql immutable as $$
  select concat_ws(' and ', 'true',
    case when words is not null then 'e.words @@ $1'
      when input->>'category_id' is not null then 'e.category_id = $2' end,
    case when input->>'store_id' is not null then 'e.store_id = $3' end,
    case when input->>'price_min' is not null then 'e.price >= $4' end,
    case when input->>'price_max' is not null then 'e.price <= $5' end,
    case when (input->>'in_stock')::boolean then 'e.in_stock' end,
    case when (input->>'featured')::boolean then 'e.is_featured' end,
    case when input->'after'->>'id' is not null then case input->>'sort'
      when 'cheapest' then '(e.price, e.product_id) > ($6::bigint, $7)'
      when 'dearest' then '(e.price, e.product_id) < ($6::bigint, $7)'
      else '(e.created_at, e.product_id) < ($6::timestamptz, $7)' end end)
$$;

-- How many rows would fit, as the planner guesses from its statistics: it knows how common each word is.
create or replace function market_search_guess(input jsonb, words tsquery) returns float8 language plpgsql as $$
declare
  plan json;
begin
  execute 'explain (format json) select from market_search_entries e where '
    || market_search_conditions(input, words) into plan
    using words, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
      (input->>'price_max')::bigint, input->'after'->>'value', (input->'after'->>'id')::uuid;
  return (plan->0->'Plan'->>'Plan Rows')::float8;
end $$;

-- Two ways to the first rows of an order: walk along its index until enough is found, which is fast where much fits, or
-- sort all that fits, which is fast where little does. The guess decides between them, since the planner's own choice
-- goes wrong where matches are not spread evenly; for the same reason a walk along the time ends after thrice the way
-- that it should take, and all is sorted. Few matches are counted by the same look, many in any order.
create or replace function market_search_look(input jsonb, words tsquery, whole tsquery) returns jsonb
language plpgsql as $$
declare
  cap constant int := (input->>'cap')::int + 1;
  after_row constant boolean := input->'after'->>'id' is not null;
  texts constant boolean := jsonb_array_length(input->'texts') > 0;
  wanted int := case when after_row then (input->>'limit')::int + 1
    else greatest((input->>'offset')::int + (input->>'limit')::int, case when words is null then 0 else 200 end) end;
  is_plain constant boolean := words is null and coalesce(input->>'price_min', input->>'price_max') is null;
  every float8 := 0;
  guess float8 := 0;
  answer jsonb;
begin
  if is_plain then
    return market_search_run(input, words, whole, 'walk', case when after_row then wanted else cap end, null);
  end if;
  guess := market_search_guess(input, words);
  -- Before the first analyze nothing is known, and told as -1.
  select greatest(reltuples, guess) into every from pg_class where oid = 'market_search_entries'::regclass;
  if (guess < 3000 and not after_row) or texts then
    return market_search_run(input, words, whole,
      case when texts and guess * guess > 180 * every then 'walk' else 'sort' end, cap, 3 * 1000 * every / greatest(guess, 1));
  end if;
  if guess * guess > 0.18 * wanted * every then
    answer := market_search_run(input, words, whole, 'walk', wanted, 5000 + 3 * wanted * every / greatest(guess, 1));
  end if;
  answer := coalesce(answer, market_search_run(input, words, whole, 'sort', wanted, null));
  return answer || case when after_row then '{}' else market_search_count(input, words, cap) end;
end $$;

create or replace function market_search_count(input jsonb, words tsquery, cap int) returns jsonb language plpgsql as $$
declare
  total int;
begin
  perform set_config('enable_indexonlyscan', 'off', true);
  execute format('select count(*) from (select from market_search_entries e where %s limit %s) e',
    market_search_conditions(input, words), cap) into total
    using words, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
      (input->>'price_max')::bigint, null::text, null::uuid;
  return jsonb_build_object('total', total);
end $$;

-- One look at the first `wanted` rows. Null: walking `window_rows` in order of time did not find them. Relevance ranks
-- the newest 200. Of names that must hold a text as it stands the first 1,000 that hold its words are looked at.
create or replace function market_search_run(
  input jsonb, words tsquery, whole tsquery, way text, wanted int, window_rows float8
) returns jsonb language plpgsql as $$
declare
  is_priced constant boolean := input->>'sort' in ('cheapest', 'dearest');
  key constant text := case when is_priced then 'e.price' else 'e.created_at' end;
  asc_desc constant text := case when input->>'sort' = 'cheapest' then 'asc' else 'desc' end;
  conditions constant text := market_search_conditions(input, words);
  is_bounded constant boolean := way = 'walk' and not is_priced and window_rows is not null;
  texts constant text[] := array(select jsonb_array_elements_text(input->'texts'));
  ordering constant text := format('order by %1$s %2$s, e.product_id %2$s', key, asc_desc);
  found text;
  answer jsonb;
begin
  if is_bounded then
    found := format('select e.* from (select * from market_search_entries e where %s %s limit %s) e where %s',
      case when input->'after'->>'id' is null then 'true' else '(e.created_at, e.product_id) < ($6::timestamptz, $7)' end,
      ordering, window_rows::bigint, conditions);
  elsif way = 'walk' then
    found := format('select e.* from market_search_entries e where %s %s', conditions, ordering);
  else
    -- Not the index's own expression, so that its order is no way to go.
    found := format('select e.* from market_search_entries e where %s order by %s %s, e.product_id %3$s', conditions,
      case when is_priced then 'e.price + 0' else 'extract(epoch from e.created_at)' end, asc_desc);
  end if;
  if cardinality(texts) > 0 then
    found := format('select e.* from (%s limit 1000) e join market_products p on p.id = e.product_id
      where p.name ilike all ($8) %s', found, ordering);
  end if;
  -- Until market_search returns: only a walk may go through an index from its one end to the other.
  perform set_config('enable_indexonlyscan', case way when 'walk' then 'on' else 'off' end, true);
  execute format('
    with found as materialized (
      select e.product_id as id, %1$s as value, e.words, row_number() over () as place from (%3$s limit $9) e),
    page as (
      select f.id, f.value, row_number() over () as n
      from (select id, value from found e order by %2$s place limit $11 offset $10) f)
    select jsonb_build_object(
      ''ids'', (select coalesce(jsonb_agg(id order by n), ''[]'') from page),
      ''last'', (select jsonb_build_object(''value'', value, ''id'', id) from page order by n desc limit 1),
      ''total'', (select count(*) from found))',
    key, case when input->>'sort' = 'relevance' and whole is not null
      then 'place > 200, case when place <= 200 then (not e.words @@ $12)::int * 1000 + length(e.words) end,' else '' end,
    found)
    into answer
    using words, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
      (input->>'price_max')::bigint, input->'after'->>'value', (input->'after'->>'id')::uuid, texts, wanted,
      (input->>'offset')::int, (input->>'limit')::int, whole;
  return case when is_bounded and (answer->>'total')::int < wanted and cardinality(texts) = 0 then null
    else answer end;
end $$;

create or replace function market_whole_words(typed text[]) returns tsquery language sql immutable as $$
  select string_agg(quote_literal(word), ' & ')::tsquery from unnest(typed) word
$$;
