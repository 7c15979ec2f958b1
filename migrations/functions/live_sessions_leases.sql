-- Leases: how a live proves that it goes on, and who came to it. The room renews the lease of a host whose verified socket is there every 20
-- to 30 s; each renewal adds the time since the last proof to the live's duration. The start counts as the first proof.
-- After 90 s without a renewal the lease has lapsed, and the minute's sweep ends the session as of the last one, unless
-- its room says that the host is there: then the lease could not be renewed (the database was away), the live goes on,
-- and the time between counts for nothing. The shipped app's sockets carry no token; the one guest's that the
-- room took for the host's (workers/live/rooms/stand-ins.ts) proves it as well. A session without any proof stays listed for two hours and lasts 0 seconds.

create or replace function live_lease_lapsed(s live_sessions) returns boolean language sql as $$
  select case when s.proven_at > s.start_time then s.proven_at < clock_timestamp() - interval '90 seconds'
    else s.start_time < clock_timestamp() - interval '2 hours' end
$$;

create or replace function live_session_too_old(s live_sessions) returns boolean language sql as $$
  select s.start_time < clock_timestamp() - interval '12 hours'
$$;

-- Writes down who came to a session; whoever is known is there once. Its host is no viewer of his own.
create or replace function live_session_came(s live_sessions, came jsonb) returns void language plpgsql as $$
begin
  insert into live_session_viewers (session_id, user_id)
    select s.id, viewer::bigint from jsonb_array_elements_text(came->'joined') viewer
    where viewer::bigint <> s.host_id order by 2
    on conflict do nothing;
  insert into live_session_guests (session_id, guest)
    select s.id, md5(guest)::uuid from jsonb_array_elements_text(came->'guests') guest order by 2
    on conflict do nothing;
end $$;

-- live_renew_leases({renewals: [{host_id, room_id, session_id?, is_here?, viewers, joined, guests?}]})
-- returns [session id or null], one for each
-- A lapsed lease is renewed as long as nobody has ended its session. No gap of more than 90 s counts as proven. Where the
-- host is not there, only his viewers are written down. The room leaves hosts out of the viewers that it counts.
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
        and l.id = coalesce((one->>'session_id')::bigint, l.id)
      for no key update;
    if s.id is not null then
      -- A first proof that comes late proves nothing of the time before it.
      gap := case when coalesce((one->>'is_here')::boolean, true)
        then greatest(clock_timestamp() - s.proven_at, interval '0') else interval '0' end;
      update live_sessions l set proven_at = s.proven_at + gap,
        proven_ms = l.proven_ms + case when gap <= interval '90 seconds' then floor(extract(epoch from gap) * 1000) else 0 end,
        viewers_now = (one->>'viewers')::int, viewers_peak = greatest(l.viewers_peak, (one->>'viewers')::int)
      where l.id = s.id;
      perform live_session_came(s, one);
    end if;
    results := results || jsonb_build_array(s.id);
  end loop;
  return results;
end $$;

-- live_hear_ends({words: [{session_id, joined, guests}]}) returns {session id: its viewers}
-- Rooms know that these sessions are over, and name who came to them last. Running it twice counts nobody twice.
create or replace function live_hear_ends(input jsonb) returns jsonb language plpgsql as $$
declare
  word jsonb;
  s live_sessions;
  totals jsonb := '{}';
begin
  for word in select value from jsonb_array_elements(input->'words') loop
    select * into s from live_sessions l where l.id = (word->>'session_id')::bigint for no key update;
    continue when s.id is null;
    perform live_session_came(s, word);
    continue when s.end_time is null;
    update live_sessions l set total_viewers = live_session_people(l), is_unheard = false
      where l.id = s.id returning l.* into s;
    totals := totals || jsonb_build_object(s.id::text, s.total_viewers);
  end loop;
  return totals;
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

-- live_unheard({limit}) returns {started, ended}: rows of sessions of which their rooms may not have heard
-- `started`: young ones that nothing has proven yet, after the time that their first word takes. `ended`: those of the
-- last day whose rooms gave no last word. Both the newest first.
create or replace function live_unheard(input jsonb) returns jsonb language sql as $$
  select jsonb_build_object(
    'started', (select coalesce(jsonb_agg(live_session_row(l) order by l.id desc), '[]') from live_sessions l
      where l.id in (select y.id from live_sessions y where y.end_time is null and y.proven_at = y.start_time
        and y.start_time between clock_timestamp() - interval '10 minutes' and clock_timestamp() - interval '40 seconds'
        order by y.start_time desc limit (input->>'limit')::int)),
    'ended', (select coalesce(jsonb_agg(live_session_row(l) order by l.id desc), '[]') from live_sessions l
      where l.id in (select y.id from live_sessions y where y.is_unheard
        and y.end_time > clock_timestamp() - interval '1 day' order by y.end_time desc limit (input->>'limit')::int)))
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

-- live_visitors_purge({limit}) returns of how many sessions it forgot who came, the oldest first
-- Those that ended a week ago: no word of them is to come. How many came stays in their rows.
create or replace function live_visitors_purge(input jsonb) returns jsonb language plpgsql as $$
declare
  session bigint := -1;
  done int := 0;
begin
  while done < (input->>'limit')::int loop
    session := least(
      (select min(v.session_id) from live_session_viewers v where v.session_id > session),
      (select min(g.session_id) from live_session_guests g where g.session_id > session));
    exit when session is null or not exists (select from live_sessions l
      where l.id = session and l.end_time < clock_timestamp() - interval '7 days');
    delete from live_session_viewers v where v.session_id = session;
    delete from live_session_guests g where g.session_id = session;
    done := done + 1;
  end loop;
  return to_jsonb(done);
end $$;
