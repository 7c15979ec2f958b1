-- market_checkout(input) returns jsonb
-- One buyer's order at one store, in one transaction: the idempotency key is claimed, stock and promo use are taken
-- by conditional writes (so that neither can be given twice), every amount is computed from the rows, and the
-- payment is opened. Either all of it stands or nothing. A repeat with the same key answers with the first order.
-- input: {order_id, number, buyer_id, store_id, items: [{product_id, quantity}], promo_code, address,
--         courier: {courier_code, courier_service_code}, quote, commission_percent, tax_basis_points, expiry_minutes, idempotency_key,
--         input_hash}. `quote` is a rate that we vouch for: {store_id, origin_area_id, destination_area_id,
--         weight_gram, price, expires_at, courier}. Without one, `courier` stands for the rate that the buyer was
--         shown; was he shown none, the answer is {parcel} to be priced, and nothing has been claimed or reserved.
create or replace function market_checkout(input jsonb) returns jsonb language plpgsql as $$
declare
  buyer bigint := (input->>'buyer_id')::bigint;
  quote jsonb := coalesce(nullif(input->'quote', 'null'), market_shown_quote(input));
  earlier text;
  order_key uuid;
  shop market_stores;
  goods record;
  promo record;
  opened jsonb;
  shipping bigint := (quote->>'price')::bigint;
  expires timestamptz := now() + make_interval(mins => (input->>'expiry_minutes')::int);
begin
  if quote is null and not exists (select from http_idempotency_keys k where k.user_id = buyer
      and k.key = input->>'idempotency_key' and k.created_at >= now() - interval '24 hours') then
    return jsonb_build_object('parcel', market_parcel_to_price(input));
  end if;
  earlier := http_claim(buyer, input->>'idempotency_key', 'market.order', input->>'input_hash', input->>'order_id');
  order_key := coalesce(earlier, input->>'order_id');
  if earlier is not null then
    return market_checkout_answer(order_key);
  end if;
  -- From here on it is not closed or deleted. Lock order: market_locks.sql.
  perform market_store_hold((input->>'store_id')::uuid);
  shop := market_store_for_sale(input);
  perform market_require_quote(shop, input, quote);
  goods := market_reserve(shop.id, input->'items');
  if goods.weight_gram > (quote->>'weight_gram')::bigint then
    perform app_error('changed', 'Berat pesanan berubah. Silakan hitung ulang ongkos kirim.');
  end if;
  promo := market_use_promo(shop.id, input->>'promo_code', goods.subtotal);
  if goods.subtotal - promo.discount + shipping = 0 then
    perform app_error('promo_refused', 'Kode promo ini tidak dapat dipakai: tidak ada yang tersisa untuk dibayar');
  end if;
  insert into market_orders (id, number, buyer_id, store_id, promo_code_id, subtotal_amount, discount_amount,
      shipping_amount, total_amount, commission_amount, discount_paid_by, tax_basis_points, shipping_address,
      courier, weight_gram, expires_at)
    values (order_key, input->>'number', buyer, shop.id, promo.id, goods.subtotal, promo.discount,
      shipping, goods.subtotal - promo.discount + shipping,
      (goods.subtotal - case promo.paid_by when 'store' then promo.discount else 0 end)
        * (input->>'commission_percent')::bigint / 100,
      promo.paid_by, coalesce((input->>'tax_basis_points')::int, 0), input->'address', quote->'courier',
      goods.weight_gram, expires);
  insert into market_order_items (order_id, product_id, name, image_url, quantity, unit_price, subtotal, weight_gram)
    select order_key, p.id, p.name, market_product_image(p.id), i.quantity, p.price, p.price * i.quantity, p.weight_gram
    from jsonb_to_recordset(input->'items') as i(product_id uuid, quantity int)
    join market_products p on p.id = i.product_id;
  opened := payments_open('market_order', order_key::text, buyer, 'midtrans',
    goods.subtotal - promo.discount + shipping, expires, '{qris,snap}',
    (select email from identity_users where id = buyer));
  update market_orders set payment_id = (opened->>'intent_id')::uuid, tax_exempt_amount = market_exempt(order_key)
    where id = order_key;
  delete from market_cart_items c using jsonb_to_recordset(input->'items') as i(product_id uuid)
    where c.user_id = buyer and c.product_id = i.product_id;
  return market_checkout_answer(order_key) || jsonb_build_object('few_left', exists (
    select from market_order_items i join market_products p on p.id = i.product_id
    where i.order_id = order_key and market_stock_shown(p.stock - p.reserved) <= 5), 'listed', exists (
    select from market_order_items i join market_listings l on l.product_id = i.product_id
    where i.order_id = order_key and l.dirty));
end $$;

-- What the lines of an order weigh and are worth as one parcel of a store.
create or replace function market_parcel(shop uuid, items jsonb, out weight_gram bigint, out value bigint)
language sql stable as $$
  select coalesce(sum(greatest(p.weight_gram, 1)::bigint * i.quantity), 0), coalesce(sum(p.price * i.quantity), 0)
  from jsonb_to_recordset(items) as i(product_id uuid, quantity int)
  join market_products p on p.id = i.product_id and p.store_id = shop
$$;

-- The rate of the courier and service that an order names, as its buyer was last shown it: from where the store is now
-- to the order's district, for exactly the order's weight, and not run out. Null where there is none.
create or replace function market_shown_quote(input jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('store_id', q.store_id, 'origin_area_id', q.origin_area_id,
    'destination_area_id', q.destination_area_id, 'weight_gram', q.weight_gram, 'expires_at', q.expires_at,
    'price', r->'price', 'courier', r - 'price')
  from market_shipping_quotes q
  join market_stores s on s.id = q.store_id and s.area_id = q.origin_area_id
  cross join jsonb_array_elements(q.rates) r
  where q.buyer_id = (input->>'buyer_id')::bigint and q.store_id = (input->>'store_id')::uuid
    and q.destination_area_id = input->'address'->>'area_id' and q.expires_at > now()
    and q.weight_gram = (select weight_gram from market_parcel(q.store_id, input->'items'))
    and r @> (input->'courier')
  order by (r->>'price')::bigint
  limit 1
$$;

-- What a courier must know to price an order: {store_id, origin_area_id, is_located, couriers, weight_gram, value}.
create or replace function market_parcel_to_price(input jsonb) returns jsonb language plpgsql stable as $$
declare
  shop market_stores := market_store_for_sale(input);
  parcel record := market_parcel(shop.id, input->'items');
begin
  if parcel.weight_gram < 1 then
    perform app_error('not_found', 'Produk tidak ditemukan di toko ini');
  end if;
  return jsonb_build_object('store_id', shop.id, 'origin_area_id', shop.area_id, 'couriers', shop.shipping_couriers,
    'is_located', shop.lat is not null and shop.lng is not null, 'weight_gram', parcel.weight_gram, 'value', parcel.value);
end $$;

-- The store that sells: active, not the buyer's own, and one that a courier can fetch from.
create or replace function market_store_for_sale(input jsonb) returns market_stores language plpgsql stable as $$
declare
  shop market_stores;
begin
  select * into shop from market_stores
    where id = (input->>'store_id')::uuid and status = 'active' and deleted_at is null;
  if not found then
    perform app_error('not_found', 'Toko tidak ditemukan');
  end if;
  if shop.user_id = (input->>'buyer_id')::bigint then
    perform app_error('conflict', 'Anda tidak dapat membeli dari toko sendiri');
  end if;
  if shop.phone is null or shop.address is null or shop.area_id is null then
    perform app_error('conflict', 'Toko belum mengatur alamat pengiriman');
  end if;
  return shop;
end $$;

-- Refuses a quote that has run out, of another parcel than from where this store is to where the order goes, or of a
-- courier that the store hands nothing to any more (it names none where it takes any).
create or replace function market_require_quote(shop market_stores, input jsonb, quote jsonb) returns void
language plpgsql as $$
begin
  if (quote->>'expires_at')::timestamptz < now() then
    perform app_error('changed', 'Ongkos kirim sudah kedaluwarsa. Silakan hitung ulang.');
  end if;
  if shop.id is distinct from (quote->>'store_id')::uuid
    or shop.area_id is distinct from quote->>'origin_area_id'
    or input->'address'->>'area_id' is distinct from quote->>'destination_area_id' then
    perform app_error('changed', 'Alamat kirim berubah. Silakan hitung ulang ongkos kirim.');
  end if;
  if cardinality(shop.shipping_couriers) > 0
    and (quote->'courier'->>'courier_code' = any (shop.shipping_couriers)) is not true then
    perform app_error('changed', 'Kurir ini tidak lagi dilayani toko. Silakan hitung ulang ongkos kirim.');
  end if;
end $$;

-- Reserves every line or none. Rows are locked in id order, so that two carts cannot wait for each other, and the
-- check constraint (reserved <= stock) stands behind the condition.
create or replace function market_reserve(shop uuid, items jsonb, out subtotal bigint, out weight_gram int)
language plpgsql as $$
declare
  refused jsonb;
  -- Sums in bigint: a heavy product by the thousand is more than an int, and no parcel.
  gram bigint;
begin
  perform 1 from market_products p
    where p.id in (select (i->>'product_id')::uuid from jsonb_array_elements(items) i)
    order by p.id for no key update;
  select jsonb_agg(i.product_id) into refused
    from jsonb_to_recordset(items) as i(product_id uuid, quantity int)
    left join market_products p on p.id = i.product_id and p.store_id = shop and p.status = 'active'
      and p.deleted_at is null
    where p.id is null;
  if refused is not null then
    perform app_error('not_found', 'Produk tidak ditemukan di toko ini', jsonb_build_object('product_ids', refused));
  end if;
  select jsonb_agg(jsonb_build_object('product_id', p.id, 'name', p.name, 'available', p.stock - p.reserved))
    into refused
    from jsonb_to_recordset(items) as i(product_id uuid, quantity int)
    join market_products p on p.id = i.product_id
    where p.stock - p.reserved < i.quantity;
  if refused is not null then
    perform app_error('sold_out', 'Stok ' || (refused->0->>'name') || ' tidak mencukupi',
      jsonb_build_object('products', refused));
  end if;
  update market_products p set reserved = p.reserved + i.quantity
    from jsonb_to_recordset(items) as i(product_id uuid, quantity int)
    where p.id = i.product_id;
  select sum(p.price * i.quantity), sum(greatest(p.weight_gram, 1)::bigint * i.quantity) into subtotal, gram
    from jsonb_to_recordset(items) as i(product_id uuid, quantity int)
    join market_products p on p.id = i.product_id;
  if gram > 1000000 then
    perform app_error('invalid_input', 'Berat pesanan melebihi 1.000 kg');
  end if;
  weight_gram := gram;
end $$;

-- Takes one use of a promo by a conditional update: with one use left, one of many wins.
create or replace function market_use_promo(shop uuid, promo_code text, subtotal bigint, out id uuid,
  out discount bigint, out paid_by text) language plpgsql as $$
declare
  promo market_promo_codes;
begin
  discount := 0;
  paid_by := 'store';
  if coalesce(promo_code, '') = '' then
    return;
  end if;
  update market_promo_codes p set used_count = p.used_count + 1
    where p.code = upper(promo_code) and (p.store_id = shop or p.store_id is null) and p.is_active
      and p.deleted_at is null and now() >= p.starts_at and now() < p.ends_at and p.min_purchase <= subtotal
      and (p.max_uses is null or p.used_count < p.max_uses)
    returning * into promo;
  if not found then
    perform market_refuse_promo(shop, promo_code, subtotal);
  end if;
  id := promo.id;
  paid_by := case when promo.store_id is null then 'platform' else 'store' end;
  discount := case promo.type when 'percentage' then subtotal * promo.value / 100
    else least(promo.value, subtotal) end;
end $$;

-- Says why a promo does not apply, in words that the buyer can act on.
create or replace function market_refuse_promo(shop uuid, promo_code text, subtotal bigint) returns void
language plpgsql as $$
declare
  promo market_promo_codes;
begin
  select * into promo from market_promo_codes p
    where p.code = upper(promo_code) and (p.store_id = shop or p.store_id is null) and p.is_active
      and p.deleted_at is null;
  perform app_error('promo_refused', case
    when not found then 'Kode promo tidak berlaku di toko ini'
    when now() < promo.starts_at then 'Kode promo belum berlaku'
    when now() >= promo.ends_at then 'Kode promo sudah berakhir'
    when promo.min_purchase > subtotal
      then 'Belanja minimal Rp ' || replace(to_char(promo.min_purchase, 'FM999,999,999,999'), ',', '.')
        || ' untuk kode promo ini'
    else 'Kode promo sudah habis digunakan' end);
end $$;

-- The picture that stands for a product: the primary one, else the first.
create or replace function market_product_image(product uuid) returns text language sql stable as $$
  select url from market_product_images where product_id = product order by is_primary desc, sort_order, id limit 1
$$;

-- What the caller of a checkout needs next: the amounts and the charges to start (or their recorded outcome).
create or replace function market_checkout_answer(order_key uuid) returns jsonb language plpgsql stable as $$
begin
  return (select jsonb_build_object(
    'order_id', o.id, 'number', o.number, 'status', o.status, 'total_amount', o.total_amount,
    'discount_amount', o.discount_amount, 'shipping_amount', o.shipping_amount, 'store_slug', s.slug,
    'items', (select jsonb_agg(jsonb_build_object('id', i.product_id, 'name', i.name, 'price', i.unit_price,
        'quantity', i.quantity) order by i.id) from market_order_items i where i.order_id = o.id),
    'customer', jsonb_build_object('name', o.shipping_address->>'name', 'phone', o.shipping_address->>'phone',
      'email', u.email),
    'payment', payments_opened(o.payment_id))
  from market_orders o
  join market_stores s on s.id = o.store_id
  join identity_users u on u.id = o.buyer_id
  where o.id = order_key);
end $$;
