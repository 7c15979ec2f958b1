-- Photos that are made better elsewhere: begun once for each picture, ended once, never more than the day allows.

-- A photo as its seller sees it.
create or replace function market_photo_json(p market_photos) returns jsonb language sql stable as $$
  select jsonb_build_object('job_id', p.id, 'product_id', p.product_id, 'image_url', p.source_url,
    'enhanced_url', p.result_url, 'status', p.status, 'reason', p.reason, 'created_at', market_iso(p.created_at),
    'finished_at', market_iso(p.finished_at))
$$;

-- market_photo_known({user_id, product_id, source_url}) returns photo | null
-- What is there already for this picture of the seller's; a product that is not his is missing.
create or replace function market_photo_known(input jsonb) returns jsonb language plpgsql stable as $$
declare
  shop uuid;
  known jsonb;
begin
  select p.store_id into shop from market_products p join market_stores s on s.id = p.store_id
    where p.id = (input->>'product_id')::uuid and p.deleted_at is null
      and s.user_id = (input->>'user_id')::bigint and s.deleted_at is null;
  if not found then
    perform app_error('not_found', 'Produk tidak ditemukan');
  end if;
  select market_photo_json(f) into known from market_photos f
    where f.store_id = shop and market_picture_path(f.source_url) = input->>'source_url' and f.status <> 'failed';
  return known;
end $$;

-- market_photo_begin({user_id, photo_id?, product_id, source_url, per_day}) returns {photo, job_id, wake}
-- One at a time for each picture, from any number of callers at once: the second gets the first one's, whatever its
-- state. What was sent to the provider today counts against the day of Jakarta, also where it failed there.
create or replace function market_photo_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  shop uuid;
  known market_photos;
  made market_photos;
  job jsonb;
  used int;
  per_day constant int := (input->>'per_day')::int;
begin
  select s.id into shop from market_stores s
    where s.user_id = (input->>'user_id')::bigint and s.deleted_at is null for no key update;
  if not found or not exists (select from market_products p
      where p.id = (input->>'product_id')::uuid and p.store_id = shop and p.deleted_at is null) then
    perform app_error('not_found', 'Produk tidak ditemukan');
  end if;
  select * into known from market_photos f
    where f.store_id = shop and market_picture_path(f.source_url) = input->>'source_url' and f.status <> 'failed';
  if found then
    return jsonb_build_object('photo', market_photo_json(known), 'job_id', null, 'wake', '[]'::jsonb);
  end if;
  select count(*) into used from market_photos f where f.store_id = shop
    and f.created_at >= jakarta_midnight(now())
    and (f.status <> 'failed' or f.sent_at is not null);
  if used >= per_day then
    perform app_error('rate_limited', format('Batas %s foto per hari sudah tercapai. Coba lagi besok.', per_day),
      jsonb_build_object('limit', per_day));
  end if;
  insert into market_photos (id, store_id, product_id, requested_by, source_url)
    values (coalesce((input->>'photo_id')::uuid, uuidv7()), shop, (input->>'product_id')::uuid, (input->>'user_id')::bigint, input->>'source_url')
    returning * into made;
  job := jobs_enqueue('market.photo', 'marketplace-sync', 'market.photo/' || made.id,
    jsonb_build_object('photo_id', made.id), now(), 100);
  update market_photos set job_id = (job->>'id')::uuid where id = made.id;
  return jsonb_build_object('photo', market_photo_json(made), 'job_id', job->>'id', 'wake', jobs_wakes(job));
end $$;

-- market_photo_send({photo_id, seen}) returns boolean
-- Whoever gets true, and nobody else, creates a prediction now. `seen` is the sending that the caller knows of (null:
-- none): of two that know the same, one wins.
create or replace function market_photo_send(input jsonb) returns boolean language plpgsql as $$
begin
  update market_photos set status = 'running', sent_at = clock_timestamp(), updated_at = now()
    where id = (input->>'photo_id')::uuid and status in ('queued', 'running') and prediction_id is null
      and sent_at is not distinct from (input->>'seen')::timestamptz;
  return found;
end $$;

-- market_photo_finish({photo_id, status: ready | failed, reason?, result_url?, run_ms?, cost_micro_usd?}) returns boolean
-- Ends a photo once; false: it has ended before.
create or replace function market_photo_finish(input jsonb) returns boolean language plpgsql as $$
begin
  update market_photos set status = input->>'status', reason = input->>'reason', result_url = input->>'result_url',
      run_ms = (input->>'run_ms')::int, cost_micro_usd = (input->>'cost_micro_usd')::int,
      finished_at = now(), updated_at = now()
    where id = (input->>'photo_id')::uuid and status in ('queued', 'running');
  return found;
end $$;

-- market_photo_undo(photo) returns {job_id, note, slug, store_id}
-- Takes a photo back: what is being made of it is called off; where its result is used (a product, deleted or not, a
-- post that is not out, the store's own pictures) the original is again; and the result is thrown away by the job, unless
-- an order or a post that is out shows it. The caller holds the store.
create or replace function market_photo_undo(photo uuid) returns jsonb language plpgsql as $$
declare
  f market_photos;
  shop market_stores;
  result text;
  source text;
  shown int;
  kept boolean;
  job jsonb;
begin
  perform from market_products p where p.id in (select i.product_id from market_photos q
      join market_products g on g.store_id = q.store_id join market_product_images i on i.product_id = g.id
      where q.id = photo and market_picture_path(i.url) = market_picture_path(q.result_url))
    order by p.id for no key update;
  select q.* into f from market_photos q where q.id = photo for no key update;
  result := market_picture_path(f.result_url);
  source := market_picture_path(f.source_url);
  shown := market_photo_replace(f.store_id, result, source);
  kept := exists (select from market_instagram_posts q
      where q.store_id = f.store_id and market_picture_path(q.image_url) = result)
    or exists (select from market_order_items i join market_products p on p.id = i.product_id
      where p.store_id = f.store_id and market_picture_path(i.image_url) = result);
  perform jobs_cancel(f.job_id);
  update market_photos set status = 'failed', reason = 'Dibatalkan', result_url = null,
      finished_at = coalesce(finished_at, now()), updated_at = now()
    where id = f.id;
  -- What was made of the result was made of the original.
  update market_photos set source_url = source, updated_at = now()
    where store_id = f.store_id and market_picture_path(source_url) = result;
  if result is not null and not kept or f.status = 'running' then
    job := jobs_enqueue('market.photo', 'marketplace-sync', 'market.photo/taken-back/' || f.id,
      jsonb_build_object('photo_id', f.id, 'taken_back', jsonb_build_object('result', case when not kept then result end,
        'owner', f.requested_by, 'prediction_id', case when f.status = 'running' then f.prediction_id end)));
  end if;
  select s.* into shop from market_stores s where s.id = f.store_id;
  return jsonb_build_object('job_id', job->>'id', 'slug', shop.slug, 'store_id', shop.id, 'note', nullif(concat_ws(' ',
    case when shown > 0 then format('Foto aslinya dipakai lagi di %s tempat yang memakai foto hasilnya.', shown) end,
    case when kept then 'Pesanan dan kiriman Instagram yang sudah ada tetap menampilkan foto hasilnya.' end), ''));
end $$;

-- Shows another picture wherever this one is, as far as that can still be changed; returns in how many places. A product
-- that shows the other one too shows it once.
create or replace function market_photo_replace(store uuid, old text, new text) returns int language plpgsql as $$
declare
  places int := 0;
  n int;
begin
  with uses as (
    select i.id, i.product_id, i.is_primary from market_product_images i join market_products p on p.id = i.product_id
    where p.store_id = store and market_picture_path(i.url) = old
  ), doubles as (
    select o.id, u.is_primary from market_product_images o join uses u on u.product_id = o.product_id
    where market_picture_path(o.url) = new
  ), first as (
    update market_product_images i set is_primary = true from doubles d where i.id = d.id and d.is_primary
  ), removed as (
    delete from market_product_images i using uses u where i.id = u.id and exists (select from doubles d
      join market_product_images o on o.id = d.id where o.product_id = u.product_id)
  ), replaced as (
    update market_product_images i set url = new, is_ai_enhanced = false from uses u
    where i.id = u.id and not exists (select from doubles d
      join market_product_images o on o.id = d.id where o.product_id = u.product_id)
  )
  select count(*) into places from uses;
  update market_instagram_posts q set image_url = new, container_stale = true, updated_at = now()
    where q.store_id = store and market_picture_path(q.image_url) = old and q.status <> 'published'
      and q.started_at is null;
  get diagnostics n = row_count;
  places := places + n;
  update market_stores s set updated_at = now(),
      logo_url = case when market_picture_path(s.logo_url) = old then new else s.logo_url end,
      banner_url = case when market_picture_path(s.banner_url) = old then new else s.banner_url end
    where s.id = store and old in (market_picture_path(s.logo_url), market_picture_path(s.banner_url));
  get diagnostics n = row_count;
  return places + n;
end $$;
