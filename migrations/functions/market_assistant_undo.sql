-- market_assistant_undo(input) returns jsonb {undone?, note?, slug?, store_id?, wake?, job_id?}
-- Undoes one act of the assistant for the user whom it was done for: once, within 24 hours, however the world has gone
-- on since. What the act set and nobody has set anew is as it was before; what somebody has set anew is his and stays.
-- `note` says what was not put back, and why: null where all of it was. An act that a later one of the assistant was
-- built upon leaves what was before it to that one, so that both can be undone in either order.
-- Fails for what only passes (a sync that is being looked at, a post that is being sent), and then changes nothing.
-- `undone` is false where nobody can undo it any more (a post that is out): then nothing is changed or noted either.
-- input: {action_id, user_id, actor_kind, actor_id, request_id}
create or replace function market_assistant_undo(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
declare
  person bigint := (input->>'user_id')::bigint;
  act market_assistant_actions;
  answer jsonb;
begin
  select * into act from market_assistant_actions a
  where a.id = (input->>'action_id')::uuid and a.user_id = person;
  if not found then
    perform app_error('not_found', 'Tindakan tidak ditemukan');
  end if;
  perform market_assistant_hold(act);
  select * into act from market_assistant_actions a where a.id = act.id for update;
  if not found then
    perform app_error('not_found', 'Tindakan tidak ditemukan');
  end if;
  if act.undone_at is not null then
    perform app_error('conflict', 'Tindakan ini sudah dibatalkan');
  end if;
  if act.created_at <= now() - interval '24 hours' then
    perform app_error('conflict', 'Batas 24 jam untuk membatalkan tindakan ini sudah lewat');
  end if;
  answer := case
    when act.after is null or act.target_id is null
      then jsonb_build_object('note', 'Tindakan ini tidak mengubah apa pun, jadi tidak ada yang perlu dikembalikan.')
    when act.tool in ('update_product', 'feature_product') then market_assistant_undo_product(act, person)
    when act.tool = 'create_product' then market_assistant_undo_creation(act, person)
    when act.tool = 'delete_product' then market_assistant_undo_deletion(act, person)
    when act.tool in ('update_store_info', 'set_store_location', 'feature_store')
      then market_assistant_undo_store(act, person)
    when act.tool = 'create_promo' then market_assistant_undo_promo(act, person)
    when act.tool = 'draft_instagram_post' then market_assistant_undo_post(act)
    when act.tool = 'sync_to_marketplace' then market_assistant_undo_sync(act, person)
    when act.tool = 'enhance_product_photo' then market_assistant_undo_photo(act, person)
  end;
  if answer is null then
    perform app_error('internal', format('nothing undoes %s', act.tool));
  end if;
  if answer->'undone' = 'false' then
    return answer;
  end if;
  update market_assistant_actions a set undone_at = now() where a.id = act.id;
  perform audit_write(jsonb_build_object('actor_kind', input->'actor_kind', 'actor_id', input->'actor_id',
    'request_id', input->'request_id', 'action', 'market.assistant.undo', 'subject_kind', act.target_kind,
    'subject_id', act.target_id, 'before', act.after, 'after', act.before,
    'reason', concat_ws(': ', act.tool, answer->>'note')));
  return answer;
end $$;

-- Locks what an act set fields of before the act itself, as its making did: its undo writes to later acts on the same
-- thing, so undos at once would else wait for each other in a circle. The others write to no act and take their locks
-- themselves (a photo's are several products). Lock order: market_locks.sql.
create or replace function market_assistant_hold(act market_assistant_actions) returns void language plpgsql as $$
begin
  if act.tool in ('update_product', 'feature_product') then
    perform from market_stores s
      where s.id = (select p.store_id from market_products p where p.id = act.target_id) for key share;
    perform from market_products p where p.id = act.target_id for no key update;
  elsif act.tool in ('update_store_info', 'set_store_location', 'feature_store') then
    perform from market_stores s where s.id = act.target_id for no key update;
  end if;
end $$;

-- What an act acted on is locked and whole where its undo needs it: the product of the user's own store, or of any where
-- he is an admin and it was featured. Deleted ones too: what they were before is restored in them all the same.
create or replace function market_assistant_undo_goods(act market_assistant_actions, person bigint, out shop market_stores,
  out product market_products) language plpgsql as $$
begin
  -- Lock order: market_locks.sql.
  select s.* into shop from market_stores s
    where s.id = (select p.store_id from market_products p where p.id = act.target_id) for key share;
  select p.* into product from market_products p where p.id = act.target_id for no key update;
  perform market_assistant_require_hand(act.tool = 'feature_product', shop.user_id, person);
end $$;

-- What only an admin may do, to his own goods or somebody else's, only an admin takes back.
create or replace function market_assistant_require_hand(by_admin boolean, owner bigint, person bigint) returns void
language plpgsql as $$
begin
  if not by_admin and owner is distinct from person
    or by_admin and not exists (select from identity_users u where u.id = person and 'admin' = any (u.roles)) then
    perform app_error('forbidden', 'Hanya admin yang dapat membatalkan tindakan ini');
  end if;
end $$;

-- Of the fields that an act set, those that still are as it set them, with what they were before; and the names of
-- those that were set anew since. `together` go back together or not at all. What a later act of the assistant built
-- upon goes back with that one. A stock is not looked at here: sales move it (market_assistant_undo_stock).
create or replace function market_assistant_fields_back(act market_assistant_actions, now_is jsonb, together text[],
  out fields jsonb, out kept text[]) language plpgsql as $$
declare
  stays text[];
begin
  select coalesce(array_agg(f.key), '{}') into stays from jsonb_each(act.after) f
    where f.key <> 'stock' and now_is->f.key is distinct from f.value;
  if stays && together then
    stays := stays || array(select t from unnest(together) t where act.after ? t and not t = any (stays));
  end if;
  select coalesce(jsonb_object_agg(f.key, act.before->f.key), '{}') into fields from jsonb_each(act.after) f
    where f.key <> 'stock' and not f.key = any (stays);
  update market_assistant_actions l set before = l.before || (select jsonb_object_agg(s, act.before->s)
      from unnest(stays) s where l.after ? s and l.before->s = act.after->s)
    where l.id in (select market_assistant_next(act, s) from unnest(stays) s)
      and exists (select from unnest(stays) s where l.after ? s and l.before->s = act.after->s);
  kept := array(select s from unnest(stays) s where now_is->s is distinct from act.before->s);
end $$;

-- The assistant's next act on the same thing that set this field.
create or replace function market_assistant_next(act market_assistant_actions, field text) returns uuid
language sql stable as $$
  select l.id from market_assistant_actions l
  where l.target_id = act.target_id and l.created_at >= act.created_at and l.id <> act.id and l.undone_at is null
    and l.after ? field
  order by l.created_at, l.id limit 1
$$;

-- What is said of fields that were set anew.
create or replace function market_assistant_kept_note(kept text[], restored boolean) returns text
language sql immutable as $$
  select case when kept = '{}' then null else
    case when restored then 'Dikembalikan, kecuali ' else 'Dibiarkan: ' end
    || (select string_agg(coalesce('{"name": "nama", "description": "deskripsi", "price": "harga", "stock": "stok",
      "weight_gram": "berat", "category_id": "kategori", "status": "status", "address": "alamat", "lat": "lokasi",
      "lng": "lokasi", "is_featured": "sorotan"}'::jsonb->>k, k), ', ' order by k) from unnest(kept) k where k <> 'lng')
    || ' sudah diubah lagi sejak itu. Ubah sendiri bila perlu, atau batalkan juga tindakan asisten yang lebih baru.' end
$$;

-- The stock that a product has once an act that set it is undone: what was counted before the act, less what was sold
-- and more what came back since; never less than buyers have ordered. Null: somebody has counted anew since, and then
-- the act of the assistant that did so, and was built upon this one, goes back to the count before both: by `stock_more`
-- pieces, to `counts_back`.
create or replace function market_assistant_undo_stock(act market_assistant_actions, product market_products)
returns int language plpgsql as $$
declare
  counted constant boolean := act.before->'stock' <> act.after->'stock';
  counts constant int := coalesce((act.before->>'stock_counts')::int + counted::int, 0);
  change constant int := (act.before->>'stock')::int - (act.after->>'stock')::int
    + coalesce((act.before->>'stock_more')::int, 0);
begin
  if product.stock_counts = counts then
    return greatest(product.reserved, product.stock + change);
  end if;
  update market_assistant_actions l set before = l.before || jsonb_build_object('counts_back',
        market_assistant_counts_back(act.before), 'stock_more', coalesce((l.before->>'stock_more')::int, 0) + change)
    where counted and l.target_id = act.target_id and l.id <> act.id and l.undone_at is null and l.after ? 'stock'
      and l.before->'stock' <> l.after->'stock' and market_assistant_counts_back(l.before) = counts;
  return null;
end $$;

-- How often the stock had been counted before an act, and before those undone ones that it was built upon.
create or replace function market_assistant_counts_back(before jsonb) returns int language sql immutable as $$
  select coalesce(before->>'counts_back', before->>'stock_counts')::int
$$;

create or replace function market_assistant_undo_product(act market_assistant_actions, person bigint) returns jsonb
language plpgsql as $$
#variable_conflict use_variable
declare
  goods record;
  product market_products;
  back record;
  kept text[];
  stock int;
begin
  goods := market_assistant_undo_goods(act, person);
  product := goods.product;
  back := market_assistant_fields_back(act, to_jsonb(product), '{}');
  kept := back.kept;
  product := jsonb_populate_record(product, back.fields);
  if product.status = 'active' and product.weight_gram < 1 then
    -- What is on sale has a weight: of the two, what is now stays.
    kept := kept || array(select k from unnest('{status,weight_gram}'::text[]) k where back.fields ? k);
    product.status := (goods.product).status;
    product.weight_gram := (goods.product).weight_gram;
  end if;
  if act.after ? 'stock' then
    stock := market_assistant_undo_stock(act, product);
    if stock is null then
      kept := kept || 'stock'::text;
    else
      product.stock := stock;
      product.stock_counts := coalesce(market_assistant_counts_back(act.before), product.stock_counts);
    end if;
  end if;
  update market_products p set name = product.name, description = product.description, price = product.price,
    stock = product.stock, stock_counts = product.stock_counts, weight_gram = product.weight_gram,
    category_id = product.category_id, status = product.status, is_featured = product.is_featured, updated_at = now()
  where p.id = product.id;
  return jsonb_build_object('slug', (goods.shop).slug, 'store_id', (goods.shop).id, 'note', nullif(concat_ws(' ',
    market_assistant_kept_note(kept, to_jsonb(product) <> to_jsonb(goods.product)),
    case when product.deleted_at is not null then 'Produknya sendiri sudah dihapus.' end), ''));
end $$;
