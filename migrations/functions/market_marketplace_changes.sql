-- What a shop elsewhere shows follows the product: every change that it would show is noted in the transaction of the
-- change, on the rows of its listings only, so that checkouts of a store touch no row in common. Any number of changes
-- between two visits of the worker is one visit's work. Lock order: market_locks.sql
-- (these triggers fire after those that version the store).

-- When a listing that has changed is worked on: at once, but a creation in doubt not before it was surely to be found.
create or replace function market_marketplace_not_before(retry_at timestamptz, doubt_at timestamptz) returns timestamptz
language sql immutable as $$
  select case when retry_at is not null and doubt_at is not null then least(retry_at, doubt_at + interval '1 minute') end
$$;

create or replace function market_marketplace_touch(touched uuid[], stock_only uuid[]) returns void language sql as $$
  with locked as (
    select l.id from market_listings l
    -- What could not be listed is not tried again for a change of stock, which was not the reason; but it may be
    -- listed just now, with the stock of before.
    where l.product_id = any (touched) or (l.product_id = any (stock_only)
      and (l.item_id is not null or l.sync_status <> 'error' or l.dirty))
    order by l.product_id, l.id for no key update
  )
  update market_listings l set changes = l.changes + 1, dirty = true, updated_at = now(),
      sync_status = case l.sync_status when 'synced' then 'pending' else l.sync_status end,
      attempts = 0, retry_at = market_marketplace_not_before(l.retry_at, l.doubt_at)
    from locked where l.id = locked.id
$$;

create or replace function market_marketplace_products_changed() returns trigger language plpgsql as $$
declare
  touched uuid[];
  stock_only uuid[];
begin
  select array_agg(n.id) filter (where d.shown), array_agg(n.id) filter (where not d.shown)
    into touched, stock_only
    from new_rows n join old_rows o on o.id = n.id
    cross join lateral (select (n.name, n.description, n.price, n.weight_gram, n.category_id, n.status, n.deleted_at)
      is distinct from (o.name, o.description, o.price, o.weight_gram, o.category_id, o.status, o.deleted_at) as shown) d
    where d.shown or n.stock - n.reserved <> o.stock - o.reserved;
  if touched is not null or stock_only is not null then
    perform market_marketplace_touch(touched, stock_only);
  end if;
  return null;
end $$;

create or replace trigger market_products_marketplaces after update on market_products
  referencing old table as old_rows new table as new_rows
  for each statement execute function market_marketplace_products_changed();

create or replace function market_marketplace_images_changed() returns trigger language plpgsql as $$
begin
  perform market_marketplace_touch((select array_agg(distinct c.product_id) from changed c), null);
  return null;
end $$;

create or replace trigger market_product_images_to_marketplaces_added after insert on market_product_images
  referencing new table as changed for each statement execute function market_marketplace_images_changed();
create or replace trigger market_product_images_to_marketplaces_changed after update on market_product_images
  referencing new table as changed for each statement execute function market_marketplace_images_changed();
create or replace trigger market_product_images_to_marketplaces_removed after delete on market_product_images
  referencing old table as changed for each statement execute function market_marketplace_images_changed();

-- A closed store's listings come off the shelf elsewhere too, and go back with it.
create or replace function market_marketplace_store_changed() returns trigger language plpgsql as $$
begin
  perform market_marketplace_touch((select array_agg(l.product_id) from market_listings l
    join market_connections c on c.id = l.connection_id where c.store_id = new.id), null);
  return null;
end $$;

create or replace trigger market_stores_marketplaces after update on market_stores
  for each row when ((old.status = 'active' and old.deleted_at is null) <> (new.status = 'active' and new.deleted_at is null))
  execute function market_marketplace_store_changed();
