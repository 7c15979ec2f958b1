-- Backups. Guarantees, from any number of connections at once: a backup's name is used once on its server; a backup is
-- `stored` only by what its own server told of it; a restore of the panel's rows acts once; what is removed was marked
-- first, and the last proven backup of a subject never is.

create or replace function panel_new_id(prefix text) returns text language sql volatile as $$
  select prefix || '_' || (extract(epoch from clock_timestamp()) * 1000000)::bigint * 1000 || '_'
    || left(replace(gen_random_uuid()::text, '-', ''), 12)
$$;

-- A command about a backup, from within other functions: {server, subject, type, command, payload, input, hours}.
create or replace function panel_backup_command(input jsonb) returns jsonb language plpgsql as $$
begin
  return panel_start_command(input || jsonb_build_object('id', panel_new_id('job'), 'effect', 'backup',
    'deadline_ms', (input->>'hours')::int * 3600000));
end $$;

create or replace function panel_backup_policy(server text) returns panel_backup_policies language plpgsql stable as $$
declare
  p panel_backup_policies;
begin
  select * into p from panel_backup_policies x where x.server_id = server;
  if not found then
    p := row(server, true, true, true, true, 2, 7, 4, 6, true, 7, 9, null, null, now(), now())::panel_backup_policies;
  end if;
  return p;
end $$;

-- Whether the panel's rows in it are the panel's own: it handed them out itself, or has checked its signature of them.
-- A server could make up others, with sites of another server.
create or replace function panel_backup_is_ours(b panel_backups) returns boolean language sql immutable as $$
  select b.kind <> 'state' or b.state_sha256 is not null
$$;

-- What the agent is told of a backup that the edge knows.
create or replace function panel_backup_known(b panel_backups) returns jsonb language sql immutable as $$
  select jsonb_build_object('backupId', b.id, 'name', b.name, 'manifestSha256', b.manifest_sha256,
    'remote', b.r2_state = 'verified')
$$;

-- Where a backup's content lives now: {kind, …}. A site is looked for by its domain, so that it may have been made again.
create or replace function panel_backup_target(server text, kind text, subject text) returns jsonb
language plpgsql stable as $$
declare
  site panel_sites;
begin
  if kind = 'state' then return '{"kind": "state"}'; end if;
  if kind = 'database' then return jsonb_build_object('kind', kind, 'database', subject); end if;
  select * into site from panel_sites s where s.server_id = server and s.domain = subject;
  if not found then perform app_error('not_found', 'site not found'); end if;
  if site.status in ('provisioning', 'deleting') then perform app_error('conflict', 'site is ' || site.status); end if;
  return jsonb_build_object('kind', kind, 'siteId', site.id, 'domain', site.domain, 'rootPath', site.root_path);
end $$;

-- {server?, kind, site?, database?, origin, triggered_by?, audit?} -> {backup_id, job}. The name holds a second that no
-- other backup of the server has.
create or replace function panel_backup_start(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers := panel_server_held(input);
  kind text := input->>'kind';
  subject text := coalesce(input->>'database', '');
  moment timestamptz := date_trunc('second', clock_timestamp());
  chosen text;
  target jsonb;
  b panel_backups;
  job jsonb;
begin
  if kind = 'site' then
    select s.domain into subject from panel_sites s where s.id = input->>'site' and s.server_id = server.id;
    if not found then perform app_error('not_found', 'site not found'); end if;
  end if;
  target := panel_backup_target(server.id, kind, subject);
  perform pg_advisory_xact_lock(hashtextextended('panel_backups/' || server.id, 0));
  loop
    chosen := 'nusantara_' || kind || case when subject = '' then '' else '_' || subject end || '_'
      || to_char(moment at time zone 'UTC', 'YYYYMMDD_HH24MISS') || '.json';
    exit when not exists (select from panel_backups x where x.server_id = server.id and x.name = chosen);
    moment := moment + interval '1 second';
  end loop;
  insert into panel_backups (server_id, name, kind, subject, origin, created_at)
  values (server.id, chosen, kind, subject, input->>'origin', moment)
  returning * into b;
  job := panel_backup_command(jsonb_build_object('server', server.id, 'subject', 'backups', 'type', 'run_backup',
    'command', 'backup.run', 'payload', jsonb_build_object('kind', kind, 'subject', subject, 'name', chosen), 'hours', 12,
    'triggered_by', input->'triggered_by', 'input', jsonb_build_object('backupId', b.id, 'name', chosen,
      'createdAt', to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'target', target)));
  if input->'audit' is not null then
    perform audit_write(input->'audit' || jsonb_build_object('action', 'backup.run', 'subject_kind', 'panel_backup',
      'subject_id', chosen, 'after', jsonb_build_object('kind', kind, 'subject', subject, 'job_id', job->>'id')));
  end if;
  return jsonb_build_object('backup_id', b.id, 'job', job);
end $$;

-- The backup that a path means, on that server: {server?, file}. A path outside the folders that its server has told of
-- (or, before it has, the usual one) is `invalid_input`; one inside that nobody knows is `not_found`.
create or replace function panel_backup_at(input jsonb) returns panel_backups language plpgsql stable as $$
declare
  server panel_servers := panel_server_of(input);
  dir text := regexp_replace(input->>'file', '/[^/]*$', '');
  b panel_backups;
begin
  if dir <> '/var/backups/nusantara-panel' and not exists (
    select from panel_backups x where x.server_id = server.id and regexp_replace(x.file, '/[^/]*$', '') = dir
  ) then
    perform app_error('invalid_input', 'invalid backup path');
  end if;
  select * into b from panel_backups x
  where x.server_id = server.id and x.file = input->>'file' and x.state = 'stored';
  if not found then perform app_error('not_found', 'backup not found'); end if;
  if not panel_backup_is_ours(b) then perform app_error('conflict', 'the panel did not sign this backup'); end if;
  return b;
end $$;

-- {server?, file, restore_id, session_id, user_id, audit} -> {job}
create or replace function panel_backup_restore(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_at(input);
  target jsonb := panel_backup_target(b.server_id, b.kind, b.subject);
  job jsonb;
begin
  insert into panel_backup_restores (id, backup_id, server_id, session_id, requested_by)
  values ((input->>'restore_id')::uuid, b.id, b.server_id, (input->>'session_id')::uuid, (input->>'user_id')::bigint);
  job := panel_backup_command(jsonb_build_object('server', b.server_id, 'type', 'restore_backup',
    'subject', case b.kind when 'site' then 'site/' || (target->>'siteId') when 'database' then 'db' else 'backups' end,
    'command', 'backup.restore', 'payload', jsonb_build_object('file', b.file), 'hours', 12,
    'triggered_by', input->'user_id',
    'input', panel_backup_known(b) || jsonb_build_object('restoreId', input->'restore_id', 'target', target)));
  perform audit_write(input->'audit' || jsonb_build_object('action', 'backup.restore', 'subject_kind', 'panel_backup',
    'subject_id', b.file, 'after', jsonb_build_object('kind', b.kind, 'subject', b.subject, 'job_id', job->>'id')));
  return jsonb_build_object('job', job);
end $$;

create or replace function panel_backup_prove_command(b panel_backups, triggered_by jsonb) returns jsonb
language plpgsql as $$
begin
  return panel_backup_command(jsonb_build_object('server', b.server_id, 'subject', 'backup-copies', 'type', 'prove_backup',
    'command', 'backup.prove', 'payload', jsonb_build_object('file', b.file), 'input', panel_backup_known(b),
    'hours', 12, 'triggered_by', triggered_by));
end $$;

create or replace function panel_backup_upload_command(b panel_backups) returns jsonb language plpgsql as $$
begin
  return panel_backup_command(jsonb_build_object('server', b.server_id, 'subject', 'backup-copies', 'type', 'upload_backup',
    'command', 'backup.upload', 'payload', jsonb_build_object('file', b.file), 'input', panel_backup_known(b),
    'hours', 24));
end $$;

-- {server?, file, user_id, audit} -> {backup_id, job}
create or replace function panel_backup_prove(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_at(input);
  job jsonb := panel_backup_prove_command(b, input->'user_id');
begin
  perform audit_write(input->'audit' || jsonb_build_object('action', 'backup.prove', 'subject_kind', 'panel_backup',
    'subject_id', b.file, 'after', jsonb_build_object('job_id', job->>'id')));
  return jsonb_build_object('backup_id', b.id, 'job', job);
end $$;

-- {server?, user_id} -> the job that asks the server what is in its folder; one that is open already serves all.
create or replace function panel_backup_list_job(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers := panel_server_of(input);
  open_job jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('panel_backup_list/' || server.id, 0));
  select jsonb_build_object('job_id', p.job_id, 'id', p.id, 'server_id', p.server_id, 'wake', null) into open_job
  from panel_jobs p where p.server_id = server.id and p.subject = 'backup-list' and p.outcome is null
  order by p.seq desc limit 1;
  return coalesce(open_job, panel_backup_command(jsonb_build_object('server', server.id, 'subject', 'backup-list',
    'type', 'list_backups', 'command', 'backup.list', 'input', '{}'::jsonb, 'hours', 1,
    'triggered_by', input->'user_id')));
end $$;

-- A backup as the contract's list shows it.
create or replace function panel_backup_view(b panel_backups) returns jsonb language plpgsql stable as $$
begin
  return jsonb_build_object('id', b.id, 'file', b.file, 'size', b.bytes, 'created_at', panel_time(b.created_at),
    'kind', b.kind, 'subject', b.subject, 'server_id', b.server_id, 'origin', b.origin, 'counts', b.counts,
    'notes', b.notes, 'stored', jsonb_build_object('disk', b.on_disk, 'r2', b.r2_state = 'verified'),
    'last_proven_at', panel_time(b.last_proven_at), 'restore_ms', b.restore_ms, 'prove_error',
    case when b.state = 'stored' and not panel_backup_is_ours(b) then 'the panel did not sign this backup'
      else b.prove_error end,
    'unproven', b.is_unproven);
end $$;
