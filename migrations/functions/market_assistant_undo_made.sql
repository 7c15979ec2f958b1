-- How what the assistant made, deleted or set in the user's own store is taken back (SQL function market_assistant_undo).

-- A product that it made goes as its seller would delete it, whatever was changed on it since. Orders keep their lines.
create or replace function market_assistant_undo_creation(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  goods record;
begin
  goods := market_assistant_undo_goods(act, person);
  update market_products p set deleted_at = now(), updated_at = now()
  where p.id = (goods.product).id and p.deleted_at is null;
  return jsonb_build_object('slug', (goods.shop).slug, 'store_id', (goods.shop).id, 'note', case
    when not found then 'Produk ini sudah dihapus, jadi tidak ada lagi yang perlu dikembalikan.'
    when exists (select from market_order_items i where i.product_id = (goods.product).id)
      then 'Produknya dihapus. Pesanan yang sudah masuk tetap berjalan.' end);
end $$;

create or replace function market_assistant_undo_deletion(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  goods record;
begin
  goods := market_assistant_undo_goods(act, person);
  -- The act and the deletion are one transaction, so they bear one time.
  update market_products p set deleted_at = null, updated_at = now()
  where p.id = (goods.product).id and p.deleted_at = act.created_at;
  return jsonb_build_object('slug', (goods.shop).slug, 'store_id', (goods.shop).id, 'note', case
    when not found then 'Produk ini sudah dikembalikan atau dihapus lagi sejak itu, jadi dibiarkan.'
    when (goods.shop).deleted_at is not null then 'Produknya dikembalikan, tetapi tokonya sudah dihapus.' end);
end $$;

create or replace function market_assistant_undo_store(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  shop market_stores;
  back record;
begin
  select s.* into shop from market_stores s where s.id = act.target_id for no key update;
  perform market_assistant_require_hand(act.tool = 'feature_store', shop.user_id, person);
  if shop.deleted_at is not null and act.tool = 'feature_store' then
    return jsonb_build_object('note', 'Toko ini sudah dihapus, jadi tidak ada lagi yang perlu dikembalikan.');
  end if;
  back := market_assistant_fields_back(act, to_jsonb(shop), '{lat,lng}');
  update market_stores s set (name, description, address, lat, lng, is_featured, updated_at) = (
    select n.name, n.description, n.address, n.lat, n.lng, n.is_featured, now()
    from jsonb_populate_record(shop, back.fields) n)
  where s.id = shop.id;
  return jsonb_build_object('slug', shop.slug, 'store_id', shop.id,
    'note', market_assistant_kept_note(back.kept, not back.fields <@ to_jsonb(shop)));
end $$;

-- A code ends as its seller would end it, and gives its name back. Who has used it keeps what it took off.
create or replace function market_assistant_undo_promo(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
declare
  promo market_promo_codes;
begin
  select c.* into promo from market_promo_codes c join market_stores s on s.id = c.store_id
    where c.id = act.target_id and s.user_id = person for no key update of c;
  if promo.id is null or promo.deleted_at is not null then
    return jsonb_build_object('note', 'Promo ini sudah dihapus, jadi tidak ada lagi yang perlu dikembalikan.');
  end if;
  update market_promo_codes c set deleted_at = now(), updated_at = now(), is_active = false,
    code = c.code || '~' || upper(c.id::text)
  where c.id = promo.id;
  return jsonb_build_object('note', case when promo.used_count > 0 then
    format('Promonya dihapus. %s pesanan yang sudah memakainya tetap mendapat potongannya.', promo.used_count) end);
end $$;
