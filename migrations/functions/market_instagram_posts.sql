-- Posts for Instagram: written, scheduled, changed until they are on their way, published once.

-- A post as its seller sees it, and what its link is made of.
create or replace function market_instagram_post_json(p market_instagram_posts) returns jsonb language sql stable as $$
  select jsonb_build_object('id', p.id, 'store_id', p.store_id, 'product_id', p.product_id, 'caption', p.caption,
    'image_url', p.image_url, 'status', p.status, 'scheduled_at', market_iso(p.scheduled_at),
    'state', case when p.status <> 'draft' then p.status when p.started_at is not null then 'publishing'
      when p.scheduled_at is not null then 'scheduled' else 'draft' end,
    'published_at', market_iso(p.published_at), 'permalink', p.permalink, 'reason', p.reason,
    'created_at', market_iso(p.created_at), 'updated_at', market_iso(p.updated_at),
    'store_slug', (select s.slug from market_stores s where s.id = p.store_id))
$$;

-- market_instagram_desk({user_id, product_id?}) returns {store_id, store_slug, images}
-- What a new post is made of. A product that is not the seller's is missing.
create or replace function market_instagram_desk(input jsonb) returns jsonb language plpgsql stable as $$
declare
  shop record;
begin
  select s.id, s.slug into shop from market_stores s
    where s.user_id = (input->>'user_id')::bigint and s.deleted_at is null;
  if not found then
    perform app_error('not_found', 'Toko belum dibuat');
  end if;
  if input->>'product_id' is not null and not exists (select from market_products p
      where p.id = (input->>'product_id')::uuid and p.store_id = shop.id and p.deleted_at is null) then
    perform app_error('not_found', 'Produk tidak ditemukan');
  end if;
  return jsonb_build_object('store_id', shop.id, 'store_slug', shop.slug, 'images', (
    select coalesce(jsonb_agg(i.url order by i.is_primary desc, i.sort_order, i.id), '[]')
    from market_product_images i where i.product_id = (input->>'product_id')::uuid));
end $$;

-- Sets when a post goes out (null: not by itself). Each schedule is a run of its own, with a job of its own: the job of
-- an earlier one is ended, or finds that its run no longer counts. Returns the new job's wake-up, or null.
create or replace function market_instagram_schedule(post uuid, moment timestamptz) returns jsonb language plpgsql as $$
declare
  p record;
  job jsonb;
begin
  if moment is not null and not exists (select from market_instagram_posts q
      join market_instagram_accounts a on a.store_id = q.store_id
      where q.id = post and a.status = 'connected') then
    perform app_error('invalid_input', 'Hubungkan akun Instagram Anda dulu');
  end if;
  select q.run, q.job_id into p from market_instagram_posts q where q.id = post;
  if p.job_id is not null then
    perform jobs_cancel(p.job_id);
  end if;
  if moment is not null then
    job := jobs_enqueue('market.instagram', 'marketplace-sync', concat_ws('/', 'market.instagram', post, p.run + 1),
      jsonb_build_object('post_id', post, 'run', p.run + 1), moment, 1000);
  end if;
  update market_instagram_posts set scheduled_at = moment, run = run + 1, job_id = (job->>'id')::uuid,
      status = 'draft', started_at = null, reason = null, troubles = 0, containers = 0, updated_at = now()
    where id = post;
  return job;
end $$;

-- market_instagram_create({id?, user_id, product_id, caption, image_url, scheduled_at}) returns {post, wake}
create or replace function market_instagram_create(input jsonb) returns jsonb language plpgsql as $$
declare
  shop uuid;
  made uuid;
  job jsonb;
begin
  select s.id into shop from market_stores s
    where s.user_id = (input->>'user_id')::bigint and s.deleted_at is null for key share;
  if not found then
    perform app_error('not_found', 'Toko belum dibuat');
  end if;
  insert into market_instagram_posts (id, store_id, product_id, caption, image_url)
    values (coalesce((input->>'id')::uuid, uuidv7()), shop, (input->>'product_id')::uuid, input->>'caption', input->>'image_url')
    returning id into made;
  if input->>'scheduled_at' is not null then
    job := market_instagram_schedule(made, (input->>'scheduled_at')::timestamptz);
  end if;
  return jsonb_build_object('wake', jobs_wakes(job),
    'post', (select market_instagram_post_json(p) from market_instagram_posts p where p.id = made));
end $$;

-- The seller's own post, locked, as long as it may be changed. Its store is held before it (market_locks.sql): a deletion
-- ends what is scheduled, or lets nothing more be scheduled.
create or replace function market_instagram_changeable(input jsonb) returns uuid language plpgsql as $$
declare
  p record;
begin
  perform from market_stores s where s.user_id = (input->>'user_id')::bigint and s.deleted_at is null for key share;
  select q.id, q.status, q.started_at into p from market_instagram_posts q join market_stores s on s.id = q.store_id
    where q.id = (input->>'id')::uuid and s.user_id = (input->>'user_id')::bigint and s.deleted_at is null
    for no key update of q;
  if not found then
    perform app_error('not_found', 'Kiriman tidak ditemukan');
  end if;
  if p.status = 'published' then
    perform app_error('conflict', 'Kiriman ini sudah terbit di Instagram');
  end if;
  if p.started_at is not null then
    perform app_error('conflict', 'Kiriman ini sedang diterbitkan');
  end if;
  return p.id;
end $$;

-- market_instagram_edit({user_id, id, caption?, image_url?, product_id?, scheduled_at? | publish_now?}) returns {post, wake}
-- Changes what is named. A schedule that is not named stays; `scheduled_at: null` takes it off, a new one replaces it.
-- What was prepared at Instagram no longer fits, but is kept: it may be out already, which is asked about first.
create or replace function market_instagram_edit(input jsonb) returns jsonb language plpgsql as $$
declare
  post constant uuid := market_instagram_changeable(input);
  job jsonb;
begin
  update market_instagram_posts set
      caption = case when input ? 'caption' then input->>'caption' else caption end,
      image_url = case when input ? 'image_url' then input->>'image_url' else image_url end,
      product_id = case when input ? 'product_id' then (input->>'product_id')::uuid else product_id end,
      container_stale = container_stale or input ?| array['caption', 'image_url', 'product_id'],
      -- A failed post that is changed is a draft again.
      status = 'draft', scheduled_at = case when status = 'failed' then null else scheduled_at end,
      reason = null, updated_at = now()
    where id = post;
  if coalesce((input->>'publish_now')::boolean, false) then
    job := market_instagram_schedule(post, now());
  elsif input ? 'scheduled_at' then
    job := market_instagram_schedule(post, (input->>'scheduled_at')::timestamptz);
  end if;
  return jsonb_build_object('wake', jobs_wakes(job),
    'post', (select market_instagram_post_json(p) from market_instagram_posts p where p.id = post));
end $$;

-- market_instagram_delete({user_id, id}) returns {id}
create or replace function market_instagram_delete(input jsonb) returns jsonb language plpgsql as $$
declare
  post constant uuid := market_instagram_changeable(input);
begin
  perform jobs_cancel(p.job_id) from market_instagram_posts p where p.id = post and p.job_id is not null;
  delete from market_instagram_posts where id = post;
  return jsonb_build_object('id', post);
end $$;

-- market_instagram_begin({post_id, run}) returns what the job works with, or null where this run no longer counts.
-- From here on the post cannot be changed, until it has ended or is put off. `held`: an admin has switched Instagram off
-- for the store; then nothing is sent, and only what may be out already is asked about.
create or replace function market_instagram_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  p record;
begin
  update market_instagram_posts q set updated_at = now(), started_at = case
      when q.publish_sent_at is not null or market_feature_on(q.store_id, 'instagram')
        then coalesce(q.started_at, clock_timestamp()) end
    where q.id = (input->>'post_id')::uuid and q.run = (input->>'run')::int and q.status = 'draft'
      and q.scheduled_at is not null;
  if not found then
    return null;
  end if;
  select jsonb_build_object('id', q.id, 'run', q.run, 'caption', q.caption, 'image_url', q.image_url,
      'product_id', q.product_id, 'store_slug', s.slug, 'held', not market_feature_on(s.id, 'instagram'),
      'product_gone', q.product_id is not null and (r.id is null or r.deleted_at is not null),
      'late_ms', extract(epoch from clock_timestamp() - q.scheduled_at) * 1000,
      'troubles', q.troubles, 'containers', q.containers,
      'container_id', case when q.container_account = a.account_id then q.container_id end,
      'container_ms', extract(epoch from clock_timestamp() - q.container_at) * 1000,
      'stale', q.container_stale, 'sent_at', q.publish_sent_at::text,
      'sent_ms', extract(epoch from clock_timestamp() - q.publish_sent_at) * 1000,
      'account', case when a.status = 'connected' then jsonb_build_object('id', a.id, 'account_id', a.account_id,
        'access_token_enc', a.access_token_enc, 'generation', a.generation) end,
      'account_reason', a.status_reason) as work into p
    from market_instagram_posts q
    join market_stores s on s.id = q.store_id
    left join market_products r on r.id = q.product_id
    left join market_instagram_accounts a on a.store_id = q.store_id
    where q.id = (input->>'post_id')::uuid;
  return p.work;
end $$;

-- market_instagram_note({post_id, run, container_id?, account_id?, drop_container?, trouble?, reason?, put_off?,
--   sent: {seen} | "not"}) returns boolean
-- What happened to a post on its way; false: the run no longer counts, or somebody else has sent the publishing call
-- that `sent.seen` did not know of, or an admin has just switched Instagram off. `put_off`: the seller may change it
-- again until the next attempt.
create or replace function market_instagram_note(input jsonb) returns boolean language plpgsql as $$
declare
  drops constant boolean := coalesce((input->>'drop_container')::boolean, false);
  made constant text := input->>'container_id';
  sends constant boolean := coalesce(jsonb_typeof(input->'sent') = 'object', false);
begin
  update market_instagram_posts set
      container_id = case when drops then null else coalesce(made, container_id) end,
      container_account = case when drops then null else coalesce(input->>'account_id', container_account) end,
      container_at = case when drops then null when made is not null then clock_timestamp() else container_at end,
      containers = containers + (made is not null)::int,
      container_stale = container_stale and made is null and not drops,
      publish_sent_at = case when sends then clock_timestamp()
        when drops or input->>'sent' = 'not' or made is not null then null else publish_sent_at end,
      troubles = troubles + coalesce((input->>'trouble')::boolean, false)::int,
      reason = coalesce(input->>'reason', reason),
      started_at = case when coalesce((input->>'put_off')::boolean, false) then null else started_at end,
      updated_at = now()
    where id = (input->>'post_id')::uuid and run = (input->>'run')::int and status = 'draft'
      and (not sends or publish_sent_at is not distinct from (input->'sent'->>'seen')::timestamptz
        and market_feature_on(store_id, 'instagram'));
  return found;
end $$;

-- market_instagram_end({post_id, run, status: published | failed, reason?, media_id?, permalink?, in_doubt?}) returns {wake}
-- Ends a run once. What was prepared is forgotten, unless it may be out already. The seller is told of a failure.
create or replace function market_instagram_end(input jsonb) returns jsonb language plpgsql as $$
declare
  p record;
  keeps constant boolean := coalesce((input->>'in_doubt')::boolean, false);
begin
  update market_instagram_posts set status = input->>'status', reason = input->>'reason', started_at = null,
      media_id = input->>'media_id', permalink = input->>'permalink',
      published_at = case when input->>'status' = 'published' then now() end,
      container_id = case when keeps then container_id end,
      container_account = case when keeps then container_account end,
      container_at = case when keeps then container_at end,
      publish_sent_at = case when keeps then publish_sent_at end, updated_at = now()
    where id = (input->>'post_id')::uuid and run = (input->>'run')::int and status = 'draft'
    returning id, store_id, run, caption into p;
  if not found or input->>'status' <> 'failed' then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  return jsonb_build_object('wake', jobs_wakes(market_instagram_mail('instagram_failed', p.store_id,
    p.id || '/' || p.run, jsonb_build_object('reason', input->>'reason', 'caption', left(p.caption, 120)))));
end $$;
