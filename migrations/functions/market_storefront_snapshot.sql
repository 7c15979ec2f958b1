-- market_storefront_state(slug) returns text
-- What a store's host leads to, as one word that changes whenever its pages must: 'store/<id>/<version>',
-- 'moved/<slug of today>', 'closed' (suspended or switched off), 'unknown' (never was, or deleted). One index look-up.
create or replace function market_storefront_state(wanted text) returns text language sql stable as $$
  select coalesce((
    select case
      when s.deleted_at is not null then 'unknown'
      when s.slug <> wanted then 'moved/' || s.slug
      when s.status <> 'active' then 'closed'
      else 'store/' || s.id || '/' || s.version end
    from market_store_slugs g join market_stores s on s.id = g.store_id where g.slug = wanted), 'unknown')
$$;

-- market_storefront_check({slug}) returns jsonb {state}
-- The cheap question whether a kept snapshot still holds.
create or replace function market_storefront_check(input jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('state', market_storefront_state(input->>'slug'))
$$;

-- market_storefront_snapshot({slug, max_products}) returns jsonb {state, store, products, more}
-- Everything that a store's public pages show, read at one moment together with its state. A store with more than
-- `max_products` on sale shows the newest of them and `more` is true; the search of the whole market still finds the
-- others. Past four million letters of description in all, the older products show the beginning of theirs only, so
-- that a snapshot always fits an object's memory.
create or replace function market_storefront_snapshot(input jsonb) returns jsonb language plpgsql stable as $$
declare
  state text := market_storefront_state(input->>'slug');
  shop market_stores;
  most int := (input->>'max_products')::int;
begin
  if split_part(state, '/', 1) <> 'store' then
    return jsonb_build_object('state', state, 'store', null, 'products', '[]'::jsonb, 'more', false);
  end if;
  select * into shop from market_stores s where s.id = split_part(state, '/', 2)::uuid;
  return jsonb_build_object('state', state,
    'store', jsonb_build_object('id', shop.id, 'name', shop.name, 'slug', shop.slug,
      'description', shop.description, 'logo_url', shop.logo_url, 'banner_url', shop.banner_url, 'city', shop.city,
      'province', shop.province, 'instagram_handle', shop.instagram_handle, 'google_maps_url', shop.google_maps_url),
    'products', market_storefront_products(shop.id, most),
    'more', (select count(*) > most from (select from market_products p
      where p.store_id = shop.id and p.status = 'active' and p.deleted_at is null limit most + 1) m));
end $$;

-- The products on sale of a store, newest first, with their pictures (the primary one first).
create or replace function market_storefront_products(shop uuid, most int) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'description',
      case when p.letters <= 4000000 then p.description else left(p.description, 300) end,
      'price', p.price, 'stock', p.stock - p.reserved, 'weight_gram', p.weight_gram, 'is_featured', p.is_featured,
      'created_at', market_iso(p.created_at), 'updated_at', market_iso(p.updated_at),
      'category', case when c.id is not null then jsonb_build_object('slug', c.slug, 'name', c.name) end,
      'images', coalesce(i.urls, '[]')) order by p.created_at desc, p.id desc), '[]')
  from (
    select n.*, sum(length(n.description)) over (order by n.created_at desc, n.id desc) as letters
    from (select * from market_products where store_id = shop and status = 'active' and deleted_at is null
      order by created_at desc, id desc limit most) n) p
  left join market_categories c on c.id = p.category_id
  left join lateral (
    select jsonb_agg(g.url order by g.is_primary desc, g.sort_order, g.id) as urls
    from market_product_images g where g.product_id = p.id) i on true
$$;
