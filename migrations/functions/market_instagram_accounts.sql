-- A store's Instagram account: connected, renewed, broken, left. Its posts are in market_instagram_posts.sql.

-- market_instagram_connect_begin({user_id, nonce, nonce_expires_at}) returns {id}
-- The row that the token will be sealed for. A state of an authorise link counts once.
create or replace function market_instagram_connect_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  shop uuid;
  found_id uuid;
begin
  select s.id into shop from market_stores s
    where s.user_id = (input->>'user_id')::bigint and s.deleted_at is null;
  if not found then
    perform app_error('not_found', 'Toko belum dibuat');
  end if;
  insert into market_oauth_states (nonce, user_id, expires_at)
    values (input->>'nonce', (input->>'user_id')::bigint, (input->>'nonce_expires_at')::timestamptz)
    on conflict do nothing;
  if not found then
    perform app_error('invalid_input', 'state: Tautan otorisasi sudah dipakai. Minta tautan baru.');
  end if;
  insert into market_instagram_accounts (store_id) values (shop)
    on conflict on constraint market_instagram_accounts_store_key do nothing;
  select a.id into found_id from market_instagram_accounts a where a.store_id = shop;
  return jsonb_build_object('id', found_id);
end $$;

-- market_instagram_connect({id, account_id, username, access_token_enc, expires_at, renew_before_days}) returns boolean
-- Stores what the seller granted and heals what was broken. An account of another store is refused by
-- market_instagram_accounts_account_key; a store that was deleted meanwhile gets none.
create or replace function market_instagram_connect(input jsonb) returns boolean language plpgsql as $$
begin
  perform from market_stores s join market_instagram_accounts a on a.store_id = s.id
    where a.id = (input->>'id')::uuid and s.deleted_at is null for key share of s;
  if not found then
    perform app_error('not_found', 'Toko belum dibuat');
  end if;
  update market_instagram_accounts set status = 'connected', status_reason = null,
      account_id = input->>'account_id', username = input->>'username',
      access_token_enc = input->>'access_token_enc', token_made_at = now(),
      token_expires_at = (input->>'expires_at')::timestamptz,
      renew_at = (input->>'expires_at')::timestamptz - make_interval(days => (input->>'renew_before_days')::int),
      generation = generation + 1, connected_at = now(), updated_at = now()
    where id = (input->>'id')::uuid;
  return found;
end $$;

-- market_instagram_disconnect({user_id}) returns boolean
create or replace function market_instagram_disconnect(input jsonb) returns boolean language plpgsql as $$
begin
  update market_instagram_accounts a set status = 'disconnected', status_reason = null, access_token_enc = null,
      token_expires_at = null, renew_at = null, generation = a.generation + 1, updated_at = now()
    from market_stores s where s.id = a.store_id and s.user_id = (input->>'user_id')::bigint
      and a.status <> 'disconnected';
  return found;
end $$;

-- market_instagram_due({limit, again_minutes}) returns [{id, access_token_enc, generation}]
-- Accounts whose token is to be renewed now, each handed to one caller; who dies leaves it to the next one after the
-- pause. A token that is less than a day old cannot be renewed.
create or replace function market_instagram_due(input jsonb) returns jsonb language sql as $$
  with due as (
    select a.id from market_instagram_accounts a
      where a.status = 'connected' and a.renew_at <= now() and a.token_made_at < now() - interval '24 hours'
      order by a.renew_at limit (input->>'limit')::int for no key update skip locked
  ), taken as (
    update market_instagram_accounts a
      set renew_at = now() + make_interval(mins => (input->>'again_minutes')::int)
      from due where a.id = due.id
      returning a.id, a.access_token_enc, a.generation
  )
  select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'access_token_enc', t.access_token_enc,
    'generation', t.generation)), '[]') from taken t
$$;

-- market_instagram_renewed({id, generation, access_token_enc, expires_at, renew_before_days}) returns boolean
-- False: the account was connected anew meanwhile, and this token is an older one.
create or replace function market_instagram_renewed(input jsonb) returns boolean language plpgsql as $$
begin
  update market_instagram_accounts set access_token_enc = input->>'access_token_enc', token_made_at = now(),
      token_expires_at = (input->>'expires_at')::timestamptz,
      renew_at = (input->>'expires_at')::timestamptz - make_interval(days => (input->>'renew_before_days')::int),
      generation = generation + 1, updated_at = now()
    where id = (input->>'id')::uuid and generation = (input->>'generation')::int and status = 'connected';
  return found;
end $$;

-- market_instagram_broken({id, generation, reason}) returns {wake}
-- Only the seller can help now: he is told by mail, once a generation. News about an older token changes nothing.
create or replace function market_instagram_broken(input jsonb) returns jsonb language plpgsql as $$
declare
  shop uuid;
begin
  update market_instagram_accounts set status = 'error', status_reason = input->>'reason', renew_at = null,
      updated_at = now()
    where id = (input->>'id')::uuid and generation = (input->>'generation')::int and status = 'connected'
    returning store_id into shop;
  if not found then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  return jsonb_build_object('wake', jobs_wakes(market_instagram_mail('instagram_broken', shop,
    (input->>'id') || '/' || (input->>'generation'), jsonb_build_object('reason', input->>'reason'))));
end $$;

-- A mail to the seller of a store about its Instagram, once per template and occasion.
create or replace function market_instagram_mail(template text, shop uuid, occasion text, extra jsonb)
returns jsonb language sql as $$
  select mail_enqueue(template, u.email, template || '/' || occasion,
    jsonb_build_object('name', u.name, 'store_name', s.name) || extra)
  from market_stores s join identity_users u on u.id = s.user_id
  where s.id = shop
$$;
