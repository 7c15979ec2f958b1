-- What admins do to stores, and what they see of the whole market.

-- How many orders of a store are not over: unpaid ones too, because their payment may be on its way; those of other
-- marketplaces only while somebody can still tell us how they end.
create or replace function market_open_orders(store uuid) returns bigint language sql stable as $$
  select count(*) from market_orders o where o.store_id = store
    and (o.status in ('pending', 'paid', 'processing', 'shipped') or o.held_after_cancel)
    and (o.source <> 'marketplace' or market_marketplace_still_tells(o.id, o.updated_at))
$$;

-- Whether news of an order may come from the marketplace that took it: its shop is the one that is connected, or must be
-- connected again and was heard of within a month. A seller who has left tells nothing any more.
create or replace function market_marketplace_still_tells(order_key uuid, heard_at timestamptz) returns boolean
language sql stable as $$
  select exists (select from market_channel_orders x join market_connections c on c.id = x.connection_id
    where x.order_id = order_key and (x.created_at < c.orders_from) is not true
      and (c.status = 'connected' or c.status = 'error' and heard_at > now() - interval '30 days'))
$$;

-- market_admin_store_delete({store_id, defer, actor_id, audit}) returns {id, slug, deleted, open_orders}
-- Deletes a store softly: its pages and products are seen nowhere, its codes end; its orders, and its seller's money,
-- stay. With open orders it is refused, or with `defer` closed at once (no new orders) and deleted with the end of its
-- last order. The row's lock waits for checkouts that are under way, and lets later ones find it closed.
create or replace function market_admin_store_delete(input jsonb) returns jsonb language plpgsql as $$
declare
  shop market_stores;
  open_orders bigint;
  defer constant boolean := (input->>'defer')::boolean;
begin
  select * into shop from market_stores where id = (input->>'store_id')::uuid and deleted_at is null for update;
  if not found then
    perform app_error('not_found', 'Store not found');
  end if;
  open_orders := market_open_orders(shop.id);
  if open_orders > 0 and not defer then
    perform app_error('conflict', 'Toko masih memiliki ' || open_orders || ' pesanan berjalan. Selesaikan dahulu, '
      || 'atau kirim ulang dengan defer=true: toko langsung ditutup dan terhapus setelah pesanan terakhir selesai.',
      jsonb_build_object('open_orders', open_orders));
  elsif open_orders > 0 then
    update market_stores set status = 'suspended', updated_at = now() where id = shop.id;
    insert into market_store_deletions (store_id, requested_by) values (shop.id, (input->>'actor_id')::bigint)
      on conflict do nothing;
  else
    perform market_store_end(shop.id);
  end if;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'market.store.delete', 'subject_kind',
    'market_store', 'subject_id', shop.id, 'before', jsonb_build_object('status', shop.status),
    'after', jsonb_build_object('deleted', open_orders = 0, 'open_orders', open_orders)));
  return jsonb_build_object('id', shop.id, 'slug', shop.slug, 'deleted', open_orders = 0, 'open_orders', open_orders);
end $$;

-- The soft end of a store. Its shops elsewhere are let go once its listings are off their shelves (SQL
-- function market_marketplace_let_go): whoever forgot the tokens now could never take them off. Its Instagram account is
-- let go at once, and no post goes out by itself any more: nobody could stop it here. A post that is on its way and whose
-- publishing call may have been made keeps its run, which ends it as what it learns of it. Posts before jobs, as
-- market_instagram_schedule. The caller has locked the store.
create or replace function market_store_end(store uuid) returns void language sql as $$
  update market_promo_codes set is_active = false, updated_at = now() where store_id = store and is_active;
  delete from market_store_deletions where store_id = store;
  with stopped as (
    update market_instagram_posts p set status = 'failed', run = p.run + 1, started_at = null, updated_at = now(),
        reason = 'Toko dihapus' || case when p.publish_sent_at is null then ''
          else '. Mungkin sudah terbit: periksa akun Instagram Anda.' end
      where p.store_id = store and p.status = 'draft' and p.scheduled_at is not null
        and (p.publish_sent_at is null or p.started_at is null)
      returning p.job_id
  )
  select jobs_cancel(s.job_id) from stopped s where s.job_id is not null;
  update market_instagram_accounts set status = 'disconnected', status_reason = 'Toko dihapus', access_token_enc = null,
      token_expires_at = null, renew_at = null, generation = generation + 1, updated_at = now()
    where store_id = store and status <> 'disconnected';
  update market_stores set deleted_at = now(), status = 'inactive', is_featured = false, updated_at = now()
    where id = store;
$$;

-- market_admin_deletions_due({most}) returns {slugs}: ends the stores whose deletion waited for their last order.
create or replace function market_admin_deletions_due(input jsonb) returns jsonb language plpgsql as $$
declare
  due record;
  slugs jsonb := '[]';
begin
  for due in
    select s.id, s.slug from market_store_deletions d join market_stores s on s.id = d.store_id
    where market_open_orders(s.id) = 0 limit (input->>'most')::int for update of s skip locked
  loop
    if market_open_orders(due.id) = 0 then
      perform market_store_end(due.id);
      perform audit_write(jsonb_build_object('action', 'market.store.delete', 'subject_kind', 'market_store',
        'subject_id', due.id, 'after', jsonb_build_object('deleted', true)));
      slugs := slugs || to_jsonb(due.slug);
    end if;
  end loop;
  return jsonb_build_object('slugs', slugs);
end $$;

-- market_admin_store_status({store_id, status, actor_id, audit}) returns {slug}: opens or closes a store. Opening it
-- calls a waiting deletion off.
create or replace function market_admin_store_status(input jsonb) returns jsonb language plpgsql as $$
declare
  shop market_stores;
begin
  select * into shop from market_stores where id = (input->>'store_id')::uuid and deleted_at is null for update;
  if not found then
    perform app_error('not_found', 'Store not found');
  end if;
  if input->>'status' = 'active' then
    delete from market_store_deletions where store_id = shop.id;
  end if;
  update market_stores set status = input->>'status', updated_at = now() where id = shop.id;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'market.store.status', 'subject_kind',
    'market_store', 'subject_id', shop.id, 'reason', input->>'reason',
    'before', jsonb_build_object('status', shop.status), 'after', jsonb_build_object('status', input->>'status')));
  return jsonb_build_object('slug', shop.slug);
end $$;

-- Counts money into its day of Jakarta, for the store and for the market. The last thing that a transaction locks: the
-- market's row stands behind the market's own accounts, which every sale goes through anyway.
create or replace function market_count(store uuid, happened timestamptz, orders int, sales bigint, commission bigint,
  promo bigint) returns void language plpgsql as $$
declare
  scope uuid;
begin
  foreach scope in array array[store, '00000000-0000-0000-0000-000000000000'::uuid] loop
    insert into market_store_days as d (store_id, day, orders, sales, commission, promo)
      values (scope, (happened at time zone 'Asia/Jakarta')::date, market_count.orders, market_count.sales,
        market_count.commission, market_count.promo)
      on conflict on constraint market_store_days_pkey do update set orders = d.orders + excluded.orders,
        sales = d.sales + excluded.sales, commission = d.commission + excluded.commission, promo = d.promo + excluded.promo;
  end loop;
end $$;

-- market_admin_dashboard({days, recent, store_id}) returns {totals, series, recent_orders, recent_stores}
-- Revenue is what the market keeps: commission of delivered orders, less what refunds took back, less the promos that
-- it paid for. Orders of other marketplaces bring none. Reads a row a day, and the latest orders, however many there are.
create or replace function market_admin_dashboard(input jsonb) returns jsonb language sql stable as $$
  with given as (
    select coalesce((input->>'store_id')::uuid, '00000000-0000-0000-0000-000000000000') as scope,
      (now() at time zone 'Asia/Jakarta')::date as today, (input->>'days')::int as days
  ), known as (
    select d.* from market_store_days d, given g where d.store_id = g.scope
  )
  select jsonb_build_object('totals', market_admin_totals((input->>'store_id')::uuid)
      || (select jsonb_build_object('revenue', coalesce(sum(k.commission - k.promo), 0),
        'commission', coalesce(sum(k.commission), 0), 'promo', coalesce(sum(k.promo), 0),
        'sales', coalesce(sum(k.sales), 0), 'orders', coalesce(sum(k.orders), 0)) from known k),
    'series', (select jsonb_agg(jsonb_build_object('date', d::date, 'orders', coalesce(k.orders, 0),
        'sales', coalesce(k.sales, 0), 'commission', coalesce(k.commission, 0), 'promo', coalesce(k.promo, 0),
        'revenue', coalesce(k.commission - k.promo, 0)) order by d)
      from given g cross join lateral generate_series((g.today - (g.days - 1))::timestamp, g.today::timestamp, '1 day') d
      left join known k on k.day = d::date),
    'recent_orders', market_admin_recent_orders((input->>'store_id')::uuid, (input->>'recent')::int),
    'recent_stores', market_admin_recent_stores((input->>'store_id')::uuid, (input->>'recent')::int))
$$;

-- The latest orders of a store or (null) of the whole market, each way by its own index.
create or replace function market_admin_recent_orders(store uuid, most int) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'number', o.number, 'status', o.status, 'source', o.source,
      'total_amount', o.total_amount, 'buyer_name', u.name, 'store', jsonb_build_object('id', s.id, 'name', s.name,
        'slug', s.slug), 'created_at', market_iso(o.created_at)) order by o.created_at desc, o.id desc), '[]')
  from ((select x.* from market_orders x where store is null order by x.created_at desc, x.id desc limit most)
    union all
    (select x.* from market_orders x where x.store_id = store order by x.created_at desc, x.id desc limit most)) o
  join market_stores s on s.id = o.store_id join identity_users u on u.id = o.buyer_id
$$;

-- The stores that were opened last, or (not null) the one store.
create or replace function market_admin_recent_stores(store uuid, most int) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'slug', s.slug, 'status', s.status,
      'owner_name', u.name, 'created_at', market_iso(s.created_at)) order by s.created_at desc, s.id desc), '[]')
  from (select x.* from market_stores x where x.deleted_at is null and (store is null or x.id = store)
    order by x.created_at desc, x.id desc limit most) s
  join identity_users u on u.id = s.user_id
$$;

-- What there is now, of a store or (null) of the whole market.
create or replace function market_admin_totals(store uuid) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'open_orders', (select count(*) from market_orders o
      where o.status in ('pending', 'paid', 'processing', 'shipped') and (store is null or o.store_id = store)),
    'stores', (select count(*) from market_stores s where s.deleted_at is null and (store is null or s.id = store)),
    'products', (select count(*) from market_products x where x.status = 'active' and x.deleted_at is null
      and (store is null or x.store_id = store)),
    'users', (select count(*) from identity_users u where u.deleted_at is null and store is null),
    'open_payouts', (select count(*) from market_payouts y where y.state in ('requested', 'approved') and store is null))
$$;
