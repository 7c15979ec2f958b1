-- Orders as people ask for them, and what a person decides about one that no rule can.

-- {number? | id? | trxid?, user_id, ask, pause_seconds, now, wait?} -> {order, ask, listed_name, target_kind} or null. The
-- user's own order; any order for an admin. `ask`: the supplier may be asked about it now; the pause lets one of many ask.
-- (`listed_name` is for the release before.) `wait`, where it is by a trxid that no order has: {soon: true} while an
-- attempt of the user's is under way, for the answer that tells a trxid leaves before its record has come.
create or replace function topup_order_read(input jsonb) returns jsonb language plpgsql as $$
declare
  reader bigint := (input->>'user_id')::bigint;
  moment timestamptz := (input->>'now')::timestamptz;
  o topup_orders;
  may_ask boolean := false;
begin
  select * into o from topup_orders x
  where (x.number = input->>'number' or x.id = (input->>'id')::uuid or x.trxid = input->>'trxid')
    and (x.user_id = reader or exists (
      select from identity_users u where u.id = reader and 'admin' = any (u.roles) and u.deleted_at is null));
  if not found then
    return case when (input->>'wait')::boolean and input->>'trxid' is not null and exists (
      select from topup_orders x where x.user_id = reader and x.state = 'buying' and x.attempt_until > moment)
      then '{"soon": true}'::jsonb end;
  end if;
  if (input->>'ask')::boolean
    and (o.state = 'processing' or (input->>'late_serial')::boolean and topup_lacks_serial(o)
      and o.finished_at > moment - topup_serial_patience()) then
    update topup_orders x set asked_at = moment
    where x.id = o.id and x.state = o.state
      and (x.asked_at is null or x.asked_at <= moment - make_interval(secs => (input->>'pause_seconds')::int));
    may_ask := found;
  end if;
  return (select jsonb_build_object('order', to_jsonb(o), 'ask', may_ask, 'listed_name', s.name,
    'target_kind', coalesce(o.target_kind, s.target_kind)) from topup_services s where s.id = o.service_id);
end $$;

-- {order_id, as: success|partial|failed|refunded, known_trxid?, charged?, remain?, trxid?, reason, sealed_serial?, now,
-- alert_to} -> {order, wake}. A person's word about an open order. Guarantees: it ends once, with its money, whoever else is
-- at it; it does not for a purchase that is another than he knew of (`known_trxid`: '' for none, null for not told), nor with
-- one that another order was bought by. Who was only told of what he types is in doubt again.
-- Of one that was refunded and bought after all (topup_orders_late.sql) the word is that he has seen it: nothing moves.
create or replace function topup_order_by_hand(input jsonb) returns jsonb language plpgsql as $$
declare
  outcome text := input->>'as';
  known text := input->>'known_trxid';
  typed text;
  lets_go boolean;
  wakes jsonb := '[]';
  ended jsonb;
  o topup_orders;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  typed := topup_trxid_written(o, input->>'trxid');
  -- Of an order that has ended for good that is told instead. One that waits to be seen must be seen with its purchase.
  if known is not null and coalesce(o.trxid, '') <> known and coalesce(o.trxid <> typed, typed is null)
    and (o.finished_at is null or o.review_reason is not null) then
    perform app_error('conflict', coalesce('The purchase of this order has become known since this was asked: ' || o.trxid,
      'The purchase of this order is not ' || known || ' any more') || '. Look at it and ask again');
  end if;
  if o.finished_at is not null and o.review_reason is not null and outcome in ('failed', 'refunded') then
    update topup_orders x set review_reason = null, supplier_note = input->>'reason', updated_at = now()
    where x.id = o.id returning * into o;
    return jsonb_build_object('order', to_jsonb(o), 'wake', '[]'::jsonb);
  elsif o.finished_at is not null then
    perform app_error('conflict', 'The order has ended already');
  end if;
  if o.state = 'pending' then
    perform app_error('conflict', 'The order is not paid');
  end if;
  if o.state = 'buying' and o.attempt_until > (input->>'now')::timestamptz then
    perform app_error('conflict', 'The order is being bought at this moment; try again in two minutes');
  end if;
  if exists (select from topup_orders x where x.trxid = typed and x.id <> o.id and not topup_is_loose(x)) then
    perform app_error('conflict', 'This purchase belongs to another order');
  end if;
  if typed <> o.trxid and not topup_is_loose(o) then
    perform app_error('conflict', 'The purchase of this order is ' || o.trxid);
  end if;
  -- A purchase that is tied to no order would be taken for the next one's that is in doubt for this target.
  if outcome in ('success', 'partial') and coalesce(o.trxid, typed) is null then
    perform app_error('invalid_input', 'trxid: is required: no purchase of this order is known');
  end if;
  if outcome = 'partial' and ((input->>'remain')::int is null or (input->>'remain')::int not between 1 and o.quantity) then
    perform app_error('invalid_input', 'remain: must be between 1 and ' || o.quantity);
  end if;
  if (input->>'charged')::bigint < 0 then
    perform app_error('invalid_input', 'chargedAmount: must not be negative');
  end if;
  wakes := topup_purchase_claim(o, typed, true);
  -- What the very answer to the order named may be another's purchase: the person knows. It is what an answer told of, then,
  -- and nobody's who is tried later.
  lets_go := coalesce(typed <> o.trxid, false)
    or outcome in ('failed', 'refunded') and o.bought_at is not null and topup_is_loose(o);
  update topup_orders x set supplier_note = input->>'reason',
    trxid = case when lets_go then typed else coalesce(x.trxid, typed) end,
    bought_at = case when not lets_go then x.bought_at end,
    answered_trxid = case when lets_go then x.trxid else x.answered_trxid end,
    -- Of what a person alone told of, nobody knows since when it is there.
    told_at = case when lets_go then coalesce(x.told_at, x.bought_at)
      when typed is not null and coalesce(x.trxid, x.answered_trxid) is null then (input->>'now')::timestamptz
      else x.told_at end,
    remain = coalesce((input->>'remain')::int, x.remain),
    -- Of another purchase, these are another's.
    charged_amount = coalesce((input->>'charged')::bigint, case when not lets_go then x.charged_amount end),
    start_count = case when not lets_go then x.start_count end,
    sealed_serial = coalesce(input->>'sealed_serial', case when not lets_go then x.sealed_serial end)
  where x.id = o.id;
  ended := topup_orders_end(jsonb_build_array(jsonb_build_object('id', o.id, 'state', outcome)), input);
  return ended || jsonb_build_object('wake', (ended->'wake') || wakes);
end $$;

-- A trxid as the supplier writes it, where a list or an answer has told of it in other letters than a person does.
create or replace function topup_trxid_written(o topup_orders, typed text) returns text language sql stable as $$
  select coalesce(
    (select x.trxid from topup_orders x where x.trxid = w.typed),
    (select s.trxid from topup_supplier_sightings s where s.trxid = w.typed),
    (select x.trxid from topup_orders x where x.family = o.family and lower(x.trxid) = lower(w.typed) limit 1),
    (select x.answered_trxid from topup_orders x
      where x.family = o.family and lower(x.answered_trxid) = lower(w.typed) limit 1),
    (select s.trxid from topup_supplier_sightings s where s.family = o.family and lower(s.trxid) = lower(w.typed) limit 1),
    w.typed)
  from (select nullif(btrim(topup_trxid_written.typed), '') as typed) w
$$;
