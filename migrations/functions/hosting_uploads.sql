-- Site archives in R2. Guarantees: every object has a row from before its first byte, so what is refused, given up or
-- replaced is found and removed; an upload counts only once it is whole, checked and its site's owner's.

-- An id as a client wrote it; null where it is none, so that it finds nothing.
create or replace function hosting_id(told text) returns uuid language sql immutable as $$
  select case when told ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then told::uuid end
$$;

create or replace function hosting_upload_json(upload hosting_uploads) returns jsonb language sql stable as $$
  select jsonb_build_object('id', upload.id, 'website_id', upload.website_id, 'key', upload.key,
    'original_name', upload.original_name, 'format', upload.format, 'size', upload.size,
    'stored_at', upload.stored_at)
$$;

-- {user_id, key, at_once} A place for an upload that is about to come. Refused while too many of the same user come.
create or replace function hosting_upload_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  owner bigint := (input->>'user_id')::bigint;
  upload uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('hosting-upload/' || owner, 0));
  if (input->>'at_once')::int <= (select count(*) from hosting_uploads u
      where u.user_id = owner and u.state = 'receiving' and u.created_at > now() - interval '10 minutes') then
    perform app_error('rate_limited', 'Upload lain sedang berjalan. Coba lagi setelah selesai.');
  end if;
  insert into hosting_uploads (user_id, key) values (owner, input->>'key') returning id into upload;
  return jsonb_build_object('id', upload);
end $$;

-- {id, multipart_id} R2's id of an upload in parts, before the first part is sent. False: the sweep has given it up.
create or replace function hosting_upload_parts(input jsonb) returns boolean language plpgsql as $$
begin
  update hosting_uploads u set multipart_id = input->>'multipart_id', updated_at = now()
  where u.id = (input->>'id')::uuid and u.state = 'receiving';
  return found;
end $$;

-- {id, user_id, website_id, original_name, format, size, stored_size, files, unpacked_bytes, top, per_website,
--  per_user_bytes} The archive is whole in R2. Makes room for it: the oldest of its site beyond `per_website` and of
-- its owner beyond `per_user_bytes` go, save what a deploy still needs. Returns {upload, removing: [{id, key}]}.
create or replace function hosting_upload_finish(input jsonb) returns jsonb language plpgsql as $$
declare
  upload hosting_uploads;
  site hosting_websites;
begin
  select * into site from hosting_websites w
  where w.id = hosting_id(input->>'website_id') and w.user_id = (input->>'user_id')::bigint
    and w.status <> 'DELETED' and w.wanted <> 'deleted'
  for share;
  if not found then perform app_error('not_found', 'Website tidak ditemukan'); end if;
  update hosting_uploads u set state = 'stored', website_id = site.id, original_name = input->>'original_name',
    format = input->>'format', size = (input->>'size')::bigint, stored_size = (input->>'stored_size')::bigint,
    files = (input->>'files')::int, unpacked_bytes = (input->>'unpacked_bytes')::bigint, top = input->'top',
    stored_at = now(), updated_at = now()
  where u.id = (input->>'id')::uuid and u.user_id = site.user_id and u.state = 'receiving'
  returning * into upload;
  -- It took so long that the sweep has given it up.
  if not found then perform app_error('not_found', 'File tidak ditemukan'); end if;
  return jsonb_build_object('upload', hosting_upload_json(upload), 'removing',
    hosting_uploads_make_room(upload, (input->>'per_website')::int, (input->>'per_user_bytes')::bigint));
end $$;

create or replace function hosting_uploads_make_room(newest hosting_uploads, per_website int, per_user_bytes bigint)
returns jsonb language plpgsql as $$
declare
  gone jsonb;
begin
  with ranked as (
    select u.id, row_number() over (partition by u.website_id order by u.id desc) as place,
      sum(u.stored_size) over (order by u.id desc) as bytes
    from hosting_uploads u where u.user_id = newest.user_id and u.state = 'stored'),
  removed as (
    update hosting_uploads u set state = 'removing', updated_at = now()
    from ranked r
    where u.id = r.id and u.id <> newest.id and (r.place > per_website or r.bytes > per_user_bytes)
      and not hosting_upload_in_use(u.id)
    returning u.id, u.key)
  select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'key', r.key)), '[]') into gone from removed r;
  return gone;
end $$;

create or replace function hosting_upload_in_use(upload_id uuid) returns boolean language sql stable as $$
  select exists (select from hosting_releases r join hosting_deploys d on d.release_id = r.id
    where r.upload_id = hosting_upload_in_use.upload_id and d.state in ('queued', 'running'))
$$;

-- {id} An upload that was refused or broken off. True: its object is to be removed, and then its row. False: it has been
-- finished after all, its answer was lost on the way here.
create or replace function hosting_upload_drop(input jsonb) returns boolean language plpgsql as $$
begin
  update hosting_uploads u set state = 'removing', updated_at = now()
  where u.id = (input->>'id')::uuid and u.state = 'receiving';
  return found or not exists (
    select from hosting_uploads u where u.id = (input->>'id')::uuid and u.state = 'stored');
end $$;

-- {stale_minutes, keep_days, max} For the hourly chore: what was given up while it came, what is older than it may be,
-- what belongs to a deleted site, and what an earlier run could not remove. Returns [{id, key, multipart_id}].
create or replace function hosting_uploads_sweep(input jsonb) returns jsonb language plpgsql as $$
declare
  found_rows jsonb;
begin
  update hosting_uploads u set state = 'removing', updated_at = now()
  where u.id in (
    select o.id from hosting_uploads o
    where (o.state = 'receiving' and o.updated_at < now() - make_interval(mins => (input->>'stale_minutes')::int))
      or (o.state = 'stored' and not hosting_upload_in_use(o.id) and (
        o.stored_at < now() - make_interval(days => (input->>'keep_days')::int)
        or exists (select from hosting_websites w where w.id = o.website_id and w.status = 'DELETED')))
    order by o.id limit (input->>'max')::int for no key update skip locked);
  select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'key', r.key, 'multipart_id', r.multipart_id)), '[]')
  into found_rows
  from (select u.id, u.key, u.multipart_id from hosting_uploads u where u.state = 'removing'
    order by u.updated_at limit (input->>'max')::int) r;
  return found_rows;
end $$;

-- {ids} Their objects are gone.
create or replace function hosting_uploads_gone(input jsonb) returns int language plpgsql as $$
declare
  gone int;
begin
  delete from hosting_uploads u
  where u.state = 'removing' and u.id in (select jsonb_array_elements_text(input->'ids')::uuid);
  get diagnostics gone = row_count;
  return gone;
end $$;

-- {user_id, website_id} The stored archives of the caller's own website, newest first.
create or replace function hosting_uploads_list(input jsonb) returns jsonb language plpgsql stable as $$
declare
  site uuid;
begin
  if coalesce(input->>'website_id', '') = '' then
    perform app_error('invalid_input', 'Website ID tidak ditemukan');
  end if;
  select w.id into site from hosting_websites w
  where w.id = hosting_id(input->>'website_id') and w.user_id = (input->>'user_id')::bigint;
  if site is null then perform app_error('not_found', 'Website tidak ditemukan'); end if;
  return (select coalesce(jsonb_agg(hosting_upload_json(u) order by u.id desc), '[]')
    from hosting_uploads u where u.website_id = site and u.state = 'stored');
end $$;
