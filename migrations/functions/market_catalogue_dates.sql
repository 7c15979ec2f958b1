-- A moment as the wire shows it (ISO 8601, UTC, milliseconds), whatever the session's time zone. Inlined by the planner.
create or replace function market_iso(moment timestamptz) returns text language sql stable parallel safe as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
