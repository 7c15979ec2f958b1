-- Orders that other marketplaces took. They hold our stock like any other order; their money goes from the marketplace
-- to the seller and never through this ledger, so nothing here books, charges commission or pays out.

-- market_marketplace_order({connection_id, shop_id, order: {id, status, status_text, created_at, updated_at, lines: [{line_id,
--   sku, item_id, sku_id, name, quantity, price, status}]}}) returns {state: taken | old | before, wake}
-- Brings what the order holds to what its platform says of it now. Taking the same news in again, or older news after
-- newer, changes nothing: a line reserves once, leaves the shelf once and gives back once. A line that the stock does
-- not cover holds what is there; the rest is noted as short and the seller is told. A line of an unknown SKU is kept
-- with the reason and holds nothing.
create or replace function market_marketplace_order(input jsonb) returns jsonb language plpgsql as $$
declare
  told constant jsonb := input->'order';
  c record;
  known record;
  line record;
  moved uuid[];
  was_short int;
  now_short int;
begin
  select k.id, k.store_id, k.platform, k.orders_from, k.shop_id into c
    from market_connections k where k.id = (input->>'connection_id')::uuid;
  -- Platforms tell whole seconds, by clocks of their own.
  if (told->>'created_at')::timestamptz < c.orders_from - interval '1 minute' then
    return '{"state": "before", "wake": []}';
  end if;
  -- Of the shop that was here until a moment ago, it is as old as those that this shop told of before. The Worker of the
  -- release before does not say which shop told it.
  insert into market_channel_orders (connection_id, remote_id, status, created_at)
    values (c.id, told->>'id', 'unknown', case when c.shop_id is not distinct from coalesce(input->>'shop_id', c.shop_id) then now()
      else least(now(), c.orders_from - interval '1 second') end)
    on conflict do nothing;
  select o.id, o.status, o.order_id, o.remote_updated_at into known from market_channel_orders o
    where o.connection_id = c.id and o.remote_id = told->>'id' for no key update;
  if (told->>'updated_at')::timestamptz < known.remote_updated_at then
    return '{"state": "old", "wake": []}';
  end if;
  insert into market_channel_lines (channel_order_id, line_id, product_id, sku, name, quantity, unit_price, status,
      problem)
    select known.id, l.line_id, p.id, l.sku, l.name, l.quantity, l.price, 'unknown',
      case when p.id is null then 'SKU tidak dikenal: produk ini tidak dijual lewat toko Anda di sini' end
    from jsonb_to_recordset(told->'lines')
      as l(line_id text, sku text, item_id text, sku_id text, name text, quantity int, price bigint)
    cross join lateral (select market_marketplace_product(c.id, c.store_id, l.sku, l.item_id, l.sku_id) as id) p
    on conflict on constraint market_channel_lines_pkey do nothing;
  select coalesce(sum(l.short), 0) into was_short from market_channel_lines l where l.channel_order_id = known.id;
  perform market_store_hold(c.store_id);
  perform from market_products p where p.id in (
      select l.product_id from market_channel_lines l where l.channel_order_id = known.id)
    order by p.id for no key update;
  select array_agg(distinct l.product_id) into moved from market_channel_lines l
    join jsonb_to_recordset(told->'lines') as t(line_id text, status text, quantity int) on t.line_id = l.line_id
    where l.channel_order_id = known.id
      and (market_marketplace_rank(t.status) > market_marketplace_rank(l.status)
        or t.quantity < l.quantity and market_marketplace_rank(l.status) < 2);
  perform market_marketplace_recount(c.id, moved);
  for line in
    select l.line_id, t.status, t.quantity from market_channel_lines l
    join jsonb_to_recordset(told->'lines') as t(line_id text, status text, quantity int) on t.line_id = l.line_id
    where l.channel_order_id = known.id order by l.product_id, l.line_id
  loop
    perform market_marketplace_fewer(known.id, line.line_id, line.quantity);
    perform market_marketplace_line(known.id, line.line_id, line.status);
  end loop;
  update market_channel_orders set status = case when told->>'status' = 'unknown' then status else told->>'status' end,
      status_text = told->>'status_text', updated_at = now(),
      remote_updated_at = coalesce((told->>'updated_at')::timestamptz, remote_updated_at)
    where id = known.id;
  perform market_marketplace_shown_order(known.id);
  select coalesce(sum(l.short), 0) into now_short from market_channel_lines l where l.channel_order_id = known.id;
  return jsonb_build_object('state', 'taken', 'wake', jobs_wakes(case when now_short > was_short then
    market_marketplace_mail('marketplace_oversold', c.id, known.id::text, jsonb_build_object('number', told->>'id',
      'lines', (select jsonb_agg(jsonb_build_object('name', l.name, 'quantity', l.quantity, 'short', l.short)
        order by l.line_id) from market_channel_lines l where l.channel_order_id = known.id and l.short > 0))) end));
end $$;

-- Which of a store's products a line means: our SKU is the product's id; a listing that was known before is found by
-- the platform's own ids.
create or replace function market_marketplace_product(connection uuid, shop uuid, sku text, item text, variant text)
returns uuid language sql stable as $$
  select coalesce(
    (select p.id from market_products p where p.id::text = lower(sku) and p.store_id = shop),
    (select l.product_id from market_listings l where l.connection_id = connection and l.item_id = item
      and (l.sku_id = variant or l.sku_id is null or variant is null) limit 1))
$$;

-- One line moves to a status, forward only; its product is locked. Cancelled gives back what it holds, once; what came
-- back after delivery is for the seller to count.
create or replace function market_marketplace_line(order_key uuid, line text, told text) returns void
language plpgsql as $$
declare
  l record;
  rank_was int;
  rank_now int;
  pieces int;
begin
  select x.product_id, x.quantity, x.status, x.held, x.taken, x.short, p.stock - p.reserved as available into l
    from market_channel_lines x left join market_products p on p.id = x.product_id
    where x.channel_order_id = order_key and x.line_id = line;
  rank_was := market_marketplace_rank(l.status);
  rank_now := market_marketplace_rank(told);
  if rank_now <= rank_was then
    return;
  end if;
  if told = 'unpaid' and l.product_id is not null then
    pieces := greatest(0, least(l.quantity, l.available));
    update market_products set reserved = reserved + pieces where id = l.product_id and pieces > 0;
    update market_channel_lines set held = pieces, short = l.quantity - pieces
      where channel_order_id = order_key and line_id = line;
  elsif told in ('to_ship', 'shipped', 'delivered') and rank_was < 1 and l.product_id is not null then
    -- What it held leaves the shelf; what it did not hold (the order is news) is taken as far as it is there by now.
    pieces := l.held + greatest(0, least(l.quantity - l.held, l.available));
    update market_products set stock = stock - pieces, reserved = reserved - l.held
      where id = l.product_id and pieces > 0;
    update market_channel_lines set held = 0, taken = pieces, short = l.quantity - pieces
      where channel_order_id = order_key and line_id = line;
  elsif told = 'cancelled' and l.product_id is not null then
    -- A parcel that was under way comes back, or does not: its seller counts it.
    pieces := case when rank_was < 2 then l.taken else 0 end;
    update market_products set stock = stock + pieces, reserved = reserved - l.held
      where id = l.product_id and pieces + l.held > 0;
    update market_channel_lines set held = 0, taken = l.taken - pieces, short = 0
      where channel_order_id = order_key and line_id = line;
  end if;
  update market_channel_lines set status = told,
      problem = case when product_id is null then problem when short > 0 then 'Stok di sini kurang ' || short end
    where channel_order_id = order_key and line_id = line;
end $$;

-- A shop counts its own sales and cancellations down and up by itself, so what was pushed last is no longer what it
-- shows: the stock of these products is pushed again, whatever it is by then. Their rows are locked by the caller.
create or replace function market_marketplace_recount(connection uuid, products uuid[]) returns void language sql as $$
  with locked as (
    select l.id from market_listings l
    where l.connection_id = connection and l.product_id = any (products) and l.item_id is not null
    order by l.product_id, l.id for no key update
  )
  update market_listings l set pushed_stock = null, changes = l.changes + 1, dirty = true, updated_at = now(),
      sync_status = case l.sync_status when 'synced' then 'pending' else l.sync_status end,
      attempts = 0, retry_at = market_marketplace_not_before(l.retry_at, l.doubt_at)
    from locked where l.id = locked.id
$$;

-- A part of a line was cancelled before it was sent: what it held of us goes back, what it never held first. Its
-- product is locked.
create or replace function market_marketplace_fewer(order_key uuid, line text, wanted int) returns void
language plpgsql as $$
declare
  l record;
  gone int;
  from_held int;
begin
  select x.product_id, x.quantity, x.status, x.held, x.taken, x.short into l
    from market_channel_lines x where x.channel_order_id = order_key and x.line_id = line;
  if wanted < 1 or wanted >= l.quantity or market_marketplace_rank(l.status) >= 2 then
    return;
  end if;
  gone := greatest(0, l.quantity - wanted - l.short);
  from_held := least(l.held, gone);
  gone := least(l.taken, gone - from_held);
  update market_products set stock = stock + gone, reserved = reserved - from_held
    where id = l.product_id and gone + from_held > 0;
  update market_channel_lines set quantity = wanted, held = held - from_held, taken = taken - gone,
      short = greatest(0, short - (l.quantity - wanted))
    where channel_order_id = order_key and line_id = line;
end $$;

create or replace function market_marketplace_rank(status text) returns int language sql immutable as $$
  select case status when 'unpaid' then 0 when 'to_ship' then 1 when 'shipped' then 2 when 'delivered' then 3
    when 'cancelled' then 9 when 'returned' then 9 else -1 end
$$;

-- The order as the store's own list shows it (`source: marketplace`), with the lines that are its products. It has no
-- payment, parcel or commission of ours, and a stand-in for its buyer, whom the marketplace keeps to itself.
create or replace function market_marketplace_shown_order(channel_order uuid) returns void language plpgsql as $$
declare
  o record;
  order_key uuid;
  next_status text;
  total bigint;
begin
  select x.id, x.order_id, x.remote_id, x.status, c.platform, c.store_id into o
    from market_channel_orders x join market_connections c on c.id = x.connection_id where x.id = channel_order;
  next_status := case o.status when 'unpaid' then 'pending' when 'to_ship' then 'paid' when 'shipped' then 'shipped'
    when 'delivered' then 'delivered' when 'cancelled' then 'cancelled' when 'returned' then 'refunded' end;
  select sum(i.price * i.quantity) into total from market_marketplace_items(o.id) i;
  if next_status is null or total is null then
    return;
  end if;
  order_key := coalesce(o.order_id, gen_random_uuid());
  if o.order_id is null then
    insert into market_orders (id, number, buyer_id, store_id, status, subtotal_amount, shipping_amount, total_amount,
        commission_amount, payment_method, source, shipping_address, courier, weight_gram, expires_at)
      values (order_key, market_marketplace_number(o.platform, o.remote_id), market_marketplace_buyer(o.platform),
        o.store_id, 'pending', total, 0, total, 0, o.platform, 'marketplace', '{}', '{}',
        (select coalesce(sum(p.weight_gram * i.quantity), 0)
          from market_marketplace_items(o.id) i join market_products p on p.id = i.product_id),
        now() + interval '30 days');
    perform market_marketplace_shown_items(o.id, order_key);
    update market_channel_orders set order_id = order_key where id = o.id;
  else
    update market_orders set subtotal_amount = total, total_amount = total, updated_at = now()
      where id = order_key and subtotal_amount <> total;
    perform market_marketplace_shown_items(o.id, order_key);
  end if;
  update market_orders set status = next_status, updated_at = now(),
      paid_at = case when next_status <> 'pending' and next_status <> 'cancelled' then coalesce(paid_at, now())
        else paid_at end,
      delivered_at = case next_status when 'delivered' then coalesce(delivered_at, now()) else delivered_at end,
      closed_at = case when next_status in ('cancelled', 'refunded') then coalesce(closed_at, now()) end,
      closed_reason = case when next_status in ('cancelled', 'refunded') then 'Dibatalkan di ' || initcap(o.platform) end
    where id = order_key and status <> next_status;
end $$;

-- Its lines in the store's list become what the platform says of them now.
create or replace function market_marketplace_shown_items(channel_order uuid, order_key uuid) returns void
language sql as $$
  delete from market_order_items i where i.order_id = order_key
    and i.product_id not in (select n.product_id from market_marketplace_items(channel_order) n);
  insert into market_order_items as i (order_id, product_id, name, image_url, quantity, unit_price, subtotal, weight_gram)
    select order_key, p.id, p.name, market_product_image(p.id), n.quantity, n.price, n.price * n.quantity, p.weight_gram
    from market_marketplace_items(channel_order) n join market_products p on p.id = n.product_id
    on conflict on constraint market_order_items_product_key do update set quantity = excluded.quantity,
      unit_price = excluded.unit_price, subtotal = excluded.subtotal
    where (i.quantity, i.unit_price) is distinct from (excluded.quantity, excluded.unit_price);
$$;

-- Two lines of one product, at two prices perhaps, are one line here, at the mean price in whole rupiah. Lines that were
-- cancelled or came back count no more while others live; an order that has ended shows what it was of.
create or replace function market_marketplace_items(channel_order uuid)
returns table (product_id uuid, quantity int, price bigint) language sql stable as $$
  select l.product_id, sum(l.quantity)::int, div(sum(l.unit_price * l.quantity), sum(l.quantity))::bigint
  from market_channel_lines l where l.channel_order_id = channel_order and l.product_id is not null
    and (l.status not in ('cancelled', 'returned') or not exists (select from market_channel_lines k
      where k.channel_order_id = channel_order and k.product_id is not null
        and k.status not in ('cancelled', 'returned')))
  group by l.product_id
$$;

create or replace function market_marketplace_number(platform text, remote_id text) returns text language sql stable as $$
  select case when exists (select from market_orders o where o.number = n.number)
    then n.number || '-' || left(gen_random_uuid()::text, 8) else n.number end
  from (select upper(platform) || '-' || remote_id as number) n
$$;

-- The account that stands for a platform's buyers. It has no password, no role and no address that mail could reach.
create or replace function market_marketplace_buyer(platform text) returns bigint language plpgsql as $$
declare
  stand_in bigint;
begin
  insert into identity_users (email, name, password_hash, roles)
    values (platform || '@marketplace.invalid', 'Pembeli ' || initcap(platform), '!', '{}')
    on conflict on constraint identity_users_email_key do nothing;
  select u.id into stand_in from identity_users u where u.email = platform || '@marketplace.invalid';
  return stand_in;
end $$;

-- market_marketplace_known_orders({connection_id, orders: [{id, status, updated_at}]}) returns [id]
-- Which of these have not been taken in as they are now.
create or replace function market_marketplace_known_orders(input jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(t.id order by t.id), '[]')
  from jsonb_to_recordset(input->'orders') as t(id text, status text, updated_at timestamptz)
  left join market_channel_orders o on o.connection_id = (input->>'connection_id')::uuid and o.remote_id = t.id
  where o.id is null or t.updated_at is null or o.remote_updated_at is distinct from t.updated_at
    or o.status <> t.status
$$;

-- market_marketplace_polls({every: {platform: seconds}, most}) returns {wake}
-- A poll of the orders of each shop whose turn it is.
create or replace function market_marketplace_polls(input jsonb) returns jsonb language plpgsql as $$
declare
  wakes jsonb[];
begin
  with due as (
    select c.id from market_connections c
    where c.status = 'connected' and coalesce(c.orders_polled_at <
      now() - make_interval(secs => (input->'every'->>c.platform)::float8), true)
    order by c.orders_polled_at nulls first
    limit (input->>'most')::int
    for no key update skip locked
  ), marked as (
    update market_connections c set orders_polled_at = now() from due where c.id = due.id
    returning c.id
  )
  select array_agg(jobs_enqueue('market.orders', 'marketplace-sync',
      format('market.orders/%s/%s', m.id, extract(epoch from now())::bigint),
      jsonb_build_object('connection_id', m.id), now(), 5)) into wakes from marked m;
  return jsonb_build_object('wake', jobs_wakes(variadic coalesce(wakes, '{}')));
end $$;
