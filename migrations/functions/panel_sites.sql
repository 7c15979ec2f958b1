-- Sites. Guarantees, from any number of connections at once: no two sites share a name, a folder, or a folder within
-- the other's; a status only moves provisioning -> active | failed -> deleting -> gone | failed (and failed ->
-- provisioning by a retry), so that a result which comes late brings nothing back.

-- {server?, site_id, domain, aliases, root_path, document_root, runtime, php_version?, unix_user, user_id, command,
--  audit} -> {site_id, job}. `command` is what panel_start_command takes.
create or replace function panel_create_site(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers := panel_server_held(input);
  root text := input->>'root_path';
  base text := server.sites_root;
  names text[];
  job jsonb;
begin
  if left(root, length(base) + 1) <> base || '/' then perform app_error('invalid_input', 'invalid root_path'); end if;
  select array_agg(distinct n) into names
  from jsonb_array_elements_text(input->'aliases' || jsonb_build_array(input->>'domain')) n;

  -- One site is made at a time on a server: folders within folders are no matter of a unique index.
  perform pg_advisory_xact_lock(hashtextextended('panel_sites/' || server.id, 0));
  if exists (select from panel_site_names n where n.name = any (names)) then
    perform app_error('conflict', 'domain already exists');
  end if;
  if exists (
    select from panel_sites s where s.server_id = server.id
      and (s.root_path = root or starts_with(s.root_path, root || '/') or starts_with(root, s.root_path || '/'))
  ) then
    perform app_error('conflict', 'root_path already in use');
  end if;

  insert into panel_sites (id, server_id, domain, root_path, document_root, runtime, php_version, unix_user, created_by)
  values (input->>'site_id', server.id, input->>'domain', root, input->>'document_root', input->>'runtime',
    input->>'php_version', input->>'unix_user', (input->>'user_id')::bigint);
  insert into panel_site_names (name, site_id) select n, input->>'site_id' from unnest(names) n;

  job := panel_start_command(input->'command' || jsonb_build_object('server', server.id));
  perform audit_write(input->'audit' || jsonb_build_object('action', 'site.create', 'subject_kind', 'panel_site',
    'subject_id', input->>'site_id', 'after', jsonb_build_object('domain', input->>'domain', 'job_id', job->>'id')));
  return jsonb_build_object('site_id', input->>'site_id', 'job', job);
end $$;

-- The site, locked; a server that is named must be its own.
create or replace function panel_locked_site(input jsonb) returns panel_sites language plpgsql as $$
declare
  site panel_sites;
begin
  select * into site from panel_sites s
  where s.id = input->>'site_id' and (input->>'server' is null or s.server_id = input->>'server') for no key update;
  if not found then perform app_error('not_found', 'site not found'); end if;
  return site;
end $$;

-- What every changing command about a site names it by.
create or replace function panel_site_ref(site panel_sites) returns jsonb language sql immutable as $$
  select jsonb_build_object('siteId', site.id, 'domain', site.domain, 'rootPath', site.root_path,
    'unixUser', site.unix_user)
$$;

create or replace function panel_site_command(site panel_sites, command jsonb, input jsonb) returns jsonb
language sql as $$
  select panel_start_command(command || jsonb_build_object('server', site.server_id, 'subject', 'site/' || site.id,
    'effect', 'site', 'input', panel_site_ref(site) || input))
$$;

-- {site_id, server?, remove_files, command, audit} -> {job}. A site that is being taken down is answered with the job
-- that does it. What waits for the site's turn and was given to no server is ended first.
create or replace function panel_delete_site(input jsonb) returns jsonb language plpgsql as $$
declare
  site panel_sites := panel_locked_site(input);
  running jsonb;
  waiting uuid;
  wakes jsonb := '[]';
  job jsonb;
begin
  select jsonb_build_object('job_id', j.job_id, 'id', j.id, 'server_id', j.server_id) into running
  from panel_jobs j
  where j.subject = 'site/' || site.id and j.command = 'site.deprovision' and j.outcome is null
  order by j.seq desc limit 1;
  if running is not null then return jsonb_build_object('job', running, 'wakes', wakes); end if;

  update panel_sites s set status = 'deleting', error = null, updated_at = now() where s.id = site.id;
  for waiting in
    select j.job_id from panel_jobs j
    where j.subject = 'site/' || site.id and j.outcome is null and j.submitted_at is null order by j.seq desc
    -- One that is being handed over in this moment is waited for, and no longer among them.
    for no key update
  loop
    wakes := wakes || (panel_end_cancelled(waiting)->'wakes');
  end loop;
  job := panel_site_command(site, input->'command', jsonb_build_object('removeFiles', (input->>'remove_files')::bool));
  perform audit_write(input->'audit' || jsonb_build_object('action', 'site.delete.requested',
    'subject_kind', 'panel_site', 'subject_id', site.id,
    'after', jsonb_build_object('job_id', job->>'id', 'remove_files', (input->>'remove_files')::bool)));
  return jsonb_build_object('job', job, 'wakes', wakes);
end $$;

-- {site_id, server?, command, audit} -> {job}. Tries to make a failed site once more.
create or replace function panel_retry_site(input jsonb) returns jsonb language plpgsql as $$
declare
  site panel_sites := panel_locked_site(input);
  job jsonb;
  last jsonb;
begin
  if site.status <> 'failed' then perform app_error('conflict', 'site is ' || site.status); end if;
  select j.input into last from panel_jobs j
  where j.subject = 'site/' || site.id and j.command = 'site.provision' order by j.seq desc limit 1;
  update panel_sites s set status = 'provisioning', error = null, updated_at = now() where s.id = site.id;
  job := panel_site_command(site, input->'command' || jsonb_build_object('payload', panel_site_payload(site)),
    coalesce(last, '{}') || panel_site_shape(site));
  perform audit_write(input->'audit' || jsonb_build_object('action', 'site.retry', 'subject_kind', 'panel_site',
    'subject_id', site.id, 'after', jsonb_build_object('job_id', job->>'id')));
  return jsonb_build_object('job', job);
end $$;

create or replace function panel_site_payload(site panel_sites) returns jsonb language sql immutable as $$
  select jsonb_build_object('site_id', site.id, 'domain', site.domain, 'runtime', site.runtime,
    'rootPath', site.root_path)
$$;

-- What site.provision needs beyond the reference.
create or replace function panel_site_shape(site panel_sites) returns jsonb language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object('runtime', site.runtime, 'documentRoot', site.document_root,
    'phpVersion', site.php_version, 'suspended', site.suspended,
    'aliases', (select coalesce(jsonb_agg(n.name order by n.name), '[]') from panel_site_names n
      where n.site_id = site.id and n.name <> site.domain)))
$$;

-- {site_id, server?, command, change, action, audit} -> {job}. A change of a site that is served: suspend, resume,
-- another document root.
create or replace function panel_change_site(input jsonb) returns jsonb language plpgsql as $$
declare
  site panel_sites := panel_locked_site(input);
  job jsonb;
begin
  if site.status <> 'active' then perform app_error('conflict', 'site is ' || site.status); end if;
  job := panel_site_command(site, input->'command', coalesce(input->'change', '{}'));
  perform audit_write(input->'audit' || jsonb_build_object('action', input->>'action', 'subject_kind', 'panel_site',
    'subject_id', site.id, 'after', jsonb_build_object('job_id', job->>'id') || coalesce(input->'change', '{}')));
  return jsonb_build_object('job', job);
end $$;

-- What the end of a command means to its site.
create or replace function panel_effect_site(job jsonb, outcome jsonb) returns jsonb language plpgsql as $$
declare
  site panel_sites;
  ok boolean := (outcome->>'ok')::bool;
begin
  select * into site from panel_sites s where s.id = substr(job->>'subject', 6) for no key update;
  if not found then return null; end if;

  case job->>'command'
    when 'site.provision' then
      update panel_sites s set status = case when ok then 'active' else 'failed' end,
        error = case when not ok then outcome->>'error' end,
        php_version = coalesce(outcome->'value'->'site'->>'phpVersion', s.php_version), updated_at = now()
      where s.id = site.id and s.status = 'provisioning';
    when 'site.deprovision' then
      if ok then
        delete from panel_sites s where s.id = site.id and s.status = 'deleting';
      else
        update panel_sites s set status = 'failed', error = outcome->>'error', updated_at = now()
        where s.id = site.id and s.status = 'deleting';
      end if;
    when 'site.suspend' then
      update panel_sites s set suspended = true, updated_at = now() where s.id = site.id and ok;
    when 'site.resume' then
      update panel_sites s set suspended = false, updated_at = now() where s.id = site.id and ok;
    when 'site.set-document-root' then
      update panel_sites s set document_root = coalesce(job->'input'->>'documentRoot', s.document_root),
        updated_at = now()
      where s.id = site.id and ok;
    else null;
  end case;
  return null;
end $$;
