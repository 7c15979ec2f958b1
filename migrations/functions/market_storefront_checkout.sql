-- market_storefront_promo(shop, code, subtotal) returns jsonb {discount} or {refusal}
-- What a promo code would take off now, without using it up; the refusal has the words that the checkout would use.
create or replace function market_storefront_promo(shop uuid, promo_code text, subtotal bigint)
returns jsonb language plpgsql stable as $$
declare
  promo market_promo_codes;
  words text;
begin
  if coalesce(promo_code, '') = '' then
    return jsonb_build_object('discount', 0);
  end if;
  select * into promo from market_promo_codes p
    where p.code = upper(promo_code) and (p.store_id = shop or p.store_id is null) and p.is_active
      and p.deleted_at is null and now() >= p.starts_at and now() < p.ends_at and p.min_purchase <= subtotal
      and (p.max_uses is null or p.used_count < p.max_uses);
  if found then
    return jsonb_build_object('discount', case promo.type when 'percentage' then subtotal * promo.value / 100
      else least(promo.value, subtotal) end);
  end if;
  perform market_refuse_promo(shop, promo_code, subtotal);
  return jsonb_build_object('discount', 0);
exception when sqlstate 'LB001' then
  get stacked diagnostics words = message_text;
  return jsonb_build_object('discount', 0, 'refusal', words);
end $$;

-- market_storefront_checkout({user_id, store_id, promo_code}) returns jsonb
--   {lines, left_out, subtotal, weight_gram, promo, address, person}
-- All that a checkout page shows before its buyer has typed anything: the lines of the cart that this store can
-- deliver now (and how many it cannot), a promo's worth, the address of the last order. Reads only.
create or replace function market_storefront_checkout(input jsonb) returns jsonb language plpgsql stable as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  shop uuid := (input->>'store_id')::uuid;
  goods record;
begin
  select coalesce(jsonb_agg(l order by l.added_at desc) filter (where l.orderable), '[]') as lines,
      count(*) filter (where not l.orderable) as left_out,
      coalesce(sum(l.price * l.quantity) filter (where l.orderable), 0)::bigint as subtotal,
      coalesce(sum(greatest(l.weight_gram, 1) * l.quantity) filter (where l.orderable), 0)::bigint as weight_gram
    into goods
    from (select c.product_id, p.name, p.price, c.quantity, p.weight_gram, c.created_at as added_at,
        market_product_image(p.id) as image_url,
        p.status = 'active' and p.deleted_at is null and p.stock - p.reserved >= c.quantity as orderable
      from market_cart_items c join market_products p on p.id = c.product_id
      where c.user_id = buyer and p.store_id = shop) l;
  return jsonb_build_object('lines', goods.lines, 'left_out', goods.left_out, 'subtotal', goods.subtotal,
    'weight_gram', goods.weight_gram, 'promo', market_storefront_promo(shop, input->>'promo_code', goods.subtotal),
    'address', (select o.shipping_address from market_orders o where o.buyer_id = buyer
      order by o.created_at desc, o.id desc limit 1),
    'person', (select jsonb_build_object('name', u.name, 'phone', u.phone) from identity_users u where u.id = buyer));
end $$;

-- market_storefront_confirm({session_id, user_id, store_id, items, promo_code, subtotal, discount, key}) returns void
-- Guarantee: an order placed later in this transaction costs what its page showed, or `changed` is raised and nothing
-- happens; and its buyer's sign-in is alive. A repeat of an order that was already placed under `key` passes. It takes
-- no lock: the checkout claims its key before it locks products, and two repeats must not wait for each other.
create or replace function market_storefront_confirm(input jsonb) returns void language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  sum_now bigint;
  promo jsonb;
begin
  perform identity_require_session((input->>'session_id')::uuid, buyer, 'buyer');
  if exists (select from http_idempotency_keys k where k.user_id = buyer and k.key = input->>'key') then
    return;
  end if;
  select sum(p.price * i.quantity) into sum_now
    from jsonb_to_recordset(input->'items') as i(product_id uuid, quantity int)
    join market_products p on p.id = i.product_id and p.status = 'active' and p.deleted_at is null;
  promo := market_storefront_promo((input->>'store_id')::uuid, input->>'promo_code', coalesce(sum_now, 0));
  if sum_now is distinct from (input->>'subtotal')::bigint then
    perform app_error('changed', 'Harga di keranjang Anda baru saja berubah. Periksa totalnya, lalu bayar lagi.');
  end if;
  if promo->>'refusal' is null and (promo->>'discount')::bigint <> (input->>'discount')::bigint then
    perform app_error('changed', 'Potongan promo baru saja berubah. Periksa totalnya, lalu bayar lagi.');
  end if;
end $$;
