-- Lets a user ask for a player's name: {user_id, allowed}. Guarantee: at most `allowed` calls of a user return within
-- a minute, from any number of connections; the others raise 'rate_limited' with the seconds to wait.
create or replace function topup_lookup_allow(input jsonb) returns boolean language plpgsql as $$
declare
  person bigint := (input->>'user_id')::bigint;
  started timestamptz;
begin
  insert into topup_lookups as l (user_id, window_started_at, count) values (person, now(), 1)
  on conflict (user_id) do update set
    count = case when l.window_started_at <= now() - interval '1 minute' then 1 else l.count + 1 end,
    window_started_at = case when l.window_started_at <= now() - interval '1 minute' then now() else l.window_started_at end
  where l.count < (input->>'allowed')::int or l.window_started_at <= now() - interval '1 minute';
  if found then return true; end if;
  select l.window_started_at into started from topup_lookups l where l.user_id = person;
  perform app_error('rate_limited', '', jsonb_build_object('retry_after',
    least(60, greatest(1, ceil(extract(epoch from started + interval '1 minute' - now()))::int))));
  return false;
end $$;
-- Search by any part of a service's name, of which a game's is "86 Diamonds"; it stands here because the operator class
-- belongs to an extension.
create extension if not exists pg_trgm;
drop index if exists topup_services_words_idx;
create index if not exists topup_services_search_idx on topup_services using gin ((brand || ' ' || name) gin_trgm_ops)
  where status <> 'gone' and active;
