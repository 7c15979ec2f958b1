-- What the assistant set going outside, and how it is taken back.

-- A sync: what it put on sale at the marketplace comes off the shelf there and is not kept in step any more, until the
-- seller syncs it again. What was on sale there before follows its product, as it did before.
create or replace function market_assistant_undo_sync(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  c record;
begin
  -- Lock order: market_locks.sql.
  perform from market_stores s where s.user_id = person and s.deleted_at is null for key share;
  select k.id, k.store_id, k.platform, k.status, r.created_at into c
    from market_sync_runs r join market_connections k on k.id = r.connection_id
    join market_stores s on s.id = k.store_id and s.deleted_at is null
    where r.id = act.id and s.user_id = person for no key update of k;
  if not found or not exists (select from market_sync_items i where i.run_id = act.id) then
    return null;
  elsif c.status <> 'connected' then
    perform app_error('conflict', format('%s tidak terhubung. Hubungkan lagi dulu, lalu batalkan', c.platform));
  elsif not market_feature_on(c.store_id, 'marketplace_sync') then
    perform app_error('conflict', 'Sinkronisasi marketplace sedang dinonaktifkan untuk toko Anda');
  elsif not exists (select from market_sync_items i where i.run_id = act.id and (i.fresh or i.outcome is null)) then
    perform app_error('conflict', 'Semua produknya sudah tayang di sana sebelum sinkronisasi ini, jadi tidak ada yang dibatalkan');
  elsif exists (select from market_sync_items i join market_sync_items n on n.listing_id = i.listing_id
      join market_sync_runs r on r.id = n.run_id and r.created_at > c.created_at
      where i.run_id = act.id and (i.fresh or i.outcome is null)
        and not exists (select from market_assistant_actions a where a.id = r.id and a.undone_at is not null)) then
    perform app_error('changed', 'Produknya sudah disinkronkan lagi sejak itu, jadi tidak dibatalkan');
  end if;
  perform from market_listings l join market_sync_items i on i.listing_id = l.id
    where i.run_id = act.id and (i.fresh or i.outcome is null) order by l.product_id, l.id for no key update of l;
  if exists (select from market_sync_items i join market_listings l on l.id = i.listing_id
      where i.run_id = act.id and not i.fresh and i.outcome is null and l.claim_until > now()) then
    -- Whether it was on sale there is being asked just now.
    perform app_error('conflict', 'Sinkronisasinya sedang berjalan. Coba batalkan lagi sebentar lagi');
  end if;
  update market_listings l set wanted = false, verify = true, changes = l.changes + 1, dirty = true,
      sync_status = 'pending', reason = null, attempts = 0,
      retry_at = case when l.doubt_at is null then null else l.retry_at end, updated_at = now()
    from market_sync_items i where i.run_id = act.id and i.listing_id = l.id and i.fresh;
  -- What waits to be looked at there is left as it is, and only what has changed here is still sent.
  update market_listings l set verify = false, updated_at = now()
    from market_sync_items i
    where i.run_id = act.id and i.listing_id = l.id and not i.fresh and i.outcome is null
      and not exists (select from market_sync_items e
        where e.listing_id = l.id and e.run_id <> act.id and e.outcome is null);
  update market_sync_items i set outcome = 'failed', reason = 'Sinkronisasi dibatalkan', finished_at = now()
    where i.run_id = act.id and i.outcome is null;
  return jsonb_build_object('wake', jobs_wakes(market_marketplace_pump(c.id, now())));
end $$;

-- A photo that was to be made better: the work is called off, or its result thrown away, as long as it is used nowhere.
create or replace function market_assistant_undo_photo(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  f market_photos;
  taken record;
begin
  perform from market_stores s where s.user_id = person and s.deleted_at is null for key share;
  perform from market_products p where p.id = act.target_id for no key update;
  select p.* into f from market_photos p join market_stores s on s.id = p.store_id and s.deleted_at is null
    where p.id = act.id and s.user_id = person for no key update of p;
  if not found then
    return null;
  end if;
  taken := market_photo_take_back(f);
  if taken.is_used then
    perform app_error('changed', 'Foto hasilnya sudah dipakai, jadi tidak dibatalkan. Lepaskan dulu dari tempat Anda memakainya');
  end if;
  return jsonb_build_object('job_id', taken.job->>'id');
end $$;
