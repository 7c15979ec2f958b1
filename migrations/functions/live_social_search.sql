-- Search of people by any part of their name, fast at any number of them. Repeatable. It stands here because the
-- operator class belongs to an extension, which must exist before the index does.
create extension if not exists pg_trgm;
create index if not exists identity_users_name_idx on identity_users using gin (name gin_trgm_ops)
  where banned_at is null and deleted_at is null;
