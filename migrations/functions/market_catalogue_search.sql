-- Search. market_search_entries holds one narrow row for each product that a buyer may see, with the words of its name
-- as a tsvector (the `simple` configuration: no stemming, no stop words, as suits Indonesian, English and brand names
-- side by side); market_search_words every word that ever stood in such a name, looked up by letter triples, so that a
-- part of a word or a typing error becomes whole words before the large index is asked.
-- Repeatable. The indexes stand here because their operator class belongs to an extension, which must exist first.
create extension if not exists pg_trgm;
create index if not exists market_products_name_idx on market_products using gin (name gin_trgm_ops)
  where status = 'active' and deleted_at is null;
-- Walked for a price order: with all that a filter looks at, so that no row is fetched only to be passed over.
create index if not exists market_search_entries_price_idx on market_search_entries (price, product_id)
  include (words, category_id, store_id, in_stock, is_featured, created_at);
create index if not exists market_search_words_part_idx on market_search_words using gin (word gin_trgm_ops);

-- A name as search words: letters and digits, small, whatever stands between them.
create or replace function market_words(name text) returns tsvector language sql immutable parallel safe as $$
  select to_tsvector('pg_catalog.simple', regexp_replace(lower(name), '[^[:alnum:]]+', ' ', 'g'))
$$;

-- What a name's words are looked up together with, so that one look into the index serves all: the category, the store
-- (its last letters, the row tells for sure), the step of the price (half an octave), and the spans of time it was made in.
-- They begin as no word does, so that nobody's first letters find them.
create or replace function market_search_price_step(price bigint) returns int language sql immutable parallel safe as $$
  select floor(2 * log(2, greatest(price, 1)::numeric))::int
$$;

create or replace function market_search_lexemes(
  name text, category_id uuid, store_id uuid, price bigint, created_at timestamptz
) returns tsvector language sql immutable parallel safe as $$
  select market_words(name) || array_to_tsvector(array_remove(array[':c' || category_id, ':s' || right(store_id::text, 8),
    ':p' || market_search_price_step(price)], null)
    || array(select ':t' || n || '/' || (extract(epoch from created_at)::bigint >> n) from unnest(array[16, 18, 20, 22, 24]) n))
$$;

-- Brings the entries of these products in line with what may be shown. Words are added in one order everywhere, so that
-- two sellers who bring the same new words do not block each other for good.
create or replace function market_search_put(product_ids uuid[]) returns void language plpgsql as $$
begin
  insert into market_search_entries (product_id, store_id, category_id, price, in_stock, is_featured, created_at, words)
  select p.id, p.store_id, p.category_id, p.price, p.stock > p.reserved, p.is_featured, p.created_at,
    market_search_lexemes(p.name, p.category_id, p.store_id, p.price, p.created_at)
  from market_products p join market_stores s on s.id = p.store_id
  where p.id = any(product_ids) and p.status = 'active' and p.deleted_at is null
    and s.status = 'active' and s.deleted_at is null
  on conflict (product_id) do update set category_id = excluded.category_id, price = excluded.price,
    in_stock = excluded.in_stock, is_featured = excluded.is_featured, created_at = excluded.created_at, words = excluded.words;
  insert into market_search_words (word)
  select distinct w.word from market_search_entries e, unnest(tsvector_to_array(e.words)) w(word)
    where e.product_id = any(product_ids) and w.word not like '%:%'
      and not exists (select from market_search_words known where known.word = w.word)
    order by w.word
  on conflict do nothing;
end $$;

create or replace function market_search_added() returns trigger language plpgsql as $$
begin
  perform market_search_put((select array_agg(id) from added));
  return null;
end $$;

create or replace trigger market_products_searchable after insert on market_products
  referencing new table as added for each statement execute function market_search_added();

-- A new price, stock or place among the featured leaves the words of a product as they are; at most the step of its price
-- is another one.
create or replace function market_search_changed() returns trigger language plpgsql as $$
begin
  if new.status <> 'active' or new.deleted_at is not null then
    delete from market_search_entries where product_id = new.id;
    return null;
  end if;
  if (new.name, new.category_id, new.created_at) is not distinct from (old.name, old.category_id, old.created_at) then
    update market_search_entries e
      set price = new.price, in_stock = new.stock > new.reserved, is_featured = new.is_featured,
        words = case when market_search_price_step(new.price) = market_search_price_step(e.price) then e.words
          else ts_delete(e.words, ':p' || market_search_price_step(e.price))
            || array_to_tsvector(array[':p' || market_search_price_step(new.price)]) end
      where e.product_id = new.id;
    if found then
      return null;
    end if;
  end if;
  perform market_search_put(array[new.id]);
  return null;
end $$;

-- A sale that leaves some over changes nothing here.
create or replace trigger market_products_search_changed after update on market_products
  for each row when (
    (new.name, new.price, new.status, new.category_id, new.is_featured, new.deleted_at, new.created_at)
      is distinct from
    (old.name, old.price, old.status, old.category_id, old.is_featured, old.deleted_at, old.created_at)
    or (new.stock > new.reserved) <> (old.stock > old.reserved))
  execute function market_search_changed();

create or replace function market_search_store_changed() returns trigger language plpgsql as $$
begin
  if new.status = 'active' and new.deleted_at is null then
    perform market_search_put((select array_agg(id) from market_products where store_id = new.id));
  else
    delete from market_search_entries where store_id = new.id;
  end if;
  return null;
end $$;

create or replace trigger market_stores_search_changed after update on market_stores
  for each row when ((new.status, new.deleted_at) is distinct from (old.status, old.deleted_at))
  execute function market_search_store_changed();

-- What was on sale before there was a search, or before its words told the time in this way.
select market_search_put((select array_agg(p.id) from market_products p))
  where exists (select from market_products)
    and not coalesce((select tsvector_to_array(e.words)::text like '%:t16/%' from market_search_entries e limit 1), false);
