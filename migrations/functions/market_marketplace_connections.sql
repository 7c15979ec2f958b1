-- A store's shops on other marketplaces: connected, renewed, broken, left.

-- market_marketplace_connect_begin({user_id, platform, nonce?, nonce_expires_at?}) returns {id, shop_id}
-- The row that the tokens will be sealed for. A state of an authorise link counts once: its nonce is written down here,
-- before the platform's code is redeemed, and a second use of it is refused.
create or replace function market_marketplace_connect_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  shop uuid;
  found_id uuid;
  known text;
begin
  select s.id into shop from market_stores s
    where s.user_id = (input->>'user_id')::bigint and s.deleted_at is null;
  if not found then
    perform app_error('not_found', 'Toko belum dibuat');
  end if;
  if input->>'nonce' is not null then
    insert into market_oauth_states (nonce, user_id, expires_at)
      values (input->>'nonce', (input->>'user_id')::bigint, (input->>'nonce_expires_at')::timestamptz)
      on conflict do nothing;
    if not found then
      perform app_error('invalid_input', 'state: Tautan otorisasi sudah dipakai. Minta tautan baru.');
    end if;
  end if;
  insert into market_connections (store_id, platform) values (shop, input->>'platform')
    on conflict on constraint market_connections_platform_key do nothing;
  select c.id, c.shop_id into found_id, known from market_connections c
    where c.store_id = shop and c.platform = input->>'platform';
  return jsonb_build_object('id', found_id, 'shop_id', known);
end $$;

-- market_marketplace_connect({connection_id, shop_id, shop_name, shop_cipher, access_token_enc, refresh_token_enc,
--   access_expires_at, refresh_expires_at}) returns {wake}
-- Stores what the seller granted and heals what was broken. A shop that another store has is refused by
-- market_connections_shop_key. Another shop than before is a new start: what we knew of the old one's listings is gone,
-- the runs that watched them have ended, and its pump, which still holds the old shop's tokens, claims nothing more.
create or replace function market_marketplace_connect(input jsonb) returns jsonb language plpgsql as $$
declare
  c record;
begin
  select k.id, k.shop_id into c from market_connections k
    where k.id = (input->>'connection_id')::uuid for no key update;
  if c.shop_id is distinct from input->>'shop_id' then
    perform market_marketplace_end_runs(c.id);
    delete from market_listings where connection_id = c.id;
    delete from market_listing_images where connection_id = c.id;
    update market_connections set orders_from = now(), orders_since = now(), setup = null, setup_at = null,
        last_sync_at = null, pump_seq = pump_seq + 1, pump_idle = true
      where id = c.id;
  end if;
  update market_connections set status = 'connected', status_reason = null, shop_id = input->>'shop_id',
      shop_name = input->>'shop_name', shop_cipher = input->>'shop_cipher',
      access_token_enc = input->>'access_token_enc', refresh_token_enc = input->>'refresh_token_enc',
      access_expires_at = (input->>'access_expires_at')::timestamptz,
      refresh_expires_at = (input->>'refresh_expires_at')::timestamptz,
      generation = generation + 1, refresh_lease = null, refresh_lease_until = null, refresh_attempts = 0,
      refresh_retry_at = null, blocked_until = null, pace_factor = 1, connected_at = now(), updated_at = now(),
      orders_from = coalesce(orders_from, now()), orders_since = coalesce(orders_since, now())
    where id = c.id;
  return jsonb_build_object('wake', jobs_wakes(case
    when exists (select from market_listings l where l.connection_id = c.id and l.dirty)
    then market_marketplace_pump(c.id, now()) end));
end $$;

-- market_marketplace_disconnect({user_id, platform}) returns {disconnected}
-- The seller leaves: the tokens are gone at once, what waits fails, what is listed there stays as it is.
create or replace function market_marketplace_disconnect(input jsonb) returns jsonb language plpgsql as $$
declare
  left_id uuid;
begin
  update market_connections c set status = 'disconnected', status_reason = null, access_token_enc = null,
      refresh_token_enc = null, access_expires_at = null, refresh_expires_at = null, generation = c.generation + 1,
      refresh_lease = null, refresh_lease_until = null, updated_at = now()
    from market_stores s
    where s.id = c.store_id and s.user_id = (input->>'user_id')::bigint and c.platform = input->>'platform'
      and c.status <> 'disconnected'
    returning c.id into left_id;
  if left_id is not null then
    perform market_marketplace_fail_open(left_id, 'Toko diputus dari marketplace');
  end if;
  return jsonb_build_object('disconnected', left_id is not null);
end $$;

-- What a shop's open runs wait for will not come: they end as failed, with the reason.
create or replace function market_marketplace_fail_open(connection uuid, words text) returns void language sql as $$
  update market_sync_items i set outcome = 'failed', reason = words, finished_at = now()
  from market_listings l
  where l.connection_id = connection and i.listing_id = l.id and i.outcome is null
$$;

-- market_marketplace_tokens({connection_id, margin_seconds, lease_seconds, stale?}) returns jsonb {state, …}
-- The tokens to call a shop with, or the right to renew them, which one caller has at a time: refresh tokens are good
-- for one use. `stale` is the generation whose access token the platform has just refused.
--   ok: {tokens}; renew: {lease, …}; busy: somebody else renews, ask again soon; broken | gone: {reason}
-- A lease that ran out is given anew: its holder died, and only the platform can say whether it had used the token.
create or replace function market_marketplace_tokens(input jsonb) returns jsonb language plpgsql as $$
declare
  c record;
  lease uuid := gen_random_uuid();
  refused boolean;
begin
  select k.id, k.status, k.status_reason, k.generation, k.access_expires_at, k.refresh_lease_until,
      k.refresh_retry_at into c
    from market_connections k where k.id = (input->>'connection_id')::uuid for no key update;
  if not found or c.status <> 'connected' then
    return jsonb_build_object('state', case c.status when 'error' then 'broken' else 'gone' end,
      'reason', c.status_reason);
  end if;
  refused := coalesce((input->>'stale')::int >= c.generation, false);
  if not refused and c.access_expires_at > now() + make_interval(secs => (input->>'margin_seconds')::int) then
    return market_marketplace_shop(c.id) || '{"state": "ok"}';
  end if;
  if c.refresh_lease_until > now() or c.refresh_retry_at > now() then
    return market_marketplace_shop(c.id) || jsonb_build_object('state',
      case when refused or c.access_expires_at <= now() then 'busy' else 'ok' end);
  end if;
  update market_connections set refresh_lease = lease, refresh_attempts = refresh_attempts + 1,
      refresh_lease_until = now() + make_interval(secs => (input->>'lease_seconds')::int)
    where id = c.id;
  return market_marketplace_shop(c.id) || jsonb_build_object('state', 'renew', 'lease', lease);
end $$;

-- A shop as its caller needs it, with its tokens as they are sealed.
create or replace function market_marketplace_shop(connection uuid) returns jsonb language sql stable as $$
  select jsonb_build_object('id', c.id, 'store_id', c.store_id, 'platform', c.platform, 'shop_id', c.shop_id,
    'shop_cipher', c.shop_cipher, 'setup', c.setup, 'setup_is_fresh', coalesce(c.setup_at > now() - interval '1 day', false),
    'access_token_enc', c.access_token_enc, 'refresh_token_enc', c.refresh_token_enc, 'generation', c.generation,
    'access_expires_at', c.access_expires_at, 'refresh_attempts', c.refresh_attempts, 'orders_since', c.orders_since)
  from market_connections c where c.id = connection
$$;

-- market_marketplace_renewed({connection_id, generation, access_token_enc, refresh_token_enc, access_expires_at,
--   refresh_expires_at}) returns boolean
-- Keeps a new pair if it follows the pair that is stored, whoever holds the lease by now: the platform gives one pair
-- for a refresh token, so this is it. Also heals a shop that a slower answer had declared broken meanwhile.
create or replace function market_marketplace_renewed(input jsonb) returns boolean language plpgsql as $$
begin
  update market_connections set access_token_enc = input->>'access_token_enc',
      refresh_token_enc = input->>'refresh_token_enc',
      access_expires_at = (input->>'access_expires_at')::timestamptz,
      refresh_expires_at = (input->>'refresh_expires_at')::timestamptz,
      generation = generation + 1, refresh_lease = null, refresh_lease_until = null, refresh_attempts = 0,
      refresh_retry_at = null, status = 'connected', status_reason = null, updated_at = now()
    where id = (input->>'connection_id')::uuid and generation = (input->>'generation')::int
      and status <> 'disconnected';
  return found;
end $$;

-- market_marketplace_not_renewed({connection_id, lease, after_seconds, was_sent}) returns boolean
-- The platform gave no answer; the lease is given back, and nobody asks again for a while. `was_sent`: the token may
-- have been used up all the same.
create or replace function market_marketplace_not_renewed(input jsonb) returns boolean language plpgsql as $$
begin
  update market_connections set refresh_lease = null, refresh_lease_until = null,
      refresh_retry_at = now() + make_interval(secs => (input->>'after_seconds')::int),
      refresh_attempts = refresh_attempts - case when (input->>'was_sent')::boolean then 0 else 1 end
    where id = (input->>'connection_id')::uuid and refresh_lease = (input->>'lease')::uuid;
  return found;
end $$;

-- market_marketplace_broken({connection_id | platform + shop_id, generation?, reason}) returns {wake}
-- Only the seller can help now: the shop is marked, its open runs fail with the reason, and he is told by mail, once a
-- generation. News about an older generation than the stored one changes nothing.
create or replace function market_marketplace_broken(input jsonb) returns jsonb language plpgsql as $$
declare
  c record;
begin
  update market_connections k set status = 'error', status_reason = input->>'reason', refresh_lease = null,
      refresh_lease_until = null, updated_at = now()
    where (k.id = (input->>'connection_id')::uuid
        or k.platform = input->>'platform' and k.shop_id = input->>'shop_id')
      and k.status = 'connected' and k.generation = coalesce((input->>'generation')::int, k.generation)
    returning k.id, k.platform, k.generation, k.store_id into c;
  if not found then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  perform market_marketplace_fail_open(c.id, input->>'reason');
  return jsonb_build_object('wake', jobs_wakes(market_marketplace_mail('marketplace_broken', c.id,
    c.generation::text, jsonb_build_object('reason', input->>'reason'))));
end $$;

-- A mail to the seller about one of his shops elsewhere, once per template and occasion.
create or replace function market_marketplace_mail(template text, connection uuid, occasion text, extra jsonb)
returns jsonb language sql as $$
  select mail_enqueue(template, u.email, concat_ws('/', template, c.id, occasion), jsonb_build_object(
    'name', u.name, 'store_name', s.name, 'platform', c.platform, 'shop_name', c.shop_name) || extra)
  from market_connections c
  join market_stores s on s.id = c.store_id
  join identity_users u on u.id = s.user_id
  where c.id = connection
$$;

-- market_marketplace_ending({platform?, shop_ids?, within_days}) returns {wake}
-- Sellers whose grant ends soon are told, once a week at most: no refresh makes it last longer.
create or replace function market_marketplace_ending(input jsonb) returns jsonb language plpgsql as $$
declare
  mails jsonb[];
begin
  select array_agg(market_marketplace_mail('marketplace_ending', c.id, to_char(now() at time zone 'Asia/Jakarta', 'IYYY-IW'),
      -- A refresh token may be good for longer than the grant that it renews.
      jsonb_build_object('ends_at', least(c.refresh_expires_at,
        now() + make_interval(days => (input->>'within_days')::int))))) into mails
    from market_connections c
    where c.status = 'connected' and case
      when input ? 'shop_ids' then c.platform = input->>'platform'
        and c.shop_id in (select jsonb_array_elements_text(input->'shop_ids'))
      else c.refresh_expires_at between now() and now() + make_interval(days => (input->>'within_days')::int) end;
  return jsonb_build_object('wake', jobs_wakes(variadic coalesce(mails, '{}')));
end $$;

-- market_marketplace_turns({connection_id, kind: read | write, wanted, step_ms, longest_wait_ms})
--   returns {wait_ms, step_ms, turns, blocked}
-- Hands out `wanted` turns to call a shop, fewer at a slower pace, one after another in all isolates together, so that
-- its limit is met and not passed. `blocked`: the shop has asked us to stay away, or the next turn is further off than
-- one waits; no turn was handed out.
create or replace function market_marketplace_turns(input jsonb) returns jsonb language plpgsql as $$
declare
  c record;
  is_read boolean := input->>'kind' = 'read';
  turns int;
  step interval;
  first timestamptz;
  moment timestamptz := clock_timestamp();
begin
  select k.id, k.read_next_at, k.write_next_at, k.pace_factor, k.blocked_until into c from market_connections k
    where k.id = (input->>'connection_id')::uuid for no key update;
  if c.blocked_until > moment then
    return jsonb_build_object('blocked', true, 'step_ms', 0, 'turns', 0,
      'wait_ms', ceil(extract(epoch from c.blocked_until - moment) * 1000));
  end if;
  turns := greatest(1, floor((input->>'wanted')::int / c.pace_factor));
  step := make_interval(secs => (input->>'step_ms')::float8 / 1000 * c.pace_factor);
  first := greatest(moment, case when is_read then c.read_next_at else c.write_next_at end);
  if extract(epoch from first - moment) * 1000 > (input->>'longest_wait_ms')::float8 then
    return jsonb_build_object('blocked', true, 'step_ms', 0, 'turns', 0,
      'wait_ms', ceil(extract(epoch from first - moment) * 1000));
  end if;
  update market_connections set
      read_next_at = case when is_read then first + step * turns else read_next_at end,
      write_next_at = case when is_read then write_next_at else first + step * turns end,
      -- Back to full speed within some dozens of seconds after the last complaint, however small the grants are.
      pace_factor = greatest(1, pace_factor * power(0.9, extract(epoch from step * turns)::float8))
    where id = c.id;
  return jsonb_build_object('blocked', false, 'wait_ms', extract(epoch from first - moment) * 1000, 'turns', turns,
    'step_ms', extract(epoch from step) * 1000);
end $$;

-- market_marketplace_slow_down({connection_id, wait_ms}) returns boolean
-- The shop has complained: nobody calls it for as long as it asked, and then at half the pace. Turns that were handed
-- out before are void, or those that nobody takes any more would hold up everybody after the pause.
create or replace function market_marketplace_slow_down(input jsonb) returns boolean language plpgsql as $$
begin
  update market_connections set read_next_at = null, write_next_at = null,
      -- A burst that was under way together is one complaint.
      pace_factor = case when blocked_until > clock_timestamp() then pace_factor else least(8, pace_factor * 2) end,
      blocked_until = greatest(blocked_until,
        clock_timestamp() + make_interval(secs => (input->>'wait_ms')::float8 / 1000))
    where id = (input->>'connection_id')::uuid;
  return found;
end $$;

-- market_marketplace_keep({connection_id, shop_id, setup?, images?: [{url, ref}]}) returns boolean
-- What a shop has told once and need not be asked again. False: another shop has taken its place.
create or replace function market_marketplace_keep(input jsonb) returns boolean language plpgsql as $$
begin
  perform from market_connections c
    where c.id = (input->>'connection_id')::uuid and c.shop_id = input->>'shop_id' for no key update;
  if not found then
    return false;
  end if;
  if input ? 'setup' then
    update market_connections set setup = input->'setup', setup_at = now()
      where id = (input->>'connection_id')::uuid;
  end if;
  insert into market_listing_images (connection_id, url, ref)
    select (input->>'connection_id')::uuid, i.url, i.ref
    from jsonb_to_recordset(coalesce(input->'images', '[]')) as i(url text, ref text)
    on conflict on constraint market_listing_images_pkey do update set ref = excluded.ref;
  return true;
end $$;
