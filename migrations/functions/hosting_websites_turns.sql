-- Work on a site at its server. Guarantees: one run of one job at a time has the turn of a site; only its holder
-- records, so a run whose lease has passed on changes nothing any more; of the orders to suspend, resume and delete only
-- the newest is carried out; what is deleted never comes back.

-- {website_id, job_id, lease_id, purpose: create|order|visit|tidy, order?, seconds}
-- Takes the turn for so long, and the job's own lease ends with it: both are kept by hosting_turn_extend while the job
-- is at work, and end soon where it has died. The next run of the same job takes it over from the last at once.
-- Returns {state, site?}: 'yours'; 'busy', ask again; 'over', there is nothing (more) to do.
create or replace function hosting_site_turn(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites;
  job uuid := (input->>'job_id')::uuid;
  lease uuid := (input->>'lease_id')::uuid;
  asked int := (input->>'order')::int;
  until timestamptz := clock_timestamp() + make_interval(secs => (input->>'seconds')::int);
  is_over boolean;
begin
  select * into site from hosting_websites w where w.id = (input->>'website_id')::uuid for no key update;
  if not found then return jsonb_build_object('state', 'over'); end if;
  is_over := case input->>'purpose'
    when 'create' then site.status <> 'PENDING' or site.wanted = 'deleted'
    when 'order' then asked is null or asked < site.order_number or asked <= site.order_done or site.status = 'DELETED'
    when 'tidy' then site.status not in ('ACTIVE', 'SUSPENDED') or site.wanted = 'deleted'
    else site.status <> 'ACTIVE' or site.wanted <> 'active' end;
  if is_over then return jsonb_build_object('state', 'over', 'site', hosting_site_json(site.id)); end if;
  -- A run that comes so late that another run of its job is at work takes nothing from that.
  if (site.turn_job <> job and site.turn_until > clock_timestamp())
    or exists (select from jobs j where j.id = job and j.state = 'running' and j.lease_id <> lease)
  then
    return jsonb_build_object('state', 'busy');
  end if;
  update hosting_websites w set turn_job = job, turn_lease = lease, turn_until = until where w.id = site.id;
  update jobs j set lease_until = until where j.id = job and j.state = 'running' and j.lease_id = lease;
  return jsonb_build_object('state', 'yours', 'site', hosting_site_json(site.id));
end $$;

-- The site that a run has the turn of, or none: somebody else may have acted on it by now.
create or replace function hosting_turn_held(website_id uuid, lease_id uuid) returns hosting_websites
language plpgsql as $$
declare
  site hosting_websites;
begin
  select * into site from hosting_websites w
  where w.id = website_id and w.turn_lease = lease_id and w.turn_until > clock_timestamp() for no key update;
  return site;
end $$;

-- More time for the holder of a turn; false when it is no longer his.
create or replace function hosting_turn_extend(website_id uuid, lease_id uuid, seconds int) returns boolean
language plpgsql as $$
declare
  until timestamptz := clock_timestamp() + make_interval(secs => seconds);
  job uuid;
begin
  update hosting_websites w set turn_until = greatest(w.turn_until, until)
  where w.id = website_id and w.turn_lease = hosting_turn_extend.lease_id and w.turn_until > clock_timestamp()
  returning w.turn_job into job;
  if not found then return false; end if;
  update jobs j set lease_until = greatest(j.lease_until, until)
  where j.id = job and j.state = 'running' and j.lease_id = hosting_turn_extend.lease_id;
  return true;
end $$;

-- Gives a turn back, after so long: a call that was not answered may still be carried out meanwhile.
create or replace function hosting_turn_release(website_id uuid, lease_id uuid, after_seconds int) returns void
language plpgsql as $$
begin
  update hosting_websites w set turn_until = clock_timestamp() + make_interval(secs => after_seconds)
  where w.id = website_id and w.turn_lease = lease_id;
end $$;

-- Counts that the site's server has failed at the job that holds the turn, and returns how often it has; 0: the turn is
-- lost. While the server is away nothing is counted: a job outlives that, however long it takes. The count is the job's
-- own, kept with it: what the site's other jobs meet meanwhile neither adds to it nor begins it anew.
create or replace function hosting_turn_refused(website_id uuid, lease_id uuid) returns int language plpgsql as $$
declare
  count int;
begin
  update jobs j set payload = j.payload
    || jsonb_build_object('refusals', coalesce((j.payload->>'refusals')::int, 0) + 1)
  from hosting_websites w
  where w.id = website_id and w.turn_lease = hosting_turn_refused.lease_id and j.id = w.turn_job
  returning (j.payload->>'refusals')::int into count;
  return coalesce(count, 0);
end $$;

-- Written before the creation leaves: from now on the site may be on its server. False when the turn is lost.
create or replace function hosting_turn_sending(website_id uuid, lease_id uuid, moment timestamptz) returns boolean
language plpgsql as $$
begin
  if (hosting_turn_held(website_id, lease_id)).id is null then return false; end if;
  update hosting_websites w set create_sent_at = moment, updated_at = now() where w.id = website_id;
  return true;
end $$;

-- {website_id, lease_id, host_site_id, root} The site is there, whole, and was read back. Its owner is told, its
-- certificate is ordered, and so is what was asked for in the meantime. Null when the turn is lost.
create or replace function hosting_site_created(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites := hosting_turn_held((input->>'website_id')::uuid, (input->>'lease_id')::uuid);
  person identity_users;
  server hosting_servers;
begin
  if site.id is null or site.status <> 'PENDING' then return null; end if;
  update hosting_websites w set status = 'ACTIVE', host_site_id = input->>'host_site_id', root = input->>'root',
    order_done = case w.wanted when 'active' then w.order_number else w.order_done end,
    turn_until = clock_timestamp(), updated_at = now()
  where w.id = site.id returning * into site;
  select * into person from identity_users u where u.id = site.user_id;
  select * into server from hosting_servers s where s.id = site.server_id;
  return jobs_wakes(
    mail_enqueue('hosting_website_created', person.email, 'hosting_website_created/' || site.id, jsonb_build_object(
      'name', person.name, 'domain', site.domain, 'ftp_host', server.ftp_host, 'ftp_username', site.ftp_username)),
    hosting_certificate_order(site.id, now() + interval '1 minute'),
    case when site.wanted <> 'active' then hosting_site_order_job(site.id) end);
end $$;

-- The job for the certificate of a site; the one that waits for its domain, if there is one, at once. Null when it was
-- tried or asked for a short while ago: its issuer counts failures.
create or replace function hosting_certificate_order(p_website_id uuid, moment timestamptz) returns jsonb
language plpgsql as $$
declare
  job jobs;
  wake jsonb;
begin
  -- First the site, then its job: who waited for the site sees what was asked for meanwhile.
  perform from hosting_websites w where w.id = p_website_id for no key update;
  select j.* into job from hosting_websites w join jobs j on j.id = w.certificate_job_id where w.id = p_website_id;
  if job.updated_at > now() - interval '15 minutes' then return null; end if;
  update jobs j set run_at = now(), updated_at = now()
  where j.id = job.id and j.state in ('queued', 'unknown') returning * into job;
  if found then return jobs_wake(job); end if;
  wake := jobs_enqueue('hosting.issue-certificate', 'provisioning', null,
    jsonb_build_object('website_id', p_website_id), moment, 300);
  update hosting_websites w set certificate_job_id = (wake->>'id')::uuid where w.id = p_website_id;
  return wake;
end $$;

-- {website_id, lease_id, reason} The site cannot be made and nothing of it is left on the server: its domain, its
-- subscription and its place are free again. Null when the turn is lost.
create or replace function hosting_site_failed(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites := hosting_turn_held((input->>'website_id')::uuid, (input->>'lease_id')::uuid);
begin
  if site.id is null or site.status <> 'PENDING' then return null; end if;
  update hosting_websites w set failure = input->>'reason' where w.id = site.id;
  perform hosting_site_gone(site.id);
  return jsonb_build_object('site', hosting_site_json(site.id));
end $$;

-- A site that is no longer on its server: the end of its row, once.
create or replace function hosting_site_gone(website_id uuid) returns void language plpgsql as $$
begin
  update hosting_websites w set status = 'DELETED', wanted = 'deleted', order_done = w.order_number, deleted_at = now(),
    turn_until = clock_timestamp(), updated_at = now()
  where w.id = website_id and w.status <> 'DELETED';
  if not found then return; end if;
  -- Its folders went with it.
  update hosting_releases r set state = 'removed', updated_at = now()
  where r.website_id = hosting_site_gone.website_id and r.state = 'removing';
  update hosting_servers s set sites = s.sites - 1, updated_at = now()
  where s.id = (select w.server_id from hosting_websites w where w.id = website_id);
end $$;
