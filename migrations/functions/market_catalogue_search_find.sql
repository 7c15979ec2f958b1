-- Words that were typed, as a tsquery of words that exist: a part of a word (from three letters on, else a beginning)
-- stands for the words that hold it; one that nothing holds for its nearest neighbours by letter triples, when
-- `mended`. Null: some word stands for nothing.
create or replace function market_search_query(typed text[], mended boolean) returns tsquery
language plpgsql stable set pg_trgm.similarity_threshold = 0.35 as $$
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
      found := array(select word from market_search_words where word % term
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
--   after: {value, id} | null, cap}) returns {ids, total, last: {value, id} | null, more, mended}
-- The ids of one page of what is on sale. Without `after` the first `cap` matches in their order are the ones that can
-- be paged through by number: one look, whatever the page. With `after` a page starts behind that row at any depth.
-- Relevance ranks the newest `cap` matches: names that hold the words whole first, then those that say little else.
create or replace function market_search(input jsonb) returns jsonb language plpgsql stable
set plan_cache_mode = force_custom_plan as $$
declare
  typed constant text[] := array(select jsonb_array_elements_text(input->'terms'));
  texts constant text[] := array(select jsonb_array_elements_text(input->'texts'));
  words tsquery;
  is_mended boolean := false;
  sort constant text := input->>'sort';
  walk constant text := case when sort in ('cheapest', 'dearest') then 'e.price' else 'e.created_at' end;
  way constant text := case when sort = 'cheapest' then 'asc' else 'desc' end;
  conditions text := 'true';
  ranked text := '';
  answer jsonb;
begin
  if cardinality(typed) > 0 then
    words := market_search_query(typed, false);
    if words is null then
      words := market_search_query(typed, true);
      is_mended := true;
    end if;
    if words is null then
      return jsonb_build_object('ids', '[]'::jsonb, 'total', 0, 'last', null, 'more', false, 'mended', false);
    end if;
  end if;
  if input->>'category_id' is not null and words is not null then
    words := words && quote_literal('c:' || (input->>'category_id'))::tsquery;
  elsif input->>'category_id' is not null then
    conditions := conditions || ' and e.category_id = $2';
  end if;
  if words is not null then conditions := conditions || ' and e.words @@ $1'; end if;
  if input->>'store_id' is not null then conditions := conditions || ' and e.store_id = $3'; end if;
  if input->>'price_min' is not null then conditions := conditions || ' and e.price >= $4'; end if;
  if input->>'price_max' is not null then conditions := conditions || ' and e.price <= $5'; end if;
  if (input->>'in_stock')::boolean then conditions := conditions || ' and e.in_stock'; end if;
  if (input->>'featured')::boolean then conditions := conditions || ' and e.is_featured'; end if;
  if cardinality(texts) > 0 then
    conditions := conditions || ' and exists (select from market_products p where p.id = e.product_id
      and p.name ilike all ($6))';
  end if;
  if input->'after'->>'id' is not null then
    conditions := conditions || format(' and (%s, e.product_id) %s ($7::%s, $8)', walk,
      case way when 'asc' then '>' else '<' end, case walk when 'e.price' then 'bigint' else 'timestamptz' end);
  end if;
  if sort = 'relevance' and words is not null then
    ranked := 'e.words @@ $9 desc, length(e.words), ';
  end if;
  execute format('
    with found as materialized (
      select e.product_id as id, %1$s as value, e.words from market_search_entries e where %2$s
      order by %1$s %3$s, e.product_id %3$s limit $10),
    page as (
      select f.id, f.value, row_number() over () as n from (
        select e.id, e.value from found e order by %4$s e.value %3$s, e.id %3$s limit $12 offset $11) f)
    select jsonb_build_object(
      ''ids'', (select coalesce(jsonb_agg(id order by n), ''[]'') from page),
      ''last'', (select jsonb_build_object(''value'', value, ''id'', id) from page order by n desc limit 1),
      ''total'', (select count(*) from found))', walk, conditions, way, ranked)
    into answer
    using words, (input->>'category_id')::uuid, (input->>'store_id')::uuid, (input->>'price_min')::bigint,
      (input->>'price_max')::bigint, texts, input->'after'->>'value', (input->'after'->>'id')::uuid,
      market_whole_words(typed),
      case when input->'after'->>'id' is null then (input->>'cap')::int + 1 else (input->>'limit')::int + 1 end,
      (input->>'offset')::int, (input->>'limit')::int;
  return answer || jsonb_build_object('mended', is_mended);
end $$;

create or replace function market_whole_words(typed text[]) returns tsquery language sql immutable as $$
  select string_agg(quote_literal(word), ' & ')::tsquery from unnest(typed) word
$$;
