-- Orders to suspend, resume and delete a site, numbered in the order of their transactions: a job carries its number
-- and does nothing once a newer one is there.

-- The job of a site's newest order.
create or replace function hosting_site_order_job(website_id uuid) returns jsonb language plpgsql as $$
declare
  site hosting_websites;
  action text;
begin
  select * into site from hosting_websites w where w.id = website_id;
  action := case site.wanted when 'active' then 'resume' when 'suspended' then 'suspend' else 'delete' end;
  return jobs_enqueue('hosting.' || action || '-site', 'provisioning',
    'hosting.site-order/' || site.id || '/' || site.order_number,
    jsonb_build_object('website_id', site.id, 'order', site.order_number), now(), 300);
end $$;

-- Orders `p_action` ('suspend', 'resume', 'delete') of a site. Returns the wake of its job; null when there is nothing to
-- do: no such site, deleted or to be deleted, so already, or on its way there. A site that is still being made is told
-- once it is there; only its deletion does not wait.
create or replace function hosting_site_order(p_website_id uuid, p_action text) returns jsonb language plpgsql as $$
declare
  site hosting_websites;
  wish text := case p_action when 'suspend' then 'suspended' when 'resume' then 'active' when 'delete' then 'deleted' end;
begin
  if wish is null then raise exception 'no such order of a site: %', p_action; end if;
  select * into site from hosting_websites w where w.id = p_website_id for no key update;
  if not found or site.wanted = 'deleted' or site.status = 'DELETED' then return null; end if;
  -- A job of the same wish that has failed for good is followed by another.
  if site.wanted = wish and (site.order_done = site.order_number or site.status = 'PENDING' or exists (
    select from jobs j where j.dedupe_key = 'hosting.site-order/' || site.id || '/' || site.order_number
      and j.finished_at is null))
  then
    return null;
  end if;
  update hosting_websites w set wanted = wish, order_number = w.order_number + 1, updated_at = now()
  where w.id = site.id;
  if site.status = 'PENDING' and wish <> 'deleted' then return null; end if;
  return hosting_site_order_job(site.id);
end $$;

-- The same for the living website of a subscription; null when it has none.
create or replace function hosting_site_order_of_subscription(p_subscription_id uuid, p_action text) returns jsonb
language plpgsql as $$
begin
  return (select hosting_site_order(w.id, p_action) from hosting_websites w
    where w.subscription_id = p_subscription_id and w.status <> 'DELETED');
end $$;

-- {website_id, order, kind, error, alert_to} -> [wake]: tells the operator, once for each order, that a site's server does
-- not carry it out. Its job goes on.
create or replace function hosting_site_order_alert(input jsonb) returns jsonb language sql volatile as $$
  select jobs_wakes(mail_enqueue('alert', input->>'alert_to', 'alert/hosting-site-order/' || w.id || '/' || (input->>'order'),
    jsonb_build_object('what', 'Server hosting menolak perintah untuk ' || w.domain,
      'facts', jsonb_build_object('domain', w.domain, 'server', s.base_url, 'website', w.id, 'pekerjaan', input->>'kind',
        'sebab', coalesce(input->>'error', '-')),
      'next', 'Perbaiki server itu. Sistem mencoba lagi sendiri setiap setengah jam, selama beberapa hari.')))
  from hosting_websites w join hosting_servers s on s.id = w.server_id where w.id = (input->>'website_id')::uuid
$$;

-- {website_id, lease_id, order, status: ACTIVE|SUSPENDED|DELETED} The server was read back and says so. Returns {wake},
-- or null when the turn is lost; a newer order keeps its own job.
create or replace function hosting_site_confirmed(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites := hosting_turn_held((input->>'website_id')::uuid, (input->>'lease_id')::uuid);
  person identity_users;
  mail jsonb;
begin
  if site.id is null then return null; end if;
  if input->>'status' = 'DELETED' then
    perform hosting_site_gone(site.id);
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  if input->>'status' = 'ACTIVE' and site.status = 'SUSPENDED' then
    select * into person from identity_users u where u.id = site.user_id;
    mail := mail_enqueue('hosting_resumed', person.email, 'hosting_resumed/' || site.id || '/' || (input->>'order'),
      jsonb_build_object('name', person.name, 'domain', site.domain));
  end if;
  update hosting_websites w set status = input->>'status', order_done = greatest(w.order_done, (input->>'order')::int),
    turn_until = clock_timestamp(), updated_at = now()
  where w.id = site.id and w.status <> 'DELETED';
  return jsonb_build_object('wake', jobs_wakes(mail));
end $$;
