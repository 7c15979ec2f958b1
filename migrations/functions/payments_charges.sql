-- What is to be paid, and the charges that collect it. Guarantees, from any number of connections at once:
-- an intent is settled by at most one charge; states only go forward; every other payment goes back (payments_refund).
-- Lock order everywhere: intent, then charge, then the rows of its purpose, then accounts.

-- Unguessable symbols without I, L, O and U, 5 random bits each; at most 32.
create or replace function payments_code(symbols int) returns text language plpgsql volatile as $$
declare
  noise constant bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  code text := '';
begin
  for i in 0 .. symbols - 1 loop
    code := code || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + (get_byte(noise, i) & 31), 1);
  end loop;
  return code;
end $$;

-- When an open charge is asked about next: after as long again as it has been open (1 to 15 minutes), just after it
-- can no longer be paid, and then after as long again as that is ago (30 s to an hour).
create or replace function payments_next_check(opened_at timestamptz, expires_at timestamptz)
returns timestamptz language sql stable as $$
  select case
    when now() < expires_at then least(expires_at + interval '5 seconds',
      now() + least(greatest(now() - opened_at, interval '1 minute'), interval '15 minutes'))
    else now() + least(greatest(now() - expires_at, interval '30 seconds'), interval '1 hour')
  end
$$;

-- From when on the pauses between checks grow: one that was given up is asked about every minute until no request
-- for it can be on its way any more (charge.ts).
create or replace function payments_asked_since(intent payments_intents) returns timestamptz language sql stable as $$
  select coalesce(intent.given_up_at + interval '2 minutes', intent.created_at)
$$;

-- Opens an intent with one charge per channel. A second open intent for the same purpose violates
-- payments_intents_open_key; after one that failed or expired a new one may be opened.
-- Returns what startCharges takes: see payments_opened.
create or replace function payments_open(
  purpose text, purpose_id text, user_id bigint, provider text, amount bigint, expires_at timestamptz,
  channels text[], customer_email text default null
) returns jsonb language plpgsql as $$
declare
  intent payments_intents;
  code text := payments_code(20);
begin
  code := case when payments_open.purpose like 'market%' then 'TB-'
    when payments_open.purpose = 'deposit' then 'WD-' else 'LB-' end || code;
  insert into payments_intents (purpose, purpose_id, user_id, provider, amount, expires_at, customer_email)
  values (payments_open.purpose, payments_open.purpose_id, payments_open.user_id, payments_open.provider,
    payments_open.amount, payments_open.expires_at, payments_open.customer_email)
  returning * into intent;
  insert into payments_charges (intent_id, channel, provider_ref, expires_at, check_at)
  select intent.id, channel, code || '-' || upper(left(channel, 1)), intent.expires_at,
    payments_next_check(intent.created_at, intent.expires_at)
  from unnest(channels) channel;
  return payments_opened(intent.id);
end $$;

-- An intent and its charges as they stand, for the caller of payments_open and for its repeats.
-- In plpgsql, whose plans are kept from call to call.
create or replace function payments_opened(intent_id uuid) returns jsonb language plpgsql stable as $$
begin
  return (select jsonb_build_object('intent_id', i.id, 'provider', i.provider, 'amount', i.amount, 'state', i.state,
      'created_at', i.created_at, 'expires_at', i.expires_at, 'given_up_at', i.given_up_at,
      'charges', (select coalesce(jsonb_agg(to_jsonb(c) order by c.channel), '[]')
        from payments_charges c where c.intent_id = i.id))
    from payments_intents i where i.id = payments_opened.intent_id);
end $$;

-- A charge with what its reader needs of the intent and the refund.
create or replace function payments_charge_view(charge payments_charges) returns jsonb language sql stable as $$
  select jsonb_build_object('id', charge.id, 'channel', charge.channel, 'provider_ref', charge.provider_ref,
    'state', charge.state, 'transaction_id', charge.transaction_id, 'expires_at', charge.expires_at,
    'intent', jsonb_build_object('id', i.id, 'purpose', i.purpose, 'provider', i.provider, 'amount', i.amount,
      'state', i.state, 'created_at', i.created_at, 'expires_at', i.expires_at, 'given_up_at', i.given_up_at),
    'refund', (select jsonb_build_object('id', r.id, 'state', r.state, 'created_at', r.created_at)
      from payments_refunds r where r.charge_id = charge.id))
  from payments_intents i where i.id = charge.intent_id
$$;

-- {provider_ref} -> payments_charge_view, or null.
create or replace function payments_find(input jsonb) returns jsonb language sql stable as $$
  select payments_charge_view(c) from payments_charges c where c.provider_ref = input->>'provider_ref'
$$;

-- {limit} -> [payments_charge_view]: open charges whose time to be asked about has come, each given its next time
-- already, so that no second run takes it and one that dies loses nothing.
create or replace function payments_due(input jsonb) returns jsonb language sql volatile as $$
  with due as (
    select c.id from payments_charges c
    where c.check_at <= now()
    order by c.check_at
    limit (input->>'limit')::int
    for no key update skip locked
  ), moved as (
    update payments_charges c set updated_at = now(), check_at = payments_next_check(payments_asked_since(i), c.expires_at)
    from due, payments_intents i
    where c.id = due.id and i.id = c.intent_id
    returning c
  )
  select coalesce(jsonb_agg(payments_charge_view(moved.c)), '[]') from moved
$$;

-- True when no charge of the intent can be paid any more and none was.
create or replace function payments_closed(intent_id uuid) returns boolean language sql stable as $$
  select not exists (select from payments_charges c where c.intent_id = payments_closed.intent_id
    and c.state not in ('expired', 'cancelled', 'failed'))
$$;

-- Its payer gives a payment up, in the transaction that says so: nothing is opened for it any more, and what is open
-- is closed, by the cron where nobody else does it. The caller locks the intent before the rows of its purpose.
create or replace function payments_give_up(intent_id uuid) returns void language plpgsql as $$
begin
  update payments_intents i set given_up_at = now(), updated_at = now()
  where i.id = payments_give_up.intent_id and i.given_up_at is null;
  if found then
    update payments_charges c set check_at = least(c.check_at, now() + interval '30 seconds')
    where c.intent_id = payments_give_up.intent_id and c.check_at is not null;
  end if;
end $$;

-- {intent_id, customer_email?, charges: [{id, state: pending|unknown|failed, transaction_id?, qr_string?,
-- qr_image_url?, payment_url?, expires_at?, failure?}]} -> {state, given_up, shown, close}: what the provider answered.
-- Forward only: it fills what is empty and never takes back a payment. When every charge surely failed, so has the
-- intent. `shown`: what its payer is shown of each charge from now on, whichever answer was recorded first. `close`: what the provider has just opened of a payment that was given up meanwhile, to be ended there.
create or replace function payments_charged(input jsonb) returns jsonb language plpgsql as $$
declare
  intent payments_intents;
begin
  select * into intent from payments_intents i where i.id = (input->>'intent_id')::uuid for no key update;
  update payments_charges c set
    state = case when c.state in ('creating', 'unknown') or (c.state = 'failed' and a.state = 'pending')
      then a.state else c.state end,
    transaction_id = coalesce(c.transaction_id, a.transaction_id),
    qr_string = coalesce(c.qr_string, a.qr_string),
    qr_image_url = coalesce(c.qr_image_url, a.qr_image_url),
    payment_url = coalesce(c.payment_url, a.payment_url),
    expires_at = case when c.state = 'creating' then coalesce(a.expires_at, c.expires_at) else c.expires_at end,
    failure = case when a.state = 'pending' then null else coalesce(a.failure, c.failure) end,
    check_at = case
      when c.state in ('creating', 'unknown') and a.state = 'failed' then null
      when c.state in ('creating', 'unknown', 'failed')
        then payments_next_check(payments_asked_since(intent), coalesce(a.expires_at, c.expires_at))
      else c.check_at end,
    updated_at = now()
  from jsonb_to_recordset(input->'charges') a(id uuid, state text, transaction_id text, qr_string text,
    qr_image_url text, payment_url text, expires_at timestamptz, failure text)
  where c.id = a.id and c.intent_id = intent.id;

  update payments_intents i set customer_email = coalesce(i.customer_email, input->>'customer_email'),
    state = case when i.state = 'pending' and payments_closed(i.id) then 'failed' else i.state end,
    updated_at = now()
  where i.id = intent.id
  returning * into intent;
  return jsonb_build_object('state', intent.state, 'given_up', intent.given_up_at is not null,
    'shown', (select coalesce(jsonb_agg(jsonb_build_object('qr_string', c.qr_string, 'qr_image_url', c.qr_image_url,
        'payment_url', c.payment_url) order by c.channel), '[]')
      from payments_charges c where c.intent_id = intent.id),
    'close', (select coalesce(jsonb_agg(jsonb_build_object('provider_ref', c.provider_ref, 'channel', c.channel,
        'transaction_id', c.transaction_id)), '[]')
      from payments_charges c join jsonb_to_recordset(input->'charges') a(id uuid, state text) on a.id = c.id
      where c.intent_id = intent.id and a.state = 'pending' and intent.given_up_at is not null
        and c.state not in ('paid', 'refunding', 'refunded')));
end $$;
