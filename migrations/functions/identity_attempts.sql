-- Guarantee: of any number of calls with one key, at once or one after the other, at most `allowed` return 0 (go on)
-- in a row; every other one returns the seconds to wait. The row's lock puts them in a line. Reaching the limit
-- starts the wait anew, so it lasts the whole `seconds` after the last attempt that was let through.
create or replace function identity_count_attempt(attempt_key text, allowed integer, seconds integer)
returns integer language plpgsql as $$
declare
  span constant interval := make_interval(secs => seconds);
  started timestamptz;
begin
  insert into identity_attempts as a (key, failures, window_started_at)
  values (attempt_key, 1, now())
  on conflict (key) do update set
    failures = case when a.window_started_at <= now() - span then 1 else a.failures + 1 end,
    window_started_at = case
      when a.window_started_at <= now() - span or a.failures + 1 = allowed then now()
      else a.window_started_at
    end
  where a.failures < allowed or a.window_started_at <= now() - span;
  if found then
    return 0;
  end if;
  select window_started_at into started from identity_attempts where key = attempt_key;
  -- A call that waited for the lock began before the window that it finds, hence the upper bound.
  return least(seconds, greatest(1, ceil(extract(epoch from started + span - now()))::integer));
end $$;

-- Counts one attempt under each of `limits` ([{key, allowed, seconds}]) until one refuses; returns the seconds to
-- wait, or 0. Guarantee: callers name their limits in one order (pair, account, address), so they cannot deadlock.
create or replace function identity_count_attempts(limits jsonb)
returns integer language plpgsql as $$
declare
  bound record;
  wait integer := 0;
begin
  for bound in select * from jsonb_to_recordset(limits) as l(key text, allowed integer, seconds integer) loop
    wait := identity_count_attempt(bound.key, bound.allowed, bound.seconds);
    exit when wait > 0;
  end loop;
  return wait;
end $$;
