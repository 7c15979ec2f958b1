-- Search by any part of a product's name, fast at any number of products. Repeatable. It stands here because the
-- operator class belongs to an extension, which must exist before the index does.
create extension if not exists pg_trgm;
create index if not exists market_products_name_idx on market_products using gin (name gin_trgm_ops)
  where status = 'active' and deleted_at is null;
