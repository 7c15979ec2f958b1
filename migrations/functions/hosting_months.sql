-- Months as people in Jakarta count them.

-- The day of the month in Jakarta.
create or replace function hosting_day_of(moment timestamptz) returns int language sql immutable as $$
  select extract(day from moment at time zone 'Asia/Jakarta')::int
$$;

-- So many months on, at the same time of the day in Jakarta, on day `anchor_day` or the last of a month that is too
-- short. Guarantee: steps with one anchor add up, so 31 January, 28 February, 31 March, and no drift in years.
create or replace function hosting_add_months(moment timestamptz, months int, anchor_day int)
returns timestamptz language plpgsql immutable as $$
declare
  clock timestamp := moment at time zone 'Asia/Jakarta';
  first timestamp := date_trunc('month', clock) + make_interval(months => hosting_add_months.months);
  days int := extract(day from first + interval '1 month' - interval '1 day');
begin
  return (first + make_interval(days => least(anchor_day, days) - 1) + (clock - date_trunc('day', clock)))
    at time zone 'Asia/Jakarta';
end $$;
