-- market_assistant_begin(input) returns jsonb
-- Opens one turn of a talk with the assistant, for a seller or an admin. Guarantees: one turn at a time holds a
-- session, and only a session of its own user; what the turn may use is counted against the user's day before the
-- model is asked; a proposal outlives exactly one message, the one that may decide about it, and none where its turn
-- never came to its end: nobody knows whether its user saw it.
-- input: {user_id, session_id?, new_session_id, latest, turn_id, title, decision: confirm|cancel|none, seconds, history,
--   claim_tokens, claim_cost, least_tokens, daily_tokens, daily_cost}
create or replace function market_assistant_begin(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
declare
  person bigint := (input->>'user_id')::bigint;
  person_name text;
  held_roles text[];
  talk market_assistant_sessions;
  waiting jsonb;
  claim jsonb;
begin
  select u.name, u.roles into person_name, held_roles from identity_users u where u.id = person;
  if not coalesce(held_roles && '{seller,admin}', false) then
    perform app_error('forbidden', '');
  end if;

  if input->>'session_id' is not null then
    select * into talk from market_assistant_sessions s
    where s.id = (input->>'session_id')::uuid and s.user_id = person for update;
    if not found then
      perform app_error('not_found', 'Sesi tidak ditemukan');
    end if;
  elsif (input->>'latest')::boolean then
    select * into talk from market_assistant_sessions s
    where s.user_id = person and s.updated_at > now() - interval '1 hour'
    order by s.updated_at desc, s.id desc limit 1 for update;
  end if;
  if talk.id is null then
    insert into market_assistant_sessions (id, user_id, title)
    values ((input->>'new_session_id')::uuid, person, input->>'title') returning * into talk;
  end if;
  if talk.turn_until > now() then
    perform app_error('in_progress', 'Pesan sebelumnya masih dijawab. Tunggu sebentar.');
  end if;

  update market_assistant_proposals p set state = 'lapsed', updated_at = now()
  where p.session_id = talk.id and p.state = 'open'
    and (p.expires_at <= now() or input->>'decision' = 'none' or talk.turn_id is not null);
  select jsonb_agg(jsonb_build_object('id', p.id, 'code', p.code, 'tool', p.tool, 'input', p.input,
    'summary', p.summary) order by p.id) into waiting
  from market_assistant_proposals p where p.session_id = talk.id and p.state = 'open';

  -- A decision about proposals needs no model and costs nothing.
  if waiting is null then
    claim := market_assistant_claim(input);
  end if;
  update market_assistant_sessions s set turn_id = (input->>'turn_id')::uuid,
    turn_until = now() + make_interval(secs => (input->>'seconds')::int), updated_at = now()
  where s.id = talk.id;

  return jsonb_build_object('session_id', talk.id, 'name', person_name, 'roles', held_roles,
    'waiting', coalesce(waiting, '[]'), 'claim', claim,
    'store', (select jsonb_build_object('name', s.name, 'slug', s.slug) from market_stores s
      where s.user_id = person and s.deleted_at is null),
    'history', (select coalesce(jsonb_agg(jsonb_build_object('role', m.role, 'content', m.content,
        'from_outside', m.from_outside) order by m.id), '[]')
      from (select h.id, h.role, h.content, h.from_outside from market_assistant_messages h
        where h.session_id = talk.id order by h.id desc limit (input->>'history')::int) m));
end $$;

-- Takes a turn's share out of what is left of the user's day in Jakarta, or fails when too little is left. Turns of
-- one user that claim at once wait for each other here, so together they never get more than the day has.
create or replace function market_assistant_claim(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
declare
  person bigint := (input->>'user_id')::bigint;
  local_now timestamp := now() at time zone 'Asia/Jakarta';
  used market_assistant_usage;
  share bigint;
  cost bigint;
begin
  insert into market_assistant_usage (user_id, day) values (person, local_now::date)
  on conflict on constraint market_assistant_usage_pkey do nothing;
  select * into used from market_assistant_usage u
  where u.user_id = person and u.day = local_now::date for update;
  share := least((input->>'claim_tokens')::bigint, (input->>'daily_tokens')::bigint - used.tokens);
  cost := least((input->>'claim_cost')::bigint, (input->>'daily_cost')::bigint - used.cost_micro_usd);
  if share < (input->>'least_tokens')::bigint
    or cost * (input->>'claim_tokens')::bigint < (input->>'claim_cost')::bigint * (input->>'least_tokens')::bigint then
    perform app_error('rate_limited', 'Batas pemakaian asisten hari ini sudah habis. Coba lagi besok.',
      jsonb_build_object('retry_after', ceil(extract(epoch from local_now::date + 1 - local_now))::int));
  end if;
  update market_assistant_usage u set turns = u.turns + 1, tokens = u.tokens + share,
    cost_micro_usd = u.cost_micro_usd + cost
  where u.user_id = person and u.day = local_now::date;
  return jsonb_build_object('day', local_now::date, 'tokens', share, 'cost', cost);
end $$;

-- market_assistant_end(input) returns jsonb: whether the session still was the turn's
-- Closes a turn: what it really used replaces what it claimed, and what was said is kept, unless the session was
-- deleted or taken over meanwhile. What waits for a yes lapses where its user was not there to read it (`unread`).
-- input: {user_id, session_id, turn_id, messages, unread, claim?, tokens, cost}
create or replace function market_assistant_end(input jsonb) returns jsonb language plpgsql as $$
#variable_conflict use_variable
declare
  talk uuid := (input->>'session_id')::uuid;
  claim jsonb := nullif(input->'claim', 'null');
begin
  if claim is not null then
    update market_assistant_usage u set
      tokens = greatest(0, u.tokens - (claim->>'tokens')::bigint + (input->>'tokens')::bigint),
      cost_micro_usd = greatest(0, u.cost_micro_usd - (claim->>'cost')::bigint + (input->>'cost')::bigint)
    where u.user_id = (input->>'user_id')::bigint and u.day = (claim->>'day')::date;
  end if;
  update market_assistant_sessions s set turn_id = null, turn_until = null, updated_at = now()
  where s.id = talk and s.turn_id = (input->>'turn_id')::uuid;
  if not found then
    return to_jsonb(false);
  end if;
  update market_assistant_proposals p set state = 'lapsed', updated_at = now()
  where p.session_id = talk and p.state = 'open' and (input->>'unread')::boolean;
  insert into market_assistant_messages (session_id, role, content, from_outside)
  select talk, m.value->>'role', m.value->'content', (m.value->>'from_outside')::boolean
  from jsonb_array_elements(input->'messages') with ordinality m order by m.ordinality;
  return to_jsonb(true);
end $$;
