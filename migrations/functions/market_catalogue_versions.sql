-- A store's `version` grows with every change that its pages show, in the transaction of the change, so that a cached
-- page can prove itself fresh. Stock counts as far as pages tell it: the last five pieces one by one, so checkouts that
-- leave more over never change the store's row. Lock order: market_locks.sql.

create or replace function market_store_version() returns trigger language plpgsql as $$
begin
  new.version := old.version + 1;
  return new;
end $$;

create or replace trigger market_stores_version before update on market_stores
  for each row when (new.version = old.version and new.* is distinct from old.*)
  execute function market_store_version();

-- How many pieces a page speaks of; six stands for more than it counts (FEW in storefront/components/product-card.tsx).
create or replace function market_stock_shown(available int) returns int language sql immutable as $$
  select greatest(0, least(6, available))
$$;

create or replace function market_product_version() returns trigger language plpgsql as $$
begin
  update market_stores set version = version + 1 where id = new.store_id;
  return null;
end $$;

create or replace trigger market_products_added after insert on market_products
  for each row when (new.status = 'active' and new.deleted_at is null)
  execute function market_product_version();

create or replace trigger market_products_changed after update on market_products
  for each row when (
    ((old.status = 'active' and old.deleted_at is null) or (new.status = 'active' and new.deleted_at is null))
    and (
      (new.name, new.description, new.price, new.status, new.category_id, new.weight_gram, new.is_featured, new.deleted_at)
        is distinct from
      (old.name, old.description, old.price, old.status, old.category_id, old.weight_gram, old.is_featured, old.deleted_at)
      or market_stock_shown(new.stock - new.reserved) <> market_stock_shown(old.stock - old.reserved)
    )
  )
  execute function market_product_version();

create or replace function market_product_images_version() returns trigger language plpgsql as $$
begin
  update market_stores set version = version + 1 where id in (
    select p.store_id from changed c join market_products p on p.id = c.product_id
    where p.status = 'active' and p.deleted_at is null);
  return null;
end $$;

create or replace trigger market_product_images_added after insert on market_product_images
  referencing new table as changed for each statement execute function market_product_images_version();
create or replace trigger market_product_images_changed after update on market_product_images
  referencing new table as changed for each statement execute function market_product_images_version();
create or replace trigger market_product_images_removed after delete on market_product_images
  referencing old table as changed for each statement execute function market_product_images_version();
