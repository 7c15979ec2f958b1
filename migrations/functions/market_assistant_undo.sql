-- market_assistant_undo(input) returns jsonb {slug?, store_id?, wake?, job_id?}
-- Undoes one act of the assistant for the user whom it was done for: once, within 24 hours, and only where the fields
-- that it set still are as it set them; else fails and changes nothing. input: {action_id, user_id, actor_kind, actor_id, request_id}
create or replace function market_assistant_undo(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
declare
  person bigint := (input->>'user_id')::bigint;
  act market_assistant_actions;
  answer jsonb;
begin
  select * into act from market_assistant_actions a
  where a.id = (input->>'action_id')::uuid and a.user_id = person for update;
  if not found then
    perform app_error('not_found', 'Tindakan tidak ditemukan');
  end if;
  if act.undone_at is not null then
    perform app_error('conflict', 'Tindakan ini sudah dibatalkan');
  end if;
  if act.created_at <= now() - interval '24 hours' then
    perform app_error('conflict', 'Batas 24 jam untuk membatalkan tindakan ini sudah lewat');
  end if;
  if act.after is null or act.target_id is null then
    perform app_error('conflict', 'Tidak ada yang dapat dibatalkan dari tindakan ini');
  end if;
  answer := case
    when act.tool in ('update_product', 'delete_product', 'create_product', 'feature_product')
      then market_assistant_undo_product(act, person)
    when act.tool in ('update_store_info', 'set_store_location', 'feature_store')
      then market_assistant_undo_store(act, person)
    when act.tool = 'create_promo' then market_assistant_undo_promo(act, person)
    when act.tool = 'draft_instagram_post' then market_assistant_undo_post(act)
    when act.tool = 'sync_to_marketplace' then market_assistant_undo_sync(act, person)
    when act.tool = 'enhance_product_photo' then market_assistant_undo_photo(act, person)
  end;
  if answer is null then
    perform app_error('changed', 'Datanya sudah berubah sejak itu, jadi tidak dibatalkan');
  end if;
  update market_assistant_actions a set undone_at = now() where a.id = act.id;
  perform audit_write(jsonb_build_object('actor_kind', input->'actor_kind', 'actor_id', input->'actor_id',
    'request_id', input->'request_id', 'action', 'market.assistant.undo', 'subject_kind', act.target_kind,
    'subject_id', act.target_id, 'before', act.after, 'after', act.before, 'reason', act.tool));
  return answer;
end $$;

-- A post that its seller has made his own is his. The verb that takes it away runs behind this, in the same transaction.
create or replace function market_assistant_undo_post(act market_assistant_actions) returns jsonb language plpgsql as $$
declare
  post market_instagram_posts;
begin
  select p.* into post from market_instagram_posts p where p.id = act.target_id for update;
  if found and market_assistant_pick(to_jsonb(post), act.after) <> act.after then
    return null;
  end if;
  return '{"slug": null, "store_id": null}';
end $$;

-- Whether the user may act on others' rows: what an admin did only an admin takes back.
create or replace function market_assistant_is_admin(person bigint) returns boolean language sql stable as $$
  select 'admin' = any (u.roles) from identity_users u where u.id = person
$$;

-- The values of `wanted`'s fields in `source`.
create or replace function market_assistant_pick(source jsonb, wanted jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_object_agg(k, source->k), '{}') from jsonb_object_keys(wanted) k
$$;

create or replace function market_assistant_undo_product(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
#variable_conflict use_variable
declare
  product market_products;
  shop market_stores;
  fields jsonb := market_assistant_pick(act.before, act.after);
begin
  -- Lock order: market_locks.sql.
  select s.* into shop from market_stores s where s.deleted_at is null
    and s.id = (select p.store_id from market_products p where p.id = act.target_id)
    and (s.user_id = person or act.tool = 'feature_product' and market_assistant_is_admin(person)) for key share;
  select p.* into product from market_products p where p.id = act.target_id for no key update;
  if product.id is null or shop.id is null then
    return null;
  end if;
  if act.tool = 'delete_product' then
    -- The act and the deletion are one transaction, so they bear one time.
    update market_products p set deleted_at = null, updated_at = now()
    where p.id = product.id and p.deleted_at = act.created_at;
  elsif product.deleted_at is not null or market_assistant_pick(to_jsonb(product), act.after) <> act.after then
    return null;
  elsif act.tool = 'create_product' then
    update market_products p set deleted_at = now(), updated_at = now()
    where p.id = product.id and p.reserved = 0
      and not exists (select from market_order_items i where i.product_id = p.id);
  else
    product := jsonb_populate_record(product, fields);
    update market_products p set name = product.name, description = product.description, price = product.price,
      stock = product.stock, weight_gram = product.weight_gram, category_id = product.category_id,
      status = product.status, is_featured = product.is_featured, updated_at = now()
    where p.id = product.id and product.stock >= p.reserved;
  end if;
  if not found then
    return null;
  end if;
  return jsonb_build_object('slug', shop.slug, 'store_id', shop.id);
end $$;

create or replace function market_assistant_undo_store(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
#variable_conflict use_variable
declare
  shop market_stores;
begin
  select s.* into shop from market_stores s where s.id = act.target_id and s.deleted_at is null
    and (s.user_id = person or act.tool = 'feature_store' and market_assistant_is_admin(person)) for update;
  if shop.id is null or market_assistant_pick(to_jsonb(shop), act.after) <> act.after then
    return null;
  end if;
  shop := jsonb_populate_record(shop, market_assistant_pick(act.before, act.after));
  update market_stores s set name = shop.name, description = shop.description, address = shop.address, lat = shop.lat,
    lng = shop.lng, is_featured = shop.is_featured, updated_at = now()
  where s.id = shop.id;
  return jsonb_build_object('slug', shop.slug, 'store_id', shop.id);
end $$;

-- A code that nobody has used ends as its seller would end it, and gives its name back.
create or replace function market_assistant_undo_promo(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
#variable_conflict use_variable
declare
  promo market_promo_codes;
  shop market_stores;
begin
  select c.* into promo from market_promo_codes c where c.id = act.target_id and c.deleted_at is null for update;
  select s.* into shop from market_stores s
  where s.id = promo.store_id and s.user_id = person and s.deleted_at is null;
  if promo.id is null or shop.id is null or promo.used_count > 0
    or market_assistant_pick(to_jsonb(promo), act.after) <> act.after then
    return null;
  end if;
  update market_promo_codes c set deleted_at = now(), updated_at = now(), is_active = false,
    code = c.code || '~' || upper(c.id::text)
  where c.id = promo.id;
  return jsonb_build_object('slug', shop.slug, 'store_id', shop.id);
end $$;
