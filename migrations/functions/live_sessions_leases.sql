-- Leases: how a live proves that it goes on. The room renews the lease of a host whose verified socket is there every 20
-- to 30 s; each renewal adds the time since the last proof to the live's duration. The start counts as the first proof.
-- After 90 s without a renewal the lease has lapsed, and the minute's sweep ends the session as of the last one, unless
-- its room says that the host is there: then the lease could not be renewed (the database was away), the live goes on,
-- and the time between counts for nothing. The shipped app's sockets carry no token; one that comes from where the live
-- was started proves it as well. A session without any proof stays listed for two hours and lasts 0 seconds.

create or replace function live_lease_lapsed(s live_sessions) returns boolean language sql as $$
  select case when s.proven_at > s.start_time then s.proven_at < clock_timestamp() - interval '90 seconds'
    else s.start_time < clock_timestamp() - interval '2 hours' end
$$;

create or replace function live_session_too_old(s live_sessions) returns boolean language sql as $$
  select s.start_time < clock_timestamp() - interval '12 hours'
$$;

-- live_renew_leases({renewals: [{host_id, room_id, viewers, joined}]}) returns [session id or null], one for each
-- A lapsed lease is renewed as long as nobody has ended its session. No gap of more than 90 s counts as proven. The room
-- leaves hosts out of the viewers that it counts.
create or replace function live_renew_leases(input jsonb) returns jsonb language plpgsql as $$
declare
  one jsonb;
  s live_sessions;
  gap interval;
  results jsonb := '[]';
begin
  for one in select value from jsonb_array_elements(input->'renewals') loop
    select * into s from live_sessions l
      where l.host_id = (one->>'host_id')::bigint and l.room_id = one->>'room_id' and l.end_time is null
      for no key update;
    if s.id is not null then
      -- A first proof that comes late proves nothing of the time before it.
      gap := greatest(clock_timestamp() - s.proven_at, interval '0');
      update live_sessions l set proven_at = s.proven_at + gap,
        proven_ms = l.proven_ms + case when gap <= interval '90 seconds' then floor(extract(epoch from gap) * 1000) else 0 end,
        viewers_now = (one->>'viewers')::int, viewers_peak = greatest(l.viewers_peak, (one->>'viewers')::int)
      where l.id = s.id;
      insert into live_session_viewers (session_id, user_id)
        select s.id, viewer::bigint from jsonb_array_elements_text(one->'joined') viewer
        where viewer::bigint <> s.host_id order by 2
        on conflict do nothing;
    end if;
    results := results || jsonb_build_array(s.id);
  end loop;
  return results;
end $$;

-- live_end_abandoned({host_id, room_id, gone_since}) returns the ended row or null
-- A session that began after the host's socket went stays open, as does one that was proven after it: some seconds after,
-- as the room's clock and this one differ, and a renewal may have been under way.
create or replace function live_end_abandoned(input jsonb) returns jsonb language plpgsql as $$
declare
  since timestamptz := (input->>'gone_since')::timestamptz;
  session bigint;
begin
  select id into session from live_sessions l
    where l.host_id = (input->>'host_id')::bigint and l.room_id = input->>'room_id' and l.end_time is null
      and (since is null or (l.start_time <= since and l.proven_at <= since + interval '30 seconds'))
    for update;
  return live_close_session(session, 'host_gone');
end $$;

-- live_lapsed({limit}) returns [{session_id, room_id, unasked}], the oldest first: sessions that the sweep is to end
-- `unasked`: their lease lapsed, and their room may know better.
create or replace function live_lapsed(input jsonb) returns jsonb language sql as $$
  select coalesce(jsonb_agg(jsonb_build_object('session_id', l.id, 'room_id', l.room_id,
      'unasked', l.proven_at > l.start_time and not live_session_too_old(l)) order by l.id), '[]')
    from (
      select * from live_sessions l
      where l.end_time is null and (live_lease_lapsed(l) or live_session_too_old(l))
      order by l.id limit (input->>'limit')::int
    ) l
$$;

-- live_unproven({limit}) returns the rows of young sessions that nothing has proven yet, the newest first
-- Their rooms may not have heard that they began.
create or replace function live_unproven(input jsonb) returns jsonb language sql as $$
  select coalesce(jsonb_agg(live_session_row(l) order by l.id desc), '[]') from live_sessions l
  where l.id in (select y.id from live_sessions y where y.end_time is null and y.proven_at = y.start_time
    and y.start_time between clock_timestamp() - interval '10 minutes' and clock_timestamp() - interval '40 seconds'
    order by y.start_time desc limit (input->>'limit')::int)
$$;

-- live_end_lapsed({session_ids}) returns the rows of the sessions that it ended
-- What was renewed since stays open; what is being renewed or written to at this moment is left for the next minute.
-- Running it twice ends nothing twice.
create or replace function live_end_lapsed(input jsonb) returns jsonb language plpgsql as $$
declare
  s live_sessions;
  ended jsonb := '[]';
begin
  for s in
    select l.* from jsonb_array_elements_text(input->'session_ids') one join live_sessions l on l.id = one::bigint
    where l.end_time is null and (live_lease_lapsed(l) or live_session_too_old(l))
    order by l.id
    for update of l skip locked
  loop
    ended := ended || live_close_session(s.id, case when live_lease_lapsed(s) then 'lapsed' else 'max_age' end);
  end loop;
  return ended;
end $$;
