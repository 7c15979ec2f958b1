-- Websites, from the wish for one to the row that holds its domain. Guarantees, from any number of connections at once:
-- a domain and a subscription carry one living website; the same wish twice is one website and one job.

-- A website with what its server is reached by: what the jobs work with. Holds sealed secrets: not for the wire.
create or replace function hosting_site_json(website_id uuid) returns jsonb language plpgsql stable as $$
begin
  return (select to_jsonb(w) || jsonb_build_object('server', to_jsonb(s))
    from hosting_websites w join hosting_servers s on s.id = w.server_id where w.id = website_id);
end $$;

-- The job that makes a site. Its caller holds the row and knows that there is none under way.
create or replace function hosting_site_create_job(website_id uuid) returns jsonb language plpgsql as $$
declare
  wake jsonb := jobs_enqueue('hosting.create-site', 'provisioning', null,
    jsonb_build_object('website_id', website_id), now(), 300);
begin
  update hosting_websites w set create_job_id = (wake->>'id')::uuid, updated_at = now() where w.id = website_id;
  return wake;
end $$;

-- The configuration's own server, if there is one, as a row; and the server with the most room for one more, its place
-- taken. Null when every server is full.
create or replace function hosting_server_take(own jsonb) returns uuid language plpgsql as $$
declare
  taken uuid;
begin
  if own->>'base_url' is not null then
    insert into hosting_servers (name, driver, base_url, web_address, ftp_host, sites_path, php_version, capacity)
    values ('default', 'aapanel', own->>'base_url', own->>'web_address', own->>'ftp_host', own->>'sites_path',
      own->>'php_version', (own->>'capacity')::int)
    on conflict on constraint hosting_servers_base_url_key do update set web_address = excluded.web_address,
      ftp_host = excluded.ftp_host, sites_path = excluded.sites_path, php_version = excluded.php_version,
      capacity = excluded.capacity, updated_at = now()
    where hosting_servers.sealed_key is null;
  end if;
  -- A rival that takes the last place of a server while we wait for it makes us look again.
  for attempt in 1..3 loop
    update hosting_servers s set sites = s.sites + 1, updated_at = now()
    where s.sites < s.capacity and s.id = (
      select o.id from hosting_servers o where o.is_active and o.sites < o.capacity
      order by o.sites::float8 / o.capacity, o.id limit 1)
    returning s.id into taken;
    exit when taken is not null;
  end loop;
  return taken;
end $$;

-- {user_id, subscription_id, domain, website_id, ftp_username, sealed_ftp_password, database_name,
--  sealed_database_password, own_server}
-- Reserves a domain for a subscription and orders its site. The same wish again, while the site is being made, is the
-- same site. What is below another customer's domain is his as well. Returns {site, wake}.
create or replace function hosting_site_reserve(input jsonb) returns jsonb language plpgsql as $$
declare
  owner bigint := (input->>'user_id')::bigint;
  wished text := input->>'domain';
  subscription hosting_subscriptions;
  known hosting_websites;
  server uuid;
  site_id uuid := (input->>'website_id')::uuid;
  wake jsonb;
begin
  -- One wish of a subscription after the other.
  select * into subscription from hosting_subscriptions s
  where s.id = (input->>'subscription_id')::uuid and s.user_id = owner for no key update;
  if not found or subscription.status <> 'ACTIVE' or subscription.deleted_at is not null then
    perform app_error('not_found', 'Subscription tidak ditemukan atau tidak aktif');
  end if;
  if subscription.plan_type = 'VPS' then
    perform app_error('invalid_input', 'Paket VPS tidak termasuk website di server hosting');
  end if;

  select * into known from hosting_websites w
  where w.subscription_id = subscription.id and w.status <> 'DELETED' for no key update;
  if found then
    if known.domain <> wished or known.status <> 'PENDING' or known.wanted = 'deleted' then
      perform app_error('invalid_input', 'Website sudah dibuat untuk subscription ini');
    end if;
    if not exists (select from jobs j where j.id = known.create_job_id and j.finished_at is null) then
      wake := hosting_site_create_job(known.id);
    end if;
    return jsonb_build_object('site', hosting_site_json(known.id), 'wake', jobs_wakes(wake));
  end if;

  -- Locked, because it may be on its way out: its end is waited for before a server is taken, never after it.
  perform from hosting_websites w where w.domain = wished and w.status <> 'DELETED' for no key update;
  if found or exists (
    select from hosting_websites w where w.status <> 'DELETED' and w.user_id <> owner and w.domain in (
      select array_to_string(labels[n:], '.') from (select string_to_array(wished, '.')) l(labels),
        generate_series(2, array_length(labels, 1)) n)
  ) then
    perform app_error('conflict', 'Domain sudah digunakan');
  end if;
  server := hosting_server_take(input->'own_server');
  if server is null then
    perform app_error('unavailable', 'Server hosting sedang penuh. Silakan coba lagi nanti.');
  end if;
  -- Waits for a rival's transaction: one wins, and the other's whole statement is undone.
  insert into hosting_websites (id, user_id, subscription_id, server_id, domain, ftp_username, sealed_ftp_password,
    database_name, sealed_database_password)
  select site_id, owner, subscription.id, server, wished, input->>'ftp_username', input->>'sealed_ftp_password',
    case when s.has_databases then input->>'database_name' end,
    case when s.has_databases then input->>'sealed_database_password' end
  from hosting_servers s where s.id = server
  on conflict do nothing;
  if not found then
    perform app_error('conflict', 'Domain sudah digunakan');
  end if;
  wake := hosting_site_create_job(site_id);
  return jsonb_build_object('site', hosting_site_json(site_id), 'wake', jobs_wakes(wake));
end $$;

-- {user_id, website_id, most_per_hour, …audit} The sealed secrets of a site for its owner: written down, and only so often.
create or replace function hosting_site_credentials(input jsonb) returns jsonb language plpgsql as $$
declare
  site hosting_websites;
begin
  select * into site from hosting_websites w
  where w.id = (input->>'website_id')::uuid and w.user_id = (input->>'user_id')::bigint and w.status <> 'DELETED'
  for no key update;
  if not found then
    perform app_error('not_found', 'Website tidak ditemukan');
  end if;
  if site.status = 'PENDING' then
    perform app_error('conflict', 'Website masih disiapkan');
  end if;
  if (select count(*) from audit_entries a where a.subject_kind = 'hosting_website' and a.subject_id = site.id::text
      and a.action = 'hosting.website.credentials' and a.created_at > now() - interval '1 hour')
    >= (input->>'most_per_hour')::int
  then
    perform app_error('rate_limited', 'Terlalu banyak permintaan. Coba lagi dalam satu jam.',
      jsonb_build_object('retry_after', 3600));
  end if;
  perform audit_write(input || jsonb_build_object('action', 'hosting.website.credentials',
    'subject_kind', 'hosting_website', 'subject_id', site.id));
  return hosting_site_json(site.id);
end $$;
