-- market_store_save(input) returns jsonb {created, slug, previous_slug}
-- Creates or changes the one store of a user. A slug belongs for ever to the store that used it first: of any number
-- of stores that ask for it at once one gets it and the others fail (market_stores_slug_key, or a conflict here).
-- input: {user_id, fields, suggested_slug}: `fields` holds only what changes; a first call needs a name, and a slug
-- given or suggested.
create or replace function market_store_save(input jsonb) returns jsonb language plpgsql as $$
declare
  owner bigint := (input->>'user_id')::bigint;
  fields jsonb := input->'fields';
  store market_stores;
  made boolean := false;
  previous text;
  first_slug text := coalesce(fields->>'slug', input->>'suggested_slug');
begin
  select * into store from market_stores where user_id = owner for update;
  if not found then
    -- There is no row to wait at yet: of one user's first saves at once the later ones wait here and then find it.
    perform pg_advisory_xact_lock(hashtextextended('market_store_save', owner));
    select * into store from market_stores where user_id = owner for update;
    made := not found;
  end if;
  if made then
    if fields->>'name' is null or first_slug is null then
      perform app_error('invalid_input', 'Nama toko dan slug wajib diisi');
    end if;
    insert into market_stores (user_id, name, slug) values (owner, fields->>'name', first_slug)
      returning * into store;
  end if;
  if store.deleted_at is not null then
    perform app_error('not_found', 'Store not found');
  end if;
  previous := store.slug;
  store := jsonb_populate_record(store, fields);
  perform market_store_claim_slug(store.id, store.slug);
  update market_stores set name = store.name, slug = store.slug, description = store.description,
      logo_url = store.logo_url, banner_url = store.banner_url, address = store.address, city = store.city,
      province = store.province, postal_code = store.postal_code, lat = store.lat, lng = store.lng,
      google_maps_url = store.google_maps_url, instagram_handle = store.instagram_handle, phone = store.phone,
      area_id = store.area_id, shipping_couriers = store.shipping_couriers, updated_at = now()
    where id = store.id;
  return jsonb_build_object('created', made, 'slug', store.slug, 'previous_slug', previous);
end $$;

-- Writes a slug to its store's history, or fails when it is in another store's. Going back to an old slug is allowed.
-- A store keeps twenty at most, so that nobody takes names by the thousand; its row is locked by the caller.
create or replace function market_store_claim_slug(store uuid, wanted text) returns void language plpgsql as $$
declare
  most constant int := 20;
begin
  insert into market_store_slugs (slug, store_id) values (wanted, store) on conflict (slug) do nothing;
  if found and (select count(*) from market_store_slugs s where s.store_id = store) > most then
    perform app_error('conflict', format('Slug toko sudah diganti %s kali. Pilih salah satu yang pernah dipakai.', most - 1));
  end if;
  if not exists (select from market_store_slugs s where s.slug = wanted and s.store_id = store) then
    perform app_error('conflict', 'Slug sudah dipakai', jsonb_build_object('slug', wanted));
  end if;
end $$;
