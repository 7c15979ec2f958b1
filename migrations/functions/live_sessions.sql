-- Live sessions. Guarantees, from any number of connections at once: a host has one open session at most; a session
-- ends once and its totals never change afterwards, save that its room counts who came last; its duration is the time for which the host's socket was proven to
-- be there (live_sessions_leases.sql), whoever ends it and however late, and the seconds from a fresh proof to his own
-- wish to end; every gift that names an open session is in its income, because a gift holds the session's row
-- (`live_sessions_keep`) and the end waits for it.

-- A session's row, and for who is told of it its host's name and where its start was asked for.
create or replace function live_session_row(s live_sessions) returns jsonb language sql stable as $$
  select jsonb_build_object('id', s.id, 'host_id', s.host_id, 'room_id', s.room_id, 'address', s.address,
    'host_name', (select u.name from identity_users u where u.id = s.host_id), 'start_time', s.start_time,
    'end_time', s.end_time, 'duration_seconds', s.duration_seconds, 'total_income', s.total_income,
    'total_viewers', s.total_viewers, 'created_at', s.created_at)
$$;

-- Whether a session counts as a live, in lists, statistics and salaries alike: what nobody proved for a second does not, as
-- anybody may ask for starts; an open one counts from its first proof on.
create or replace function live_counts(s live_sessions) returns boolean language sql stable as $$
  select case when s.end_time is null then s.proven_at > s.start_time else s.duration_seconds > 0 end
$$;

-- Keeps the open sessions of hosts from ending before the caller's transaction does: what it writes into them counts.
create or replace function live_sessions_keep(hosts bigint[]) returns void language sql as $$
  select from live_sessions where host_id = any (hosts) and end_time is null order by id for key share
$$;

-- The people whom the rooms saw in a session: users and guests, each once, and never fewer than were there at once.
create or replace function live_session_people(s live_sessions) returns int language sql stable as $$
  select greatest(s.total_viewers, s.viewers_peak,
    (select count(*) from live_session_viewers v where v.session_id = s.id)
      + (select count(*) from live_session_guests g where g.session_id = s.id))::int
$$;

-- Ends a session; its row, or null when it had ended before. A live that ended by a wish ends now, one that was found
-- dead ended at its last proof. Rooms renew every 25 s: a wish within 35 s of a proof finds the host still there, so
-- that time counts. The start alone is no proof here, or lives without a socket would add up to hours.
create or replace function live_close_session(session bigint, reason text) returns jsonb language plpgsql as $$
declare
  s live_sessions;
  ended_at timestamptz;
  unproven interval;
  tail_ms bigint := 0;
begin
  -- Waits for gifts that are being written into it.
  select * into s from live_sessions where id = session and end_time is null for update;
  if not found then return null; end if;
  ended_at := case when reason in ('request', 'new_start') then greatest(clock_timestamp(), s.proven_at)
    else s.proven_at end;
  unproven := ended_at - s.proven_at;
  if s.proven_at > s.start_time and unproven < interval '35 seconds' then
    tail_ms := floor(extract(epoch from unproven) * 1000);
  end if;
  update live_sessions l set
    end_time = ended_at,
    address = null,
    end_reason = reason,
    proven_ms = l.proven_ms + tail_ms,
    duration_seconds = (l.proven_ms + tail_ms) / 1000,
    total_income = coalesce((select g.income from live_session_gifts g where g.session_id = l.id), 0),
    total_viewers = live_session_people(l),
    is_unheard = true
  where l.id = session
  returning l.* into s;
  return live_session_row(s);
end $$;

-- live_start_session({host_id, claimed_id, room_id, address}) returns {session, ended}
-- Ends the host's open session, if any, and opens the new one. Of several calls at once the last one's stays open.
create or replace function live_start_session(input jsonb) returns jsonb language plpgsql as $$
declare
  host bigint := (input->>'host_id')::bigint;
  ended jsonb := '[]';
  closed jsonb;
  moment timestamptz;
  s live_sessions;
begin
  if host <> (input->>'claimed_id')::bigint then
    perform app_error('forbidden', '');
  end if;
  loop
    select live_close_session(l.id, 'new_start') into closed
      from live_sessions l where l.host_id = host and l.end_time is null;
    if closed is not null then ended := ended || closed; end if;
    moment := clock_timestamp();
    insert into live_sessions (host_id, room_id, address, start_time, proven_at)
      values (host, input->>'room_id', input->>'address', moment, moment)
      on conflict (host_id) where end_time is null do nothing
      returning * into s;
    exit when s.id is not null;
  end loop;
  return jsonb_build_object('session', live_session_row(s), 'ended', ended);
end $$;

-- live_end_session({session_id, host_id}) returns {session, ended, is_heard}
-- Ends the host's own session. `ended` is false when it had ended before: then its row is as it was. `is_heard`: its room
-- knows of its end.
create or replace function live_end_session(input jsonb) returns jsonb language plpgsql as $$
declare
  s live_sessions;
  closed jsonb;
begin
  select * into s from live_sessions where id = (input->>'session_id')::bigint;
  if not found then
    perform app_error('not_found', 'Sesi live tidak ditemukan');
  elsif s.host_id <> (input->>'host_id')::bigint then
    perform app_error('forbidden', '');
  end if;
  closed := live_close_session(s.id, 'request');
  select * into s from live_sessions where id = s.id;
  return jsonb_build_object('session', live_session_row(s), 'ended', closed is not null, 'is_heard', not s.is_unheard);
end $$;
