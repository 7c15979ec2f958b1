-- Keys of resellers' own panels. Guarantee: the check reads the key's row as it is now, in the transaction of the work,
-- so a key that was revoked, has expired, or whose owner was banned stops every transaction that starts with it.

-- {id, user_id, hash, scope, address, count}. Raises what the panel dialect says about a key that does not hold, whose
-- scope or network it is not, or that asks too often; notes its use, at most once a minute.
create or replace function topup_require_key(input jsonb) returns void language plpgsql as $$
declare
  k record;
  used int;
begin
  select a.id, a.scopes, a.addresses, a.requests_per_minute, a.last_used_at into k
  from topup_api_keys a
  join identity_users u on u.id = a.user_id
  where a.id = (input->>'id')::uuid and a.hash = input->>'hash' and a.user_id = (input->>'user_id')::bigint
    and a.revoked_at is null and (a.expires_at is null or a.expires_at > now())
    and u.banned_at is null and u.deleted_at is null;
  if not found then
    perform app_error('bad_token', 'Invalid API key');
  end if;
  if cardinality(k.addresses) > 0 and not exists (
    select from unnest(k.addresses) allowed where topup_address(input->>'address') <<= allowed::cidr
  ) then
    perform app_error('forbidden', 'IP address is not allowed');
  end if;
  if not (input->>'scope') = any (k.scopes) then
    perform app_error('forbidden', 'API key may not use this action');
  end if;

  if not (input->>'count')::boolean then return; end if;
  insert into topup_api_key_minutes as m (key_id, minute, requests)
  values (k.id, date_trunc('minute', now()), 1)
  on conflict (key_id) do update set
    requests = case when m.minute < excluded.minute then 1 else m.requests + 1 end,
    minute = greatest(m.minute, excluded.minute)
  returning requests into used;
  if used > k.requests_per_minute then
    perform app_error('rate_limited', 'Too many requests', jsonb_build_object('retry_after', 60));
  end if;
  if k.last_used_at is null or k.last_used_at < now() - interval '1 minute' then
    update topup_api_keys a set last_used_at = now() where a.id = k.id;
  end if;
end $$;

-- An IPv4 address or network inside IPv6 (::ffff:192.0.2.1) as the IPv4 one that it is; any other as it is.
create or replace function topup_unmapped(address inet) returns inet language sql immutable as $$
  select case when address <<= '::ffff:0:0/96' then
    set_masklen(regexp_replace(host(address), '^::ffff:', '')::inet, masklen(address) - 96) else address end
$$;

-- An address as text, an IPv4 one inside IPv6 (::ffff:192.0.2.1) as IPv4; null when it is none.
create or replace function topup_address(address text) returns inet language plpgsql immutable as $$
begin
  return topup_unmapped(address::inet);
exception when invalid_text_representation then
  return null;
end $$;

-- The key's orders of this Jakarta day may cost no more than its bound, from any number of connections at once: the
-- row of the day is the lock. What was given back does not count, so the orders themselves are summed up.
create or replace function topup_key_spend(key uuid, price bigint) returns void language plpgsql as $$
declare
  today date := (now() at time zone 'Asia/Jakarta')::date;
  midnight timestamptz := jakarta_midnight(now());
  since uuid := uuid_from(midnight - interval '2 hours');
  most bigint;
  owner bigint;
  spent bigint;
begin
  select a.daily_amount, a.user_id into most, owner from topup_api_keys a where a.id = key;
  if most is null then return; end if;
  insert into topup_api_key_days as d (key_id, day, amount) values (key, today, 0)
  on conflict on constraint topup_api_key_days_pkey do update set amount = d.amount;
  select coalesce(sum(o.amount - o.refunded_amount), 0) into spent from topup_orders o
  where o.user_id = owner and o.reseller_key_id = key and o.id >= since and o.paid_at >= midnight;
  if spent + price > most then
    perform app_error('forbidden', 'Daily limit of this API key is reached',
      jsonb_build_object('limit', most, 'spent', spent));
  end if;
  update topup_api_key_days d set amount = spent + price where d.key_id = key and d.day = today;
end $$;

-- {id, user_id, name, prefix, hash, scopes, addresses, requests_per_minute, daily_amount?, expires_at?, max_keys, audit}
-- -> the key's row as topup_key_view. A user has at most `max_keys` that are not revoked; his row is the lock.
create or replace function topup_key_create(input jsonb) returns jsonb language plpgsql as $$
declare
  owner bigint := (input->>'user_id')::bigint;
  made topup_api_keys;
begin
  perform from identity_users u where u.id = owner for no key update;
  if (select count(*) from topup_api_keys a where a.user_id = owner and a.revoked_at is null)
    >= (input->>'max_keys')::int then
    perform app_error('conflict', 'There are too many API keys already');
  end if;
  insert into topup_api_keys (id, user_id, name, prefix, hash, scopes, addresses, requests_per_minute, daily_amount, expires_at)
  values ((input->>'id')::uuid, owner, input->>'name', input->>'prefix', input->>'hash', topup_texts(input->'scopes'),
    topup_networks(input->'addresses'), (input->>'requests_per_minute')::int, (input->>'daily_amount')::bigint,
    (input->>'expires_at')::timestamptz)
  returning * into made;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.key.create', 'subject_kind', 'api_key',
    'subject_id', made.id, 'after', topup_key_view(made)));
  return topup_key_view(made);
end $$;

create or replace function topup_texts(list jsonb) returns text[] language sql immutable as $$
  select coalesce(array_agg(value order by n), '{}') from jsonb_array_elements_text(list) with ordinality t(value, n)
$$;

-- Networks in one spelling: host bits are cut off, a single address is a network of one.
create or replace function topup_networks(list jsonb) returns text[] language plpgsql immutable as $$
begin
  return (select coalesce(array_agg(network(topup_unmapped(value::inet))::text order by n), '{}')
    from jsonb_array_elements_text(list) with ordinality t(value, n));
exception when invalid_text_representation then
  perform app_error('invalid_input', 'addresses: Must be an IP address or CIDR');
end $$;

-- What its owner sees of a key: everything but the key.
create or replace function topup_key_view(k topup_api_keys) returns jsonb language sql stable as $$
  select jsonb_build_object('id', k.id, 'name', k.name, 'prefix', k.prefix, 'scopes', k.scopes,
    'addresses', k.addresses, 'requests_per_minute', k.requests_per_minute, 'daily_amount', k.daily_amount,
    'expires_at', k.expires_at, 'last_used_at', k.last_used_at, 'revoked_at', k.revoked_at, 'created_at', k.created_at)
$$;

-- {user_id, id, changes: {name?, scopes?, addresses?, requests_per_minute?, daily_amount?, expires_at?}, revoke, audit}
-- -> topup_key_view, or null when the user has no such key. A revoked key stays as it is; revoking it again is no error.
create or replace function topup_key_change(input jsonb) returns jsonb language plpgsql as $$
declare
  wanted jsonb := input->'changes';
  was topup_api_keys;
  k topup_api_keys;
begin
  select * into was from topup_api_keys a
  where a.id = (input->>'id')::uuid and a.user_id = (input->>'user_id')::bigint for no key update;
  if not found then return null; end if;
  if was.revoked_at is not null then
    if (input->>'revoke')::boolean then return topup_key_view(was); end if;
    perform app_error('conflict', 'API key is revoked already');
  end if;
  update topup_api_keys a set
    name = coalesce(wanted->>'name', a.name),
    scopes = case when wanted ? 'scopes' then topup_texts(wanted->'scopes') else a.scopes end,
    addresses = case when wanted ? 'addresses' then topup_networks(wanted->'addresses') else a.addresses end,
    requests_per_minute = coalesce((wanted->>'requests_per_minute')::int, a.requests_per_minute),
    daily_amount = case when wanted ? 'daily_amount' then (wanted->>'daily_amount')::bigint else a.daily_amount end,
    expires_at = case when wanted ? 'expires_at' then (wanted->>'expires_at')::timestamptz else a.expires_at end,
    revoked_at = case when (input->>'revoke')::boolean then now() end,
    updated_at = now()
  where a.id = was.id
  returning * into k;
  perform audit_write(input->'audit' || jsonb_build_object('subject_kind', 'api_key', 'subject_id', k.id,
    'action', case when (input->>'revoke')::boolean then 'topup.key.revoke' else 'topup.key.change' end,
    'before', topup_key_view(was), 'after', topup_key_view(k)));
  return topup_key_view(k);
end $$;

-- audit_refused's input and `hash`: writes the refusal down if there is such a key, whatever became of it.
create or replace function topup_key_refused(input jsonb) returns bigint language plpgsql as $$
begin
  if not exists (
    select from topup_api_keys a where a.id = (input->>'subject_id')::uuid and a.hash = input->>'hash'
  ) then
    return null;
  end if;
  return audit_refused(input - 'hash');
end $$;
