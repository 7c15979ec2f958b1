-- How listings get into step. One job at a time, the pump, works the dirty listings of a shop off, in chunks that it
-- claims; runs only watch. Guarantees, from any number of connections at once: a listing is claimed by one holder, a
-- record of another claim changes nothing, and what changed while it was worked on stays dirty.

-- market_marketplace_sync({run_id, user_id, platform, product_ids: [] | null, most}) returns {run, wake}
-- Puts products of the actor's store (null: all that are on sale) to work and notes them as one run. `fresh` are those
-- that were not there before, as far as we know: what the run finds out is added when it is recorded.
create or replace function market_marketplace_sync(input jsonb) returns jsonb language plpgsql as $$
declare
  c record;
  run constant uuid := (input->>'run_id')::uuid;
  chosen uuid[];
  foreign_ids jsonb;
begin
  select k.id, k.store_id, k.status, k.status_reason into c
    from market_connections k join market_stores s on s.id = k.store_id and s.deleted_at is null
    where s.user_id = (input->>'user_id')::bigint and k.platform = input->>'platform' for no key update of k;
  if not found or c.status = 'disconnected' then
    perform app_error('invalid_input', (input->>'platform') || ' belum terhubung');
  elsif c.status = 'error' then
    perform app_error('invalid_input', (input->>'platform') || ' perlu dihubungkan ulang: ' || c.status_reason);
  end if;
  if jsonb_typeof(input->'product_ids') = 'array' then
    select jsonb_agg(w.id) into foreign_ids from jsonb_array_elements_text(input->'product_ids') w(id)
      where not exists (select from market_products p where p.id = w.id::uuid and p.store_id = c.store_id
        and (p.deleted_at is null or exists (select from market_listings l
          where l.product_id = p.id and l.connection_id = c.id)));
    if foreign_ids is not null then
      perform app_error('not_found', 'Produk tidak ditemukan', jsonb_build_object('product_ids', foreign_ids));
    end if;
    select array_agg(distinct w.id::uuid) into chosen from jsonb_array_elements_text(input->'product_ids') w(id);
  else
    select array_agg(p.id) into chosen from market_products p
      where p.store_id = c.store_id and p.status = 'active' and p.deleted_at is null;
  end if;
  if chosen is null then
    perform app_error('invalid_input', 'Tidak ada produk untuk disinkronkan');
  elsif cardinality(chosen) > (input->>'most')::int then
    perform app_error('invalid_input', format('Maksimal %s produk sekali sinkron', input->>'most'));
  end if;
  perform from market_products p where p.id = any (chosen) order by p.id for key share;
  insert into market_sync_runs (id, connection_id, requested_by) values (run, c.id, (input->>'user_id')::bigint);
  with prior as (
    select l.product_id, l.wanted and (l.item_id is not null or l.sync_status <> 'error') as was_there
    from market_listings l where l.connection_id = c.id and l.product_id = any (chosen)
  ), noted as (
    insert into market_listings as l (product_id, connection_id, verify)
    select w, c.id, true from unnest(chosen) w order by w
    on conflict on constraint market_listings_product_key do update
      set changes = l.changes + 1, dirty = true, wanted = true, verify = true, sync_status = 'pending', attempts = 0,
        retry_at = market_marketplace_not_before(l.retry_at, l.doubt_at), updated_at = now()
    returning l.id, l.product_id, l.changes
  )
  insert into market_sync_items (run_id, listing_id, changes, fresh)
    select run, n.id, n.changes, not coalesce(p.was_there, false) from noted n left join prior p using (product_id);
  return jsonb_build_object('run', market_marketplace_run(run),
    'wake', jobs_wakes(market_marketplace_pump(c.id, now())));
end $$;

-- Whether a store's changes are pushed: unless an admin has switched its syncing off. What a closed or deleted store has
-- on sale elsewhere comes off the shelf all the same; nothing else is pushed of one.
create or replace function market_marketplace_pushes(store uuid) returns boolean language sql stable as $$
  select market_feature_on(store, 'marketplace_sync')
    or exists (select from market_stores s where s.id = store and (s.deleted_at is not null or s.status <> 'active'))
$$;

-- Whether a shop's pump of that number is at work, or will be at that moment. Volatile: it sees what committed until now.
create or replace function market_marketplace_has_pump(connection uuid, seq int, wanted_at timestamptz) returns boolean
language sql volatile as $$
  select exists (select from jobs j where j.dedupe_key = format('market.listings/%s/%s', connection, seq)
    and (j.state = 'running' or j.state in ('queued', 'unknown') and j.run_at <= wanted_at + interval '1 second'))
$$;

-- Sees to it that a shop has a pump that runs at `wanted_at` or sooner, and one only: a newer one makes an older one do
-- nothing. The caller holds no listing of the shop, or the shop's row before them. Null: there is one, or the admin has
-- switched the store's syncing off; what changes meanwhile stays marked.
create or replace function market_marketplace_pump(connection uuid, wanted_at timestamptz) returns jsonb
language plpgsql as $$
declare
  c record;
begin
  select k.id, k.store_id, k.status, k.pump_seq, k.pump_idle into c from market_connections k
    where k.id = connection for no key update;
  if c.status is distinct from 'connected' or not market_marketplace_pushes(c.store_id) then
    return null;
  end if;
  if not c.pump_idle and market_marketplace_has_pump(connection, c.pump_seq, wanted_at) then
    return null;
  end if;
  update market_connections set pump_seq = c.pump_seq + 1, pump_idle = false where id = connection;
  return jobs_enqueue('market.listings', 'marketplace-sync',
    format('market.listings/%s/%s', connection, c.pump_seq + 1),
    jsonb_build_object('connection_id', connection, 'seq', c.pump_seq + 1), wanted_at);
end $$;

-- market_marketplace_pumps({store_id?, most?}) returns {wake, has_shops}
-- Starts the pumps of shops (of one store, or of all) that have something to do and none: after a change that no run
-- asked for, or when a pump was lost. Those whose pump seems to be at work come last, for they may take every place of a
-- round, and are looked at all the same: it may be lying down just now.
create or replace function market_marketplace_pumps(input jsonb) returns jsonb language plpgsql as $$
declare
  wakes jsonb[];
begin
  select array_agg(market_marketplace_pump(d.id, now())) into wakes from (
    select due.id from (
      select c.id from market_connections c
      where c.status = 'connected' and coalesce(c.store_id = (input->>'store_id')::uuid, true)
        and coalesce(c.blocked_until <= now(), true) and market_marketplace_pushes(c.store_id)
        and exists (select from market_listings l where l.connection_id = c.id and l.dirty
          and coalesce(l.retry_at <= now(), true) and coalesce(l.claim_until <= now(), true))
      order by not c.pump_idle and market_marketplace_has_pump(c.id, c.pump_seq, now()), c.id
      limit coalesce((input->>'most')::int, 200)) due
    -- The order of their locks.
    order by due.id) d;
  return jsonb_build_object('wake', jobs_wakes(variadic coalesce(wakes, '{}')),
    'has_shops', exists (select from market_connections c where c.store_id = (input->>'store_id')::uuid
      and c.status = 'connected'));
end $$;

-- market_marketplace_claim({connection_id, seq, claim_id, seconds, most, most_known}) returns [{listing, product, …}] | null
-- The next listings to work on, each with the product as it is after the claim: a change that commits later makes the
-- listing dirty again. Listings that the shop has come first and by themselves, many at once: a price that changed
-- does not wait for a thousand new products. `unmade`: surely nobody has tried to put it up there. Null: this pump has
-- been replaced, or the admin has switched the store's syncing off: what is dirty stays so, and is worked on when it is
-- on again.
create or replace function market_marketplace_claim(input jsonb) returns jsonb language plpgsql as $$
declare
  claimed uuid[];
  unmade uuid[];
  is_known boolean;
  works jsonb;
begin
  if not exists (select from market_connections c where c.id = (input->>'connection_id')::uuid
      and c.status = 'connected' and c.pump_seq = (input->>'seq')::int
      and market_marketplace_pushes(c.store_id)) then
    return null;
  end if;
  for is_known in select * from (values (true), (false)) v loop
    with due as (
      select l.id, l.item_id is null and l.claim_id is null and l.doubt_at is null as is_unmade from market_listings l
      where l.connection_id = (input->>'connection_id')::uuid and l.dirty
        and (l.item_id is not null and not l.verify) = is_known
        and (l.retry_at is null or l.retry_at <= now()) and (l.claim_until is null or l.claim_until <= now())
      order by l.id
      limit (case when is_known then input->>'most_known' else input->>'most' end)::int
      for no key update skip locked
    ), taken as (
      update market_listings l set claim_id = (input->>'claim_id')::uuid,
          claim_until = now() + make_interval(secs => (input->>'seconds')::int)
      from due where l.id = due.id
      returning l.id, due.is_unmade
    )
    select array_agg(taken.id), array_agg(taken.id) filter (where taken.is_unmade) into claimed, unmade from taken;
    exit when claimed is not null;
  end loop;
  select coalesce(jsonb_agg(market_marketplace_work(l.id)
      || jsonb_build_object('unmade', l.id = any (coalesce(unmade, '{}'))) order by l.id), '[]') into works
    from market_listings l where l.id = any (claimed);
  perform market_marketplace_about_to_send((input->>'claim_id')::uuid, works);
  return works;
end $$;

-- What is about to be sent is not known to be there until its holder says so: if he dies half-way it is sent again,
-- also where the product is by then what it was before. A listing with no known content is gone over as a whole.
create or replace function market_marketplace_about_to_send(holder uuid, works jsonb) returns void language sql as $$
  update market_listings l set
      pushed_price = case when not t.new_price then l.pushed_price end,
      pushed_stock = case when not t.new_stock then l.pushed_stock end,
      pushed_content = case when not t.new_content then l.pushed_content end
    from jsonb_array_elements(works) w cross join lateral (select
      w.value->'pushed_price' <> w.value#>'{product,price}' as new_price,
      w.value->'pushed_stock' <> w.value#>'{product,stock}' or not (w.value#>>'{product,on_sale}')::boolean as new_stock,
      w.value->'pushed_content' <> w.value->'content' or w.value->'shown' <> w.value#>'{product,on_sale}' as new_content) t
    where l.id = (w.value->>'id')::uuid and l.claim_id = holder and (t.new_price or t.new_stock or t.new_content)
$$;

-- One listing with all that it should show. `content` is the digest of what an update would send.
create or replace function market_marketplace_work(listing uuid) returns jsonb language sql volatile as $$
  select w.work || jsonb_build_object('content', md5(((w.work->'product') - '{price,stock,on_sale}'::text[])::text
    || coalesce(w.work->>'mapping', '')))
  from market_listings l
  join market_connections c on c.id = l.connection_id
  join market_products p on p.id = l.product_id
  join market_stores s on s.id = p.store_id
  left join market_categories k on k.id = p.category_id
  left join market_category_mappings m on m.connection_id = c.id and m.category_id is not distinct from p.category_id
  cross join lateral (select jsonb_build_object(
    'id', l.id, 'changes', l.changes, 'item_id', l.item_id, 'sku_id', l.sku_id, 'shown', l.shown, 'verify', l.verify,
    'wanted', l.wanted, 'reason', l.reason,
    'pushed_price', l.pushed_price, 'pushed_stock', l.pushed_stock, 'pushed_content', l.pushed_content,
    'remote_category_id', l.remote_category_id, 'attempts', l.attempts,
    'doubt_seconds', extract(epoch from now() - l.doubt_at),
    'product', jsonb_build_object('id', p.id, 'name', p.name, 'description', p.description, 'price', p.price,
      'stock', p.stock - p.reserved, 'weight_gram', p.weight_gram, 'category', k.name,
      'on_sale', l.wanted and p.status = 'active' and p.deleted_at is null and s.status = 'active' and s.deleted_at is null,
      'images', (select coalesce(jsonb_agg(i.url order by i.is_primary desc, i.sort_order, i.id), '[]')
        from market_product_images i where i.product_id = p.id)),
    'refs', (select coalesce(jsonb_object_agg(g.url, g.ref), '{}') from market_product_images i
      join market_listing_images g on g.connection_id = c.id and g.url = i.url where i.product_id = p.id),
    'mapping', case when m.id is not null then jsonb_build_object('category_id', m.remote_category_id,
      'brand', m.brand, 'attributes', m.attributes, 'size_cm', m.size_cm) end) as work) w
  where l.id = listing
$$;

-- market_marketplace_record({connection_id, claim_id, results: [{id, changes, outcome: synced | failed | retry |
--   release, reason?, after_ms?, doubt?, was_live?, was_there?, item_id?, sku_id?, remote_category_id?, shown?, price?, stock?,
--   content?}]})
-- returns {recorded}. What is told about a listing holds whatever the outcome (a price may have gone through and the
-- stock not). `synced` ends it unless the product has changed since the claim; `failed` waits for the seller, and is tried
-- again besides where `after_ms` is told. What has changed since is tried at once, a creation in doubt after its pause.
create or replace function market_marketplace_record(input jsonb) returns jsonb language plpgsql as $$
declare
  recorded int;
begin
  perform from market_connections c where c.id = (input->>'connection_id')::uuid for no key update;
  perform from market_listings l where l.claim_id = (input->>'claim_id')::uuid
    and l.id in (select (r->>'id')::uuid from jsonb_array_elements(input->'results') r)
    order by l.product_id, l.id for no key update;
  with told as (
    select (r->>'id')::uuid as id, (r->>'changes')::int as changes, r->>'outcome' as outcome, r as what,
      (r->>'after_ms')::float8 as after_ms
    from jsonb_array_elements(input->'results') r
  ), done as (
    update market_listings l set
        item_id = case when t.what ? 'item_id' then t.what->>'item_id' else l.item_id end,
        sku_id = case when t.what ? 'item_id' then t.what->>'sku_id' else l.sku_id end,
        remote_category_id = coalesce(t.what->>'remote_category_id', l.remote_category_id),
        shown = coalesce((t.what->>'shown')::boolean, l.shown),
        pushed_price = case when t.what ? 'price' then (t.what->>'price')::bigint else l.pushed_price end,
        -- Forgotten since the claim: the shop has sold meanwhile, perhaps after the push.
        pushed_stock = case when l.pushed_stock is null and l.changes <> t.changes then null
          when t.what ? 'stock' then (t.what->>'stock')::int else l.pushed_stock end,
        pushed_content = case when t.what ? 'content' then t.what->>'content' else l.pushed_content end,
        dirty = t.outcome in ('retry', 'release') or t.after_ms is not null or l.changes <> t.changes,
        verify = l.verify and (t.outcome <> 'synced' or l.changes <> t.changes),
        sync_status = case when t.outcome in ('retry', 'release') then l.sync_status
          when l.changes <> t.changes then 'pending'
          when t.outcome = 'synced' then 'synced' else 'error' end,
        reason = case t.outcome when 'release' then l.reason else t.what->>'reason' end,
        attempts = case when t.outcome = 'retry' then l.attempts + 1
          when t.outcome = 'release' or t.after_ms is not null then l.attempts else 0 end,
        retry_at = case when l.changes = t.changes or l.doubt_at is not null or (t.what->>'doubt')::boolean
          then now() + make_interval(secs => t.after_ms / 1000) end,
        doubt_at = case when (t.what->>'doubt')::boolean then now()
          when t.outcome = 'release' or (t.after_ms is not null and not t.what ? 'item_id') then l.doubt_at end,
        last_synced_at = case t.outcome when 'synced' then now() else l.last_synced_at end,
        claim_id = null, claim_until = null, updated_at = now()
    from told t
    where l.id = t.id and l.claim_id = (input->>'claim_id')::uuid
    returning l.id, t.changes, t.outcome, t.what->>'reason' as reason, t.what->'was_live' = 'false' as was_off,
      coalesce((t.what->>'was_there')::boolean, false) as was_there
  ), ended as (
    update market_sync_items i set fresh = (i.fresh or coalesce(d.was_off, false)) and not d.was_there,
      outcome = case when d.outcome in ('synced', 'failed') then d.outcome end,
      reason = case when d.outcome in ('synced', 'failed') then d.reason end,
      finished_at = case when d.outcome in ('synced', 'failed') then now() end
    from done d
    where i.listing_id = d.id and i.outcome is null and i.changes <= d.changes
      and (d.outcome in ('synced', 'failed') or d.was_off or d.was_there)
    returning d.outcome
  ), seen as (
    update market_connections c set last_sync_at = now()
    where c.id = (input->>'connection_id')::uuid and exists (select from done where done.outcome = 'synced')
    returning c.id
  )
  select count(*) into recorded from done;
  return jsonb_build_object('recorded', recorded);
end $$;

-- market_marketplace_pump_end({connection_id, seq}) returns {wake}
-- A pump hands over to the next one at the moment when there is something to do again, or lies down. Both are decided
-- under the shop's row, so that what becomes dirty meanwhile finds either a pump at work or none.
create or replace function market_marketplace_pump_end(input jsonb) returns jsonb language plpgsql as $$
declare
  c record;
  next_at timestamptz;
begin
  select k.id, k.status, k.blocked_until into c from market_connections k
    where k.id = (input->>'connection_id')::uuid and k.pump_seq = (input->>'seq')::int for no key update;
  if not found then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  update market_connections set pump_idle = true where id = c.id;
  select min(greatest(coalesce(l.retry_at, now()), coalesce(l.claim_until, now()), coalesce(c.blocked_until, now())))
    into next_at from market_listings l where l.connection_id = c.id and l.dirty;
  return jsonb_build_object('wake', jobs_wakes(case when next_at is not null
    then market_marketplace_pump(c.id, next_at) end));
end $$;
