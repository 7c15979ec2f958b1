-- What the assistant set going outside, and how it is taken back.

-- A draft goes away with its schedule, changed since or not, also while it is being prepared there: whoever prepares it
-- finds it gone before he publishes it. Instagram lets nobody take back what is out.
create or replace function market_assistant_undo_post(act market_assistant_actions) returns jsonb language plpgsql as $$
declare
  post market_instagram_posts;
begin
  select p.* into post from market_instagram_posts p where p.id = act.target_id for update;
  if post.id is null then
    return jsonb_build_object('note', 'Kiriman ini sudah dihapus, jadi tidak ada lagi yang perlu dikembalikan.');
  elsif post.status = 'published' then
    return jsonb_build_object('undone', false, 'note', concat_ws(' ', 'Kiriman ini sudah terbit, dan hanya Anda yang'
      || ' dapat menghapusnya, di aplikasi Instagram:', coalesce(post.permalink, 'buka profil Anda di sana.')));
  elsif post.started_at is not null and post.publish_sent_at > now() - interval '1 minute' then
    perform app_error('conflict', 'Kiriman ini sedang diterbitkan. Coba batalkan lagi semenit lagi');
  end if;
  perform jobs_cancel(post.job_id);
  delete from market_instagram_posts p where p.id = post.id;
  return jsonb_build_object('note', case when post.publish_sent_at is not null
    then 'Kirimannya dihapus di sini, tetapi mungkin sudah terbit: periksa akun Instagram Anda.' end);
end $$;

-- A sync: what it put on sale at the marketplace comes off the shelf there and is not kept in step any more, until the
-- seller syncs it again. What was on sale there before follows its product, as it did before. Where the shop cannot be
-- reached now, that is done once it can. What was synced again since stays: by the seller because he wants it there; by
-- the assistant until that one is undone too, which then finds that it was not there before both.
create or replace function market_assistant_undo_sync(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  c record;
  again uuid[];
  goes boolean;
  waits boolean;
begin
  -- Lock order: market_locks.sql.
  perform from market_stores s where s.user_id = person for key share;
  select k.id, k.store_id, k.platform, k.status, r.created_at into c
    from market_sync_runs r join market_connections k on k.id = r.connection_id
    join market_stores s on s.id = k.store_id
    where r.id = act.id and s.user_id = person for no key update of k;
  if not found or not exists (select from market_sync_items i where i.run_id = act.id) then
    return jsonb_build_object('note', 'Dari sinkronisasi ini tidak ada lagi yang tercatat di sini: tokonya di sana '
      || 'sudah diganti atau belum ada yang dikirim. Bila masih ada produk yang tayang, turunkan di sana.');
  end if;
  perform from market_listings l join market_sync_items i on i.listing_id = l.id
    where i.run_id = act.id and (i.fresh or i.outcome is null) order by l.product_id, l.id for no key update of l;
  if exists (select from market_sync_items i join market_listings l on l.id = i.listing_id
      where i.run_id = act.id and not i.fresh and i.outcome is null and l.claim_until > now()) then
    -- Whether it was on sale there is being asked just now.
    perform app_error('conflict', 'Sinkronisasinya sedang berjalan. Coba batalkan lagi sebentar lagi');
  end if;
  -- What was put to work again since: the latest run that counts has it.
  select array_agg(i.listing_id) into again from market_sync_items i
    where i.run_id = act.id and (i.fresh or i.outcome is null) and exists (
      select from market_assistant_later_syncs(i.listing_id, c.created_at));
  update market_sync_items n set fresh = true from market_sync_items i
    where i.run_id = act.id and i.fresh and i.listing_id = any (again) and n.listing_id = i.listing_id
      and n.run_id = (select s.run_id from market_assistant_later_syncs(i.listing_id, c.created_at) s limit 1);
  update market_listings l set wanted = false, verify = true, changes = l.changes + 1, dirty = true,
      sync_status = 'pending', reason = null, attempts = 0,
      retry_at = market_marketplace_not_before(l.retry_at, l.doubt_at), updated_at = now()
    from market_sync_items i where i.run_id = act.id and i.listing_id = l.id and i.fresh
      and l.id <> all (coalesce(again, '{}'));
  select coalesce(bool_or(i.fresh and i.listing_id <> all (coalesce(again, '{}'))), false),
      coalesce(bool_or(i.outcome is null), false)
    into goes, waits from market_sync_items i where i.run_id = act.id;
  -- What waits to be looked at there is left as it is, and only what has changed here is still sent.
  update market_listings l set verify = false, updated_at = now()
    from market_sync_items i
    where i.run_id = act.id and i.listing_id = l.id and not i.fresh and i.outcome is null
      and not exists (select from market_sync_items e
        where e.listing_id = l.id and e.run_id <> act.id and e.outcome is null);
  update market_sync_items i set outcome = 'failed', reason = 'Sinkronisasi dibatalkan', finished_at = now()
    where i.run_id = act.id and i.outcome is null;
  return jsonb_build_object('wake', jobs_wakes(market_marketplace_pump(c.id, now())), 'note', nullif(concat_ws(' ',
    case when again is not null then format('%s produk disinkronkan lagi sejak itu, jadi dibiarkan: turunkan sendiri, '
        || 'atau batalkan juga tindakan asisten yang lebih baru.', cardinality(again))
      when not goes and not waits
        then 'Sinkronisasi ini tidak menayangkan produk baru di sana, jadi tidak ada yang perlu dikembalikan.' end,
    case when not goes then null
      when c.status <> 'connected' then format('%s tidak terhubung: produknya turun begitu Anda menghubungkannya lagi, '
        || 'atau turunkan sendiri di sana.', initcap(c.platform))
      when not market_marketplace_pushes(c.store_id)
        then 'Sinkronisasi sedang dinonaktifkan untuk toko Anda: produknya turun begitu diaktifkan lagi.' end), ''));
end $$;

-- Syncs of a listing after that moment that were not undone, the next one first.
create or replace function market_assistant_later_syncs(listing uuid, since timestamptz) returns table (run_id uuid)
language sql stable as $$
  select r.id from market_sync_items n join market_sync_runs r on r.id = n.run_id and r.created_at > since
  where n.listing_id = listing
    and not exists (select from market_assistant_actions a where a.id = r.id and a.undone_at is not null)
  order by r.created_at
$$;

-- A photo that was to be made better: the work is called off, or the original is shown again wherever its result is.
create or replace function market_assistant_undo_photo(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  f market_photos;
begin
  -- Lock order: market_locks.sql.
  perform from market_stores s where s.user_id = person for key share;
  select p.* into f from market_photos p join market_stores s on s.id = p.store_id
    where p.id = act.id and s.user_id = person;
  if f.id is null then
    return jsonb_build_object('note', 'Tidak ada foto yang dibuat, jadi tidak ada yang perlu dikembalikan.');
  end if;
  return market_photo_undo(f.id);
end $$;
