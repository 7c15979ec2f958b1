-- The least version-7 UUID of a moment: `id >= uuid_from(moment)` is what was made from then on, to the millisecond.
-- `uuidv7(interval)` would not do: it is volatile, so that Postgres asks it for each row and uses no index.
create or replace function uuid_from(moment timestamptz) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex(greatest(floor(extract(epoch from moment) * 1000), 0)::bigint), 12, '0')
    || '70008000000000000000')::uuid
$$;
