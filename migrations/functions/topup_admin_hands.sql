-- Orders handled by hand. Guarantees, from any number of connections at once: what an admin does is written down before
-- it is done; an order has one open request; above the limit, in price or in what the supplier is said to have charged, it
-- takes two different admins, also where an admin comes above it with all that he ended alone that day (Jakarta), and so
-- does an admin's own order at any price; its buyer confirms nothing; a decision is made once; none gives the money back
-- for a purchase that was not known, or was another one, when it was asked for.

-- {order_id, action, input, reason, actor_id, needs_second_above, expires_minutes, claim, audit} -> topup_hand_view.
-- `waiting`: another admin must confirm. `confirmed`: to be done now, also when a repeat with the same key finds it so.
create or replace function topup_hand_request(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
  r topup_hand_requests;
  new_id uuid := uuidv7();
  earlier text := http_claim_of(input->'claim', 'topup.hand', new_id::text);
  actor bigint := (input->>'actor_id')::bigint;
  second boolean;
  charged bigint := (input->'input'->>'chargedAmount')::bigint;
  most bigint;
  worth bigint;
begin
  if earlier is not null then
    select * into r from topup_hand_requests h where h.id = earlier::uuid;
    return topup_hand_view(r);
  end if;
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  update topup_hand_requests h set state = 'expired', updated_at = now()
  where h.order_id = o.id and h.state = 'waiting' and h.expires_at <= now();
  if exists (select from topup_hand_requests h where h.order_id = o.id and h.state in ('waiting', 'confirmed')) then
    perform app_error('conflict', 'This order has an open request already');
  end if;
  if input->>'action' <> 'retry' and o.finished_at is not null and o.review_reason is null then
    perform app_error('conflict', 'This order is final');
  end if;
  if input->>'action' = 'retry' and exists (select from topup_hand_requests h
    where h.order_id = o.id and h.action = 'retry' and h.state = 'done' and h.outcome like 'placed again%') then
    perform app_error('conflict', 'This order was placed again already');
  end if;
  -- Far more than the order could have cost is a slip of the hand, which would be booked as our loss.
  most := 10 * greatest(o.amount, o.supplier_amount);
  if charged > most then
    perform app_error('invalid_input', 'chargedAmount: must not be above ' || most);
  end if;
  worth := greatest(o.amount, charged, o.charged_amount);
  if input->>'action' <> 'retry' then
    -- Two requests of his at once: the second one sees the first.
    perform pg_advisory_xact_lock(hashtextextended('topup/hands/' || actor, 0));
    worth := worth + topup_hands_alone(actor);
  end if;
  second := o.user_id = actor or worth > (input->>'needs_second_above')::bigint;
  insert into topup_hand_requests (id, order_id, action, input, reason, needs_second, state, known_trxid, requested_by,
    decided_by, decided_at, expires_at)
  values (new_id, o.id, input->>'action', coalesce(input->'input', '{}'), input->>'reason', second,
    case when second then 'waiting' else 'confirmed' end, coalesce(o.trxid, ''), actor, case when not second then actor end,
    case when not second then now() end, now() + make_interval(mins => (input->>'expires_minutes')::int))
  returning * into r;
  perform topup_hand_audit(r, input, 'request');
  return topup_hand_view(r);
end $$;

-- What the orders are worth that an admin ended today at his word alone. Retries end none: they look up, or buy as their owner.
create or replace function topup_hands_alone(actor bigint) returns bigint language sql stable as $$
  select coalesce(sum(greatest(o.amount, (h.input->>'chargedAmount')::bigint, o.charged_amount)), 0)::bigint
  from topup_hand_requests h join topup_orders o on o.id = h.order_id
  where h.id >= uuid_from(jakarta_midnight(now())) and h.created_at >= jakarta_midnight(now())
    and h.requested_by = actor and not h.needs_second and h.action <> 'retry' and h.state in ('confirmed', 'done')
$$;

-- {id, confirm, actor_id, claim, audit} -> topup_hand_view. Another admin's word, once. Confirming again what is confirmed and
-- not yet done gives it back, to be done: its first executor may have died.
create or replace function topup_hand_decide(input jsonb) returns jsonb language plpgsql as $$
declare
  -- The table has a column of that name.
  given jsonb := input;
  agreed boolean := (given->>'confirm')::boolean;
  earlier text := http_claim_of(given->'claim', 'topup.hand.decide', given->>'id');
  r topup_hand_requests;
begin
  select * into r from topup_hand_requests h where h.id = (given->>'id')::uuid for no key update;
  if not found then
    perform app_error('not_found', 'Request not found');
  end if;
  if earlier is not null or (r.state = 'confirmed' and agreed) then
    return topup_hand_view(r);
  elsif r.state <> 'waiting' or r.expires_at <= now() then
    perform app_error('conflict', 'This request is ' || case r.state when 'waiting' then 'expired' else r.state end);
  elsif agreed and (given->>'actor_id')::bigint in (r.requested_by,
      (select o.user_id from topup_orders o where o.id = r.order_id)) then
    perform app_error('forbidden', 'Another admin must confirm this request');
  elsif agreed and not topup_is_admin(r.requested_by) then
    perform app_error('conflict', 'Who asked for this is no admin any more');
  end if;
  update topup_hand_requests h set state = case when agreed then 'confirmed' else 'rejected' end,
    decided_by = (given->>'actor_id')::bigint, decided_at = now(), updated_at = now()
  where h.id = r.id
  returning * into r;
  perform topup_hand_audit(r, given, case when agreed then 'confirm' else 'reject' end);
  return topup_hand_view(r);
end $$;

-- Whether somebody is an admin now: the first of two persons may have been dismissed before the second one agrees.
create or replace function topup_is_admin(person bigint) returns boolean language sql stable as $$
  select exists (select from identity_users u where u.id = person and 'admin' = any (u.roles)
    and u.banned_at is null and u.deleted_at is null)
$$;

-- {id, done, outcome, audit} -> topup_hand_view: what came of a confirmed request; its sealed serial is forgotten.
create or replace function topup_hand_finish(input jsonb) returns jsonb language plpgsql as $$
declare
  -- The table has a column of that name.
  given jsonb := input;
  r topup_hand_requests;
begin
  update topup_hand_requests h set state = case when (given->>'done')::boolean then 'done' else 'refused' end,
    outcome = left(given->>'outcome', 500), input = h.input - 'serial', updated_at = now()
  where h.id = (given->>'id')::uuid and h.state = 'confirmed'
  returning * into r;
  if found then
    perform topup_hand_audit(r, given, 'finish');
  else
    select * into r from topup_hand_requests h where h.id = (given->>'id')::uuid;
  end if;
  return topup_hand_view(r);
end $$;

-- The order that a request placed, or null; until the transaction ends, nobody else places one for it.
create or replace function topup_hand_placed(request_id uuid) returns text language plpgsql as $$
declare
  r topup_hand_requests;
begin
  select * into r from topup_hand_requests h where h.id = request_id for no key update;
  if not found then
    perform app_error('not_found', 'Request not found');
  end if;
  return r.placed_order_id::text;
end $$;

-- The request has placed this order: to be written in the transaction that places it.
create or replace function topup_hand_note_placed(request_id uuid, order_id uuid) returns void language sql as $$
  update topup_hand_requests h set placed_order_id = topup_hand_note_placed.order_id where h.id = request_id
$$;

-- {order_id, rows: [{trxid, target, code}], confirm, now} -> true. Whether an order that failed may be placed again: of
-- the goods and at the price that its owner agreed to, and only if none of the supplier's latest purchases that are not plainly somebody
-- else's is for its target, and he has not ordered the same since (unless that is meant: `confirm`). `rows`: those that
-- did not fail. Raises `conflict`.
create or replace function topup_retry_allowed(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
  late text;
  since text;
  now_costs bigint;
  renamed text;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
  select r.trxid into late
  from jsonb_to_recordset(input->'rows') r(trxid text, target text, code text)
  left join topup_supplier_sightings w on w.trxid = r.trxid
  -- Nobody's, so that the case of its letters is no proof that it is another's.
  where (topup_is_for(o, r.target) or lower(btrim(r.target)) = lower(btrim(o.target))
      or topup_may_mean(o, r.target))
    and coalesce(r.code, o.code) = o.code
    and coalesce(w.seen_at >= coalesce(o.attempt_at, o.created_at) - interval '1 minute', true)
    and not exists (select from topup_orders x where x.trxid = r.trxid and x.id <> o.id)
  limit 1;
  if late is not null then
    perform app_error('conflict', 'The supplier shows a purchase that may be this order''s: ' || late);
  end if;
  select x.number into since from topup_orders x
  where x.user_id = o.user_id and x.id > o.id and topup_alike(x, o) and x.paid_at is not null
    and x.state not in ('failed', 'cancelled', 'refunded')
  limit 1;
  if since is not null and not (input->>'confirm')::boolean then
    perform app_error('conflict', 'Its owner has ordered the same since (' || since
      || '). Send "confirm": true to place it again all the same', jsonb_build_object('orderNumber', since));
  end if;
  select c.amount, case when topup_is_renamed(o, s) then s.name end into now_costs, renamed
  from topup_service_for_sale(o.family, o.code, (input->>'now')::timestamptz) s,
    topup_order_cost(s, o.user_id, o.quantity) c;
  if renamed is not null then
    perform app_error('conflict', 'This service is now ' || renamed);
  end if;
  if now_costs <> o.amount then
    perform app_error('conflict', 'The price of this service has changed to ' || now_costs);
  end if;
  return 'true';
end $$;

create or replace function topup_hand_audit(r topup_hand_requests, input jsonb, verb text)
returns void language plpgsql as $$
begin
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.order.' || r.action || '.' || verb,
    'subject_kind', 'topup_order', 'subject_id', r.order_id, 'reason', r.reason,
    'after', jsonb_build_object('request', r.id, 'state', r.state, 'outcome', r.outcome, 'input', r.input - 'serial')));
end $$;

create or replace function topup_hand_view(r topup_hand_requests) returns jsonb language sql stable as $$
  select jsonb_build_object('id', r.id, 'order_id', r.order_id, 'action', r.action, 'input', r.input, 'reason', r.reason,
    'known_trxid', r.known_trxid, 'needs_second', r.needs_second, 'state', r.state, 'requested_by', r.requested_by,
    'decided_by', r.decided_by, 'outcome', r.outcome, 'expires_at', r.expires_at, 'created_at', r.created_at)
$$;
