-- A deploy while its job runs. Guarantees: only the holder of the site's turn moves it on; what is live in these tables
-- is what the server was last seen to serve; a deploy ends once, and one that is not switched leaves the old release.

-- {deploy_id, job_id, lease_id, marker} What there is to do. Its first run notes what was served before. Null: it has ended.
create or replace function hosting_deploy_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  deploy hosting_deploys;
  release hosting_releases;
  upload hosting_uploads;
begin
  select * into deploy from hosting_deploys d where d.id = (input->>'deploy_id')::uuid for no key update;
  if deploy.state not in ('queued', 'running') then
    perform hosting_turn_release(deploy.website_id, (input->>'lease_id')::uuid, 0);
    return null;
  end if;
  update hosting_deploys d set state = 'running', job_id = (input->>'job_id')::uuid, attempts = d.attempts + 1,
    step = case d.step when 'waiting' then 'preparing' else d.step end,
    marker = coalesce(d.marker, input->>'marker'),
    previous_root = coalesce(d.previous_root,
      (select w.document_root from hosting_websites w where w.id = d.website_id)),
    started_at = coalesce(d.started_at, now()), updated_at = now()
  where d.id = deploy.id returning * into deploy;
  select * into release from hosting_releases r where r.id = deploy.release_id;
  select * into upload from hosting_uploads u where u.id = release.upload_id and u.state = 'stored';
  return jsonb_build_object('id', deploy.id, 'kind', deploy.kind, 'step', deploy.step, 'attempts', deploy.attempts,
    'marker', deploy.marker, 'front_before', deploy.front_before,
    'previous_root', deploy.previous_root, 'failure', deploy.failure,
    'folder', release.folder, 'document_root', release.document_root, 'files', release.files,
    'unpacked_bytes', release.unpacked_bytes,
    'archive', case when upload.id is not null then jsonb_build_object('key', upload.key, 'format', upload.format,
      'size', upload.stored_size, 'top', upload.top) end);
end $$;

-- {deploy_id, website_id, lease_id, step, failure?, front_before?} Notes the next step before it is made. False: the turn or the deploy
-- is not this job's any more. To switch, the site must still be wanted.
create or replace function hosting_deploy_step(input jsonb) returns boolean language plpgsql as $$
declare
  site hosting_websites := hosting_turn_held((input->>'website_id')::uuid, (input->>'lease_id')::uuid);
begin
  if site.id is null then return false; end if;
  if input->>'step' = 'switching' and (site.status <> 'ACTIVE' or site.wanted <> 'active') then
    return false;
  end if;
  update hosting_deploys d set step = input->>'step', failure = coalesce(input->>'failure', d.failure),
    front_before = coalesce((input->>'front_before')::int, d.front_before), updated_at = now()
  where d.id = (input->>'deploy_id')::uuid and d.state = 'running';
  return found;
end $$;

-- {deploy_id, website_id, lease_id, keep} The release was seen to be served: it is live, the last `keep` stay, older ones
-- are to be removed. The turn stays with this job, which still takes its marker away. Returns {wake}, or null when the turn
-- or the deploy is not this job's any more.
create or replace function hosting_deploy_live(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites := hosting_turn_held((input->>'website_id')::uuid, (input->>'lease_id')::uuid);
  deploy hosting_deploys;
  release hosting_releases;
begin
  if site.id is null then return null; end if;
  update hosting_deploys d set state = 'success', step = 'done', failure = null, finished_at = now(), updated_at = now()
  where d.id = (input->>'deploy_id')::uuid and d.state = 'running' returning * into deploy;
  if not found then return null; end if;
  update hosting_releases r set state = 'ready', updated_at = now()
  where r.website_id = site.id and r.state = 'live' and r.id <> deploy.release_id;
  update hosting_releases r set state = 'live', live_since = now(), updated_at = now()
  where r.id = deploy.release_id returning * into release;
  update hosting_websites w set document_root = release.document_root, updated_at = now()
  where w.id = site.id;
  update hosting_releases r set state = 'removing', updated_at = now()
  where r.website_id = site.id and r.state = 'ready' and r.id not in (
    select k.id from hosting_releases k where k.website_id = site.id and k.state in ('ready', 'live')
    order by k.live_since desc, k.id desc limit (input->>'keep')::int);
  return jsonb_build_object('wake', hosting_releases_remove(site.id, deploy.id));
end $$;

-- {deploy_id, website_id, lease_id, failure} The old release is served, surely; the new one is to be removed, but not
-- one that was live before. The turn stays with this job. Returns {wake}, or null when the turn or the deploy is not this
-- job's any more.
create or replace function hosting_deploy_failed(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites := hosting_turn_held((input->>'website_id')::uuid, (input->>'lease_id')::uuid);
begin
  if site.id is null then return null; end if;
  return hosting_deploy_end_failed((input->>'deploy_id')::uuid, input->>'failure');
end $$;

create or replace function hosting_deploy_end_failed(deploy_id uuid, words text) returns jsonb language plpgsql as $$
declare
  deploy hosting_deploys;
begin
  update hosting_deploys d set state = 'failed', step = 'done', failure = words, finished_at = now(), updated_at = now()
  where d.id = deploy_id and d.state in ('queued', 'running') returning * into deploy;
  if not found then return null; end if;
  update hosting_releases r set state = 'removing', updated_at = now()
  where r.id = deploy.release_id and r.state = 'preparing';
  return jsonb_build_object('wake', hosting_releases_remove(deploy.website_id, deploy.id));
end $$;

-- {deploy_id} The site is suspended or to be deleted, so no job works on it for its deploy. Its recorded document root is what a
-- resumed site serves. Returns {wake}, or null when the site is active after all or the deploy has ended.
create or replace function hosting_deploy_overtaken(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites;
begin
  select w.* into site from hosting_websites w join hosting_deploys d on d.website_id = w.id
  where d.id = (input->>'deploy_id')::uuid for no key update of w;
  if site.status = 'ACTIVE' and site.wanted = 'active' then return null; end if;
  return hosting_deploy_end_failed((input->>'deploy_id')::uuid, 'Deploy dihentikan: website tidak aktif');
end $$;

-- A job for each release of a site that is to be removed; `cause` makes another try after one that has failed.
create or replace function hosting_releases_remove(website_id uuid, cause uuid) returns jsonb language sql as $$
  select coalesce(jsonb_agg(w) filter (where w is not null), '[]') from (
    select jobs_enqueue('hosting.remove-release', 'provisioning', 'hosting.remove-release/' || r.id || '/' || cause,
      jsonb_build_object('release_id', r.id, 'website_id', r.website_id, 'folder', r.folder), now(), 100) as w
    from hosting_releases r where r.website_id = hosting_releases_remove.website_id and r.state = 'removing') made
$$;

-- {release_id, website_id, lease_id, is_gone} Its folder is gone from the server, or is not to be removed after all; the
-- site's turn is over.
create or replace function hosting_release_removed(input jsonb) returns boolean language plpgsql as $$
begin
  perform hosting_turn_release((input->>'website_id')::uuid, (input->>'lease_id')::uuid, 0);
  update hosting_releases r set state = 'removed', updated_at = now()
  where r.id = (input->>'release_id')::uuid and r.state = 'removing' and (input->>'is_gone')::boolean;
  return found;
end $$;

-- {max, rescues} For the minute cron: a deploy whose job has ended without ending it gets another one, so often at
-- once and from then on every hour: a site is free again soon after its server is mended. Returns [wake].
create or replace function hosting_deploys_rescue(input jsonb) returns jsonb language plpgsql as $$
declare
  stuck hosting_deploys;
  wakes jsonb[] := '{}';
  job jsonb;
begin
  for stuck in
    select d.* from hosting_deploys d join jobs j on j.id = d.job_id
    where d.state in ('queued', 'running') and j.finished_at is not null
      and (d.rescues < (input->>'rescues')::int or d.updated_at < now() - interval '1 hour')
    order by d.updated_at limit (input->>'max')::int for no key update of d skip locked
  loop
    job := jobs_enqueue('hosting.deploy', 'provisioning', 'hosting.deploy/' || stuck.id || '/' || (stuck.rescues + 1),
      jsonb_build_object('deploy_id', stuck.id, 'website_id', stuck.website_id, 'rescue', true), now(), 300);
    update hosting_deploys d set rescues = d.rescues + 1, job_id = coalesce((job->>'id')::uuid, d.job_id), updated_at = now()
    where d.id = stuck.id;
    wakes := wakes || job;
  end loop;
  return jobs_wakes(variadic wakes);
end $$;

-- {max, alert_to} For the minute cron: tells the operator, once for each, of the deploys that have been under way for an
-- hour. Such a one is not seen to be undone at its server, and its site takes no other. Returns [wake].
create or replace function hosting_deploys_alert(input jsonb) returns jsonb language sql volatile as $$
  select coalesce(jsonb_agg(told.wake) filter (where told.wake is not null), '[]') from (
    select mail_enqueue('alert', input->>'alert_to', 'alert/hosting-deploy/' || d.id, jsonb_build_object(
      'what', 'Deploy macet, ' || w.domain || ' tidak dapat di-deploy',
      'facts', jsonb_build_object('domain', w.domain, 'server', s.base_url, 'deploy', d.id, 'langkah', d.step,
        'sejak', to_char(d.started_at at time zone 'Asia/Jakarta', 'YYYY-MM-DD HH24:MI') || ' WIB',
        'sebab', coalesce(j.error, d.failure, '-')),
      'next', 'Perbaiki server itu. Sistem mencoba lagi sendiri, paling lambat setiap jam, dan situs dapat di-deploy lagi setelahnya.'
    )) as wake
    from hosting_deploys d
    join hosting_websites w on w.id = d.website_id
    join hosting_servers s on s.id = w.server_id
    left join jobs j on j.id = d.job_id
    where d.state = 'running' and d.started_at < now() - interval '1 hour'
      and not exists (select from jobs m where m.dedupe_key = 'mail/alert/hosting-deploy/' || d.id)
    order by d.started_at limit (input->>'max')::int) told
$$;
