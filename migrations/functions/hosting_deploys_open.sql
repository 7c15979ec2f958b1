-- Deploys from the click to their job. Guarantees, from any number of connections at once: one deploy of a site at a
-- time; of an archive and a site of the same owner, the site active; a repeated click is the deploy that is under way.
-- Lock order: website, deploy, release, job.

create or replace function hosting_deploy_json(deploy_id uuid) returns jsonb language sql stable as $$
  select jsonb_build_object('id', d.id, 'website_id', d.website_id, 'kind', d.kind, 'state', d.state, 'step', d.step,
    'progress', case d.state when 'success' then 100 else coalesce(j.progress, 0) end,
    'failure', d.failure, 'job_id', d.job_id, 'release_id', d.release_id, 'upload_id', r.upload_id,
    'original_name', r.original_name, 'created_at', d.created_at, 'started_at', d.started_at,
    'finished_at', d.finished_at)
  from hosting_deploys d
  join hosting_releases r on r.id = d.release_id
  left join jobs j on j.id = d.job_id
  where d.id = deploy_id
$$;

-- The caller's own website, locked; in the contract's words when it is not, or cannot be deployed to.
create or replace function hosting_deployable(owner bigint, asked text) returns hosting_websites
language plpgsql as $$
declare
  site hosting_websites;
begin
  select * into site from hosting_websites w
  where w.id = hosting_id(asked) and w.user_id = owner and w.status <> 'DELETED' and w.wanted <> 'deleted'
  for no key update;
  if not found then perform app_error('not_found', 'Website tidak ditemukan'); end if;
  if site.status = 'SUSPENDED' or site.wanted = 'suspended' then
    perform app_error('conflict', 'Website sedang ditangguhkan');
  end if;
  if site.status <> 'ACTIVE' then perform app_error('conflict', 'Website belum aktif'); end if;
  return site;
end $$;

-- {user_id, website_id, upload_id, folder, document_root} -> {deploy, wake, small}
create or replace function hosting_deploy_open(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites := hosting_deployable((input->>'user_id')::bigint, input->>'website_id');
  upload hosting_uploads;
  running hosting_deploys;
  release uuid;
begin
  select * into upload from hosting_uploads u
  where u.id = hosting_id(input->>'upload_id') and u.website_id = site.id and u.user_id = site.user_id and u.state = 'stored'
  for share;
  if not found then perform app_error('not_found', 'File tidak ditemukan'); end if;
  select d.* into running from hosting_deploys d where d.website_id = site.id and d.state in ('queued', 'running');
  if found then
    if running.kind = 'deploy' and exists (
      select from hosting_releases r where r.id = running.release_id and r.upload_id = upload.id) then
      return jsonb_build_object('deploy', hosting_deploy_json(running.id), 'wake', '[]'::jsonb, 'stored_size', null);
    end if;
    perform app_error('conflict', 'Deploy lain sedang berjalan untuk website ini');
  end if;
  insert into hosting_releases (website_id, upload_id, original_name, files, unpacked_bytes, folder, document_root)
  values (site.id, upload.id, upload.original_name, upload.files, upload.unpacked_bytes,
    input->>'folder', (input->>'folder') || hosting_web_folder(upload.top))
  returning id into release;
  return hosting_deploy_enqueue(site, release, 'deploy')
    || jsonb_build_object('stored_size', upload.stored_size);
end $$;

-- '/name' when all of an archive lies in one folder, as the archives of code hosts do; else ''. What macOS packs along
-- does not count. A name that is no plain word must not become a part of the web server's configuration: such a folder
-- is called '/situs' as soon as it is unpacked.
create or replace function hosting_web_folder(top jsonb) returns text language sql immutable as $$
  select case when count(*) <> 1 or not bool_and(e->>'kind' = 'folder') then ''
    when min(e->>'name') ~ '^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$' then '/' || min(e->>'name')
    else '/situs' end
  from jsonb_array_elements(top) e where e->>'name' not in ('__MACOSX', '.DS_Store')
$$;

create or replace function hosting_deploy_enqueue(site hosting_websites, release uuid, kind text) returns jsonb
language plpgsql as $$
declare
  deploy uuid;
  job jsonb;
begin
  insert into hosting_deploys (user_id, website_id, release_id, kind)
  values (site.user_id, site.id, release, hosting_deploy_enqueue.kind) returning id into deploy;
  job := jobs_enqueue('hosting.deploy', 'provisioning', 'hosting.deploy/' || deploy,
    jsonb_build_object('deploy_id', deploy, 'website_id', site.id), now(), 300);
  update hosting_deploys d set job_id = (job->>'id')::uuid where d.id = deploy;
  return jsonb_build_object('deploy', hosting_deploy_json(deploy), 'wake', jobs_wakes(job));
end $$;

-- What visitors had before the live release first came, or before that where it is gone: rolled back again and again it
-- leads ever further back, and never to a release that a rollback has taken away.
create or replace function hosting_release_before(site uuid) returns uuid language sql stable as $$
  with recursive earlier (depth, release, state) as (
    select 0, r.id, 'live' from hosting_releases r where r.website_id = site and r.state = 'live'
    union all
    select e.depth + 1, r.id, r.state
    from earlier e
    join hosting_deploys d on d.release_id = e.release and d.kind = 'deploy'
    join hosting_releases r on r.website_id = site and r.document_root = d.previous_root
    where e.state <> 'ready'
  )
  select e.release from earlier e where e.state = 'ready' order by e.depth limit 1
$$;

-- {user_id, website_id, release_id?} -> {deploy, wake}. Without a release: the one before what is live now.
create or replace function hosting_rollback_open(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites := hosting_deployable((input->>'user_id')::bigint, input->>'website_id');
  running hosting_deploys;
  target uuid;
begin
  target := case when input->>'release_id' is null then hosting_release_before(site.id)
    else (select r.id from hosting_releases r where r.website_id = site.id and r.state in ('ready', 'live')
      and r.id = hosting_id(input->>'release_id')) end;
  if target is null and input->>'release_id' is null then
    perform app_error('conflict', 'Belum ada rilis sebelumnya');
  end if;
  if target is null then perform app_error('not_found', 'Rilis tidak ditemukan'); end if;
  select * into running from hosting_deploys d where d.website_id = site.id and d.state in ('queued', 'running');
  if found then
    if running.kind = 'rollback' and running.release_id = target then
      return jsonb_build_object('deploy', hosting_deploy_json(running.id), 'wake', '[]'::jsonb);
    end if;
    perform app_error('conflict', 'Deploy lain sedang berjalan untuk website ini');
  end if;
  return hosting_deploy_enqueue(site, target, 'rollback');
end $$;

-- {user_id, website_id, deploy_id} Ends a deploy that has not begun.
create or replace function hosting_deploy_cancel(input jsonb) returns jsonb language plpgsql as $$
declare
  deploy hosting_deploys;
begin
  perform from hosting_websites w where w.id = hosting_id(input->>'website_id') for no key update;
  select * into deploy from hosting_deploys d
  where d.id = hosting_id(input->>'deploy_id') and d.website_id = hosting_id(input->>'website_id')
    and d.user_id = (input->>'user_id')::bigint
  for no key update;
  if not found then perform app_error('not_found', 'Deploy tidak ditemukan'); end if;
  if deploy.state = 'queued' and jobs_cancel(deploy.job_id) then
    update hosting_deploys d set state = 'cancelled', finished_at = now(), updated_at = now() where d.id = deploy.id;
    -- Nothing of it is on the server yet.
    update hosting_releases r set state = 'removed', updated_at = now()
    where r.id = deploy.release_id and r.state = 'preparing';
  elsif deploy.state <> 'cancelled' then
    perform app_error('conflict', 'Deploy sudah berjalan atau selesai');
  end if;
  return hosting_deploy_json(deploy.id);
end $$;

-- {user_id, website_id} -> {deploys, releases} of the caller's own website, newest first.
create or replace function hosting_deploys_list(input jsonb) returns jsonb language plpgsql stable as $$
declare
  site uuid;
begin
  select w.id into site from hosting_websites w
  where w.id = hosting_id(input->>'website_id') and w.user_id = (input->>'user_id')::bigint;
  if site is null then perform app_error('not_found', 'Website tidak ditemukan'); end if;
  return jsonb_build_object(
    'deploys', (select coalesce(jsonb_agg(hosting_deploy_json(d.id) order by d.id desc), '[]')
      from (select d.id from hosting_deploys d where d.website_id = site order by d.id desc limit 50) d),
    'releases', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'state', r.state, 'upload_id', r.upload_id,
        'original_name', r.original_name, 'files', r.files, 'size', r.unpacked_bytes, 'live_since', r.live_since,
        'created_at', r.created_at) order by r.id desc), '[]')
      from hosting_releases r where r.website_id = site and r.state in ('ready', 'live')));
end $$;

create or replace function hosting_deploy_of(input jsonb) returns jsonb language plpgsql stable as $$
declare
  found_id uuid;
begin
  select d.id into found_id from hosting_deploys d
  where d.id = hosting_id(input->>'deploy_id') and d.website_id = hosting_id(input->>'website_id')
    and d.user_id = (input->>'user_id')::bigint;
  if found_id is null then perform app_error('not_found', 'Deploy tidak ditemukan'); end if;
  return hosting_deploy_json(found_id);
end $$;
