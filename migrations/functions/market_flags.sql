-- Features that an admin switches off (or on) for one store. The registry of their names and of how they stand without
-- a row is workers/market/admin/features.ts.

-- Whether a feature is on for a store: one index look-up, to be put into any query.
create or replace function market_feature_on(store uuid, wanted text, standard boolean default true) returns boolean
language sql stable as $$
  select coalesce((select f.is_on from market_feature_flags f where f.store_id = store and f.flag = wanted), standard)
$$;

-- market_require_feature({user_id, flag, standard}) returns true: refuses whoever's store has the feature off. One
-- without a store is refused by nothing here.
create or replace function market_require_feature(input jsonb) returns jsonb language plpgsql stable as $$
begin
  if exists (select from market_stores s where s.user_id = (input->>'user_id')::bigint
      and not market_feature_on(s.id, input->>'flag', coalesce((input->>'standard')::boolean, true))) then
    perform app_error('forbidden', 'Fitur ini sedang dinonaktifkan untuk toko Anda',
      jsonb_build_object('feature', input->>'flag'));
  end if;
  return 'true';
end $$;

-- market_flags_put({store_id, flags: {flag: boolean}, actor_id, audit}) returns {flags}: what was set, with a trace.
create or replace function market_flags_put(input jsonb) returns jsonb language plpgsql as $$
declare
  shop uuid := (input->>'store_id')::uuid;
  before jsonb;
begin
  perform from market_stores where id = shop for no key update;
  if not found then
    perform app_error('not_found', 'Store not found');
  end if;
  before := market_flags(shop);
  insert into market_feature_flags (store_id, flag, is_on, updated_by)
    select shop, f.key, f.value::text::boolean, (input->>'actor_id')::bigint
    from jsonb_each(input->'flags') f
    on conflict on constraint market_feature_flags_pkey do update
      set is_on = excluded.is_on, updated_by = excluded.updated_by, updated_at = now()
      where market_feature_flags.is_on <> excluded.is_on;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'market.store.flags', 'subject_kind',
    'market_store', 'subject_id', shop, 'before', before, 'after', market_flags(shop)));
  return jsonb_build_object('flags', market_flags(shop));
end $$;

create or replace function market_flags(store uuid) returns jsonb language sql stable as $$
  select coalesce(jsonb_object_agg(f.flag, f.is_on), '{}') from market_feature_flags f where f.store_id = store
$$;
