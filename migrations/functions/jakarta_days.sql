-- When the day of Jakarta that a moment lies in began. `date at time zone` must not be used for it: it takes the date for
-- a moment of the session's own zone first.
create or replace function jakarta_midnight(moment timestamptz) returns timestamptz language sql immutable as $$
  select date_trunc('day', moment at time zone 'Asia/Jakarta') at time zone 'Asia/Jakarta'
$$;
