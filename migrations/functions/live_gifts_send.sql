-- Gifts. Guarantees, from any number of connections at once: a gift is debited from its sender and credited to its
-- host and to us by one transaction, or refused by itself and moves nothing; nobody spends more than he has; a key of
-- a sender is one gift for ever. Orders of one call are judged one after the other, in the order given. All wallets of
-- a call are locked first, in one order, and every other row that is written here belongs to one of them, so parallel
-- calls with crossing senders and hosts cannot deadlock.

-- The orders with what our own rows say about them; `refusal` is what speaks against one before money is asked.
create or replace function live_gift_orders(input jsonb) returns table (
  n bigint, key text, sender_id bigint, receiver_id bigint, scene text, gift_id text, quantity int, room_id text,
  session_id bigint, gift_name text, category text, price bigint, host_percent int, first_n bigint,
  earlier live_gifts, from_name text, from_avatar text, from_level int, from_vip int, to_name text, live_room text,
  refusal text[]
) language sql stable as $$
  with sold as materialized (
    select * from live_gifts_on_sale((input->>'at')::timestamptz)
  ), asked as materialized (
    select o.n, o.key, o.sender_id, o.receiver_id, o.scene, o.quantity, o.coin_value, o.room_id, o.session_id,
      coalesce(o.gift_id, (select c.gift_id from sold c where c.scene = o.scene
        and c.name = o.gift_name order by c.gift_id limit 1)) as gift_id
    from rows from (jsonb_to_recordset(input->'gifts') as (key text, sender_id bigint, receiver_id bigint,
      scene text, gift_id text, gift_name text, quantity int, coin_value bigint, room_id text, session_id bigint))
      with ordinality as o(key, sender_id, receiver_id, scene, gift_id, gift_name, quantity, coin_value, room_id,
        session_id, n)
  )
  select o.n, o.key, o.sender_id, o.receiver_id, o.scene, o.gift_id, o.quantity, o.room_id, l.id,
    c.name, c.category, c.price, c.host_percent, min(o.n) over (partition by o.sender_id, o.key), e.gift,
    s.name, s.avatar_url, s.level, s.vip_level, r.name, l.room_id,
    case
      when s.id is null then array['bad_token', 'Token tidak valid']
      when o.sender_id = o.receiver_id then array['invalid_input', 'Tidak dapat mengirim gift ke diri sendiri']
      when r.id is null then array['not_found', 'User tidak ditemukan']
      when c.gift_id is null then array['not_found', 'Gift tidak ditemukan']
      when o.coin_value <> c.price then array['invalid_input', 'Harga gift tidak sesuai']
    end
  from asked o
  left join lateral (select u.* from identity_users u
    where u.id = o.sender_id and u.banned_at is null and u.deleted_at is null limit 1) s on true
  left join lateral (select u.* from identity_users u
    where u.id = o.receiver_id and u.banned_at is null and u.deleted_at is null limit 1) r on true
  left join sold c on c.scene = o.scene and c.gift_id = o.gift_id
  left join lateral (select g as gift from live_gifts g
    where g.sender_id = o.sender_id and g.key = o.key limit 1) e on true
  left join lateral (select l.* from live_sessions l
    where o.scene = 'live' and l.host_id = o.receiver_id and l.end_time is null
      and l.id = coalesce(o.session_id, l.id) limit 1) l on true
$$;

-- Locks the coins of everybody alive whom the orders name, and our share of each host; answers with both.
create or replace function live_gifts_hold(input jsonb) returns setof ledger_accounts language sql as $$
  with o as materialized (
    select o.sender_id, o.receiver_id from jsonb_to_recordset(input->'gifts') o(sender_id bigint, receiver_id bigint)
  ), people as materialized (
    select p.id, bool_or(p.is_host) as is_host
    from (select distinct o.sender_id as id, false as is_host from o
      union all select distinct o.receiver_id, true from o) p
    where exists (select from identity_users u
      where u.id = p.id and u.banned_at is null and u.deleted_at is null)
    group by p.id
  ), wanted as (
    select array_agg(w.kind) as kinds, array_agg(w.owner_id) as owners
    from (select 'wallet' as kind, p.id::text as owner_id from people p
      union all select 'commission', 'live:' || p.id from people p where p.is_host) w
  )
  select a.* from wanted w, ledger_hold('COIN', w.kinds, w.owners) a
$$;

-- {at, gifts: [{key, sender_id, receiver_id, scene, gift_id | gift_name, quantity, coin_value?, room_id?,
-- session_id?}]} -> in the same order [{state: 'sent', the gift's facts} | {state: 'refused', code, message, meta}],
-- each with its key. A repeat answers with the gift of its key and with what its sender has now; it names no second room.
create or replace function live_gifts_send(input jsonb) returns jsonb language plpgsql
-- Everything is found by its key. Planning anew would take a third of the time of a small window, and a plan made
-- while a table was empty must not read it whole when it has grown.
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  place_of jsonb;
  balances bigint[];
  accounts bigint[];
  made live_gifts[] := '{}';
  senders bigint[] := '{}';
  hosts bigint[] := '{}';
  shares bigint[] := '{}';
  made_at int[] := array_fill(0, array[jsonb_array_length(input->'gifts')]);
  answers jsonb[] := '{}';
  o record;
  gift live_gifts;
  purse int;
  host_purse int;
  cost bigint;
  refusal text[];
  is_short boolean;
  is_repeat boolean;
  shown_in text;
begin
  -- A wallet is named by its person's number, our share of a host's gifts `live:<number>`.
  select jsonb_object_agg(w.owner_id, w.place), array_agg(w.balance order by w.place), array_agg(w.id order by w.place)
    into place_of, balances, accounts
  from (select h.id, h.owner_id, h.balance, row_number() over (order by h.id) as place
    from live_gifts_hold(input) h) w;
  -- A session that ends now waits, so that these gifts are in its income.
  perform live_sessions_keep(array(select distinct g.receiver_id
    from jsonb_to_recordset(input->'gifts') g(receiver_id bigint)));

  for o in select * from live_gift_orders(input) q order by q.n loop
    purse := (place_of->>o.sender_id::text)::int;
    if made_at[o.first_n] > 0 then
      gift := made[made_at[o.first_n]];
    else
      gift := o.earlier;
    end if;
    is_repeat := gift.id is not null;
    is_short := false;
    -- Asked for apart: an expression with a query in it takes an eighth more of the time of all.
    shown_in := o.live_room;
    if is_repeat then
      select l.room_id into shown_in from live_sessions l where l.id = gift.session_id;
      -- The app names the room over its socket and not over REST: only two rooms are another input. A gift that belongs to
      -- no live is shown in the room that is named with it, so the first one named is its own.
      refusal := case when (gift.receiver_id, gift.scene, gift.gift_id, gift.quantity)
        is distinct from (o.receiver_id, o.scene, o.gift_id, o.quantity) or gift.room_id <> o.room_id
        then array['idempotency_mismatch', 'Idempotency-Key sudah dipakai untuk permintaan lain'] end;
      if refusal is null and gift.room_id is null and gift.session_id is null and o.room_id is not null then
        gift.room_id := o.room_id;
        if made_at[o.first_n] > 0 then
          made[made_at[o.first_n]] := gift;
        else
          update live_gifts g set room_id = o.room_id where g.id = gift.id;
        end if;
      end if;
    else
      refusal := o.refusal;
      host_purse := (place_of->>o.receiver_id::text)::int;
      cost := o.price * o.quantity;
      if refusal is null and (purse is null or host_purse is null) then
        refusal := array['not_found', 'User tidak ditemukan'];
      elsif refusal is null and balances[purse] < cost then
        refusal := array['insufficient_balance', 'Saldo tidak cukup'];
        is_short := true;
      elsif refusal is null then
        gift := row(nextval('live_gifts_id_seq'), o.sender_id, o.receiver_id, o.scene, o.gift_id, o.gift_name,
          o.category, o.price, o.quantity, cost * o.host_percent / 100, o.host_percent, o.room_id, o.session_id,
          o.key, (input->>'at')::timestamptz);
        made := array_append(made, gift);
        senders := array_append(senders, accounts[purse]);
        hosts := array_append(hosts, accounts[host_purse]);
        shares := array_append(shares, accounts[(place_of->>('live:' || o.receiver_id))::int]);
        made_at[o.first_n] := cardinality(made);
        balances[purse] := balances[purse] - cost;
        balances[host_purse] := balances[host_purse] + gift.income;
      end if;
    end if;
    answers := array_append(answers, case when refusal is null
      then jsonb_build_object('state', 'sent', 'key', o.key, 'id', gift.id, 'income', gift.income,
        'balance', balances[purse], 'gift_id', gift.gift_id, 'name', gift.gift_name, 'price', gift.coin_value,
        'quantity', gift.quantity, 'category', gift.category, 'host_percent', gift.host_percent,
        'from_name', o.from_name, 'from_avatar', o.from_avatar, 'from_level', o.from_level,
        'from_vip', o.from_vip, 'to_name', o.to_name, 'live_room', shown_in, 'at', gift.created_at,
        'repeated', is_repeat)
      else jsonb_build_object('state', 'refused', 'key', o.key, 'code', refusal[1], 'message', refusal[2], 'meta',
        case when is_short then jsonb_build_object('needed', cost, 'current', balances[purse]) else '{}' end)
      end);
  end loop;
  perform live_gifts_write(made, senders, hosts, shares);
  return to_jsonb(answers);
end $$;

-- Writes gifts that were judged: the gift (with what the host got of it), the movements and the totals. The accounts of
-- each gift's sender, its host and our share of it stand at its place. A gift goes whole to the account of our share; what
-- a host got by all gifts of the call goes on from there as one movement, or as several where he spends in between: half
-- as many rows, and every balance as if each gift had been paid out by itself.
create or replace function live_gifts_write(made live_gifts[], senders bigint[], hosts bigint[], shares bigint[])
returns void language plpgsql as $$
declare
  ids bigint[];
begin
  if cardinality(made) = 0 then return; end if;
  insert into live_gifts overriding system value select * from unnest(made);
  perform ledger_post_held('COIN', array_agg(l.reference order by l.n), array_agg(l.debit_id order by l.n),
    array_agg(l.credit_id order by l.n), array_agg(l.amount order by l.n), array_agg(l.reason order by l.n))
  from (
    with m as materialized (
      select g.id, g.sender_id, g.receiver_id, g.income, g.coin_value * g.quantity as coins,
        'Gift ' || g.gift_name || ' x' || g.quantity as reason, row_number() over () as n
      from unnest(made) g
    ), known as (
      -- How often a host has spent before a gift to him tells his movements apart.
      select e.*, sum(e.spends) over (partition by e.person order by e.n) as spent
      from (select m.receiver_id as person, m.n, m.id, m.income, m.reason, 0 as spends from m
        union all select m.sender_id, m.n, null, null, null, 1 from m
          where m.sender_id in (select h.receiver_id from m h)) e
    )
    select m.n::numeric as n, 'gift/' || m.id as reference, senders[m.n] as debit_id, shares[m.n] as credit_id,
      m.coins as amount, m.reason
    from m
    union all
    select max(k.n) + 0.5, 'gift/' || max(k.id) || '/host', shares[max(k.n)], hosts[max(k.n)], sum(k.income)::bigint,
      case count(*) when 1 then max(k.reason) else count(*) || ' gift' end
    from known k where k.spends = 0 group by k.person, k.spent having sum(k.income) > 0
  ) l;

  select array_agg(m.id) into ids from unnest(made) m;
  perform live_gifts_roll_up(ids);
end $$;
