-- Servers of the panel and how agents get at them. Guarantees, from any number of connections at once: exactly one
-- server is the default as soon as there is any; an enrolment token makes one agent, in time, once; a server that
-- still has something on it is not forgotten, unless it is long dead and that is said.

-- A server as operators see it. The two minutes are those after which a silent agent is told about.
create or replace function panel_server_view(server panel_servers) returns jsonb language sql stable as $$
  select jsonb_build_object('id', server.id, 'name', server.name, 'is_default', server.is_default,
    'enrolled', server.public_key is not null, 'enrolled_at', panel_time(server.enrolled_at),
    'agent_version', server.agent_version, 'facts', server.facts, 'sites_root', server.sites_root,
    'connected_at', panel_time(server.connected_at), 'seen_at', panel_time(server.seen_at),
    'online', coalesce(server.seen_at > now() - interval '2 minutes', false),
    'created_at', panel_time(server.created_at), 'updated_at', panel_time(server.updated_at))
$$;

-- {id, name, user_id, token_hash, ttl_seconds} -> the server. The first one is the default.
create or replace function panel_server_create(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers;
begin
  perform pg_advisory_xact_lock(hashtextextended('panel_servers', 0));
  insert into panel_servers (id, name, is_default, created_by)
  values (input->>'id', input->>'name', not exists (select from panel_servers s where s.is_default),
    (input->>'user_id')::bigint)
  returning * into server;
  perform panel_enrolment_open(input);
  return panel_server_view(server);
end $$;

-- {id, user_id, token_hash, ttl_seconds} -> when the token ends. Earlier ones of this server end now.
create or replace function panel_enrolment_open(input jsonb) returns text language plpgsql as $$
declare
  until timestamptz := now() + make_interval(secs => (input->>'ttl_seconds')::int);
begin
  perform from panel_servers s where s.id = input->>'id' for no key update;
  if not found then perform app_error('not_found', 'server not found'); end if;
  delete from panel_enrolments e where e.server_id = input->>'id' and e.used_at is null;
  insert into panel_enrolments (server_id, token_hash, expires_at, created_by)
  values (input->>'id', input->>'token_hash', until, (input->>'user_id')::bigint);
  return panel_time(until);
end $$;

-- {id, name?, is_default?} -> the server. A default is only ever handed on, never given up.
create or replace function panel_server_change(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers;
begin
  perform pg_advisory_xact_lock(hashtextextended('panel_servers', 0));
  select * into server from panel_servers s where s.id = input->>'id' for no key update;
  if not found then perform app_error('not_found', 'server not found'); end if;
  if (input->>'is_default')::bool and not server.is_default then
    update panel_servers s set is_default = false, updated_at = now() where s.is_default;
    update panel_servers s set is_default = true where s.id = server.id;
  end if;
  update panel_servers s set name = coalesce(input->>'name', s.name), updated_at = now()
  where s.id = server.id returning * into server;
  return panel_server_view(server);
end $$;

-- The server that is to be forgotten, locked: {id, force?}. Never the default one while there are others; by `force` only
-- one that nobody has heard of for a day.
create or replace function panel_server_ending(input jsonb) returns panel_servers language plpgsql as $$
declare
  server panel_servers;
begin
  perform pg_advisory_xact_lock(hashtextextended('panel_servers', 0));
  select * into server from panel_servers s where s.id = input->>'id' for update;
  if not found then perform app_error('not_found', 'server not found'); end if;
  if server.is_default and exists (select from panel_servers s where s.id <> server.id) then
    perform app_error('conflict', 'server is the default one');
  end if;
  if (input->>'force')::bool
    and greatest(server.created_at, server.enrolled_at, server.seen_at) > now() - interval '1 day'
  then
    perform app_error('conflict', 'server was heard within a day');
  end if;
  return server;
end $$;

-- {id, audit}. All backups of a server that is forgotten by force are to go -> [{id, upload_id}]: what of them lies in R2
-- (some at a time; the minute cron removes the rest).
create or replace function panel_server_give_up(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers := panel_server_ending(input || '{"force": true}');
begin
  update panel_backups b set state = 'removing', is_unproven = false, updated_at = now() where b.server_id = server.id;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'server.give_up', 'subject_kind', 'panel_server',
    'subject_id', server.id, 'after', jsonb_build_object(
      'sites', (select coalesce(jsonb_agg(s.domain order by s.domain), '[]') from panel_sites s where s.server_id = server.id),
      'backups', (select count(*) from panel_backups b where b.server_id = server.id))));
  return coalesce((
    select jsonb_agg(jsonb_build_object('id', b.id, 'upload_id', b.r2_upload_id)) from (
      select x.id, x.r2_upload_id from panel_backups x
      where x.server_id = server.id and x.r2_state <> 'none' limit 200) b), '[]');
end $$;

-- {id, force?}. Refused while sites, backups or unfinished jobs are on it. By `force` these go with it, but for backups
-- that still lie in R2.
create or replace function panel_server_delete(input jsonb) returns void language plpgsql as $$
declare
  server panel_servers := panel_server_ending(input);
begin
  if (input->>'force')::bool then
    delete from panel_sites s where s.server_id = server.id;
    delete from panel_backups b where b.server_id = server.id and b.r2_state = 'none';
  elsif exists (select from panel_jobs j where j.server_id = server.id and j.outcome is null) then
    perform app_error('conflict', 'server has unfinished jobs');
  end if;
  delete from panel_servers s where s.id = server.id;
exception when foreign_key_violation then
  perform app_error('conflict', 'server is not empty');
end $$;

-- From when on a server's key is its key, as a number that grows with every key.
create or replace function panel_key_since(enrolled timestamptz) returns float8 language sql immutable as $$
  select floor(extract(epoch from enrolled) * 1000000)::float8
$$;

-- {token_hash, public_key, facts, agent_version, address, alert_to} -> {server_id, server_name, key_since, wake} |
-- {refused: unknown | late | used, wake}. A token that comes a second time may be a stolen one: the operator is told.
-- Whoever is connected with the key of before is cut off by a job of this very transaction, however often that takes.
create or replace function panel_agent_enrol(input jsonb) returns jsonb language plpgsql as $$
declare
  e panel_enrolments;
  server panel_servers;
  enrolled timestamptz;
begin
  select * into e from panel_enrolments x where x.token_hash = input->>'token_hash' for update;
  if not found then return '{"refused": "unknown"}'; end if;
  select * into server from panel_servers s where s.id = e.server_id for no key update;
  if e.used_at is not null then
    perform panel_agent_refused(input, server.id, 'used');
    return jsonb_build_object('refused', 'used', 'wake', jobs_wakes(mail_enqueue('alert', input->>'alert_to',
      'alert/panel-enrolment/' || e.id, jsonb_build_object(
        'what', 'Token pendaftaran server dipakai dua kali',
        'facts', jsonb_build_object('server', server.name, 'dipakai', panel_time(e.used_at),
          'alamat', coalesce(input->>'address', '-')),
        'next', 'Pendaftaran kedua ditolak. Bila bukan Anda yang mendaftarkan agen, buat pendaftaran baru: kunci lama lalu tidak berlaku.'))));
  end if;
  if e.expires_at <= now() then
    perform panel_agent_refused(input, server.id, 'late');
    return '{"refused": "late"}';
  end if;
  update panel_enrolments x set used_at = now() where x.id = e.id;
  update panel_servers s set public_key = input->>'public_key', facts = input->'facts',
    -- Under the row's lock and never back: which of two keys is the later one is told by this alone.
    enrolled_at = greatest(clock_timestamp(), s.enrolled_at + interval '1 microsecond'),
    sites_root = coalesce(input->'facts'->>'sitesRoot', s.sites_root), agent_version = input->>'agent_version',
    connected_at = null, updated_at = now()
  where s.id = server.id returning s.enrolled_at into enrolled;
  perform audit_write(jsonb_build_object('actor_kind', 'system', 'action', 'server.enrolled',
    'subject_kind', 'panel_server', 'subject_id', server.id, 'address', input->>'address',
    'after', jsonb_build_object('hostname', input->'facts'->>'hostname', 'renewed', server.public_key is not null)));
  return jsonb_build_object('server_id', server.id, 'server_name', server.name, 'key_since', panel_key_since(enrolled),
    'wake', jobs_wakes(jobs_enqueue('panel.revoke', 'provisioning', null,
      jsonb_build_object('server_id', server.id, 'key_since', panel_key_since(enrolled)))));
end $$;

create or replace function panel_agent_refused(input jsonb, server text, why text) returns void
language plpgsql as $$
begin
  perform audit_refused(jsonb_build_object('actor_kind', 'system', 'action', 'server.enrolled',
    'subject_kind', 'panel_server', 'subject_id', server, 'reason', why, 'address', input->>'address'));
end $$;

-- {id, agent_version, facts}: an agent has connected and said who it is.
create or replace function panel_agent_hello(input jsonb) returns void language plpgsql as $$
begin
  update panel_servers s set agent_version = input->>'agent_version', facts = input->'facts',
    sites_root = coalesce(input->'facts'->>'sitesRoot', s.sites_root), connected_at = now(), seen_at = now(),
    updated_at = now()
  where s.id = input->>'id';
end $$;

-- {id, facts, alert_to} -> wakes. Two agents live on one key: told at most once an hour a server, and kept in the trail.
create or replace function panel_agent_twins(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers;
begin
  select * into server from panel_servers s where s.id = input->>'id';
  if not found then return '[]'; end if;
  perform audit_refused(jsonb_build_object('actor_kind', 'system', 'action', 'server.connect',
    'subject_kind', 'panel_server', 'subject_id', server.id, 'reason', 'two agents with one key',
    'after', input->'facts'));
  return jobs_wakes(mail_enqueue('alert', input->>'alert_to',
    'alert/panel-twins/' || server.id || '/' || to_char(now() at time zone 'UTC', 'YYYYMMDDHH24'),
    jsonb_build_object('what', 'Dua agen memakai satu kunci server',
      'facts', jsonb_build_object('server', server.name) || (input->'facts'),
      'next', 'Agen yang terbaru tetap tersambung. Bila kuncinya dicuri, buat pendaftaran baru: kunci lama lalu tidak berlaku.')));
end $$;
