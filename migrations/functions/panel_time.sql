-- A moment as the panel's contract writes it: RFC 3339, UTC, fractions to the microsecond.
create or replace function panel_time(moment timestamptz) returns text language sql stable as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
