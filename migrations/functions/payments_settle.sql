-- Money that arrived, and money that can no longer arrive. Both are called in one transaction with the statement of
-- the intent's purpose, which books gateway/<provider> -> its own account when the intent is 'paid' and releases
-- what it holds when it is 'expired' or 'failed'. Guarantee: of any number of parallel, repeated and reordered
-- calls exactly one settles or closes the intent, and every payment is either allocated once or goes back once.

-- Locks a charge below its intent. Raises not_found for a reference that is not ours.
create or replace function payments_lock(provider_ref text) returns payments_charges language plpgsql as $$
declare
  charge payments_charges;
begin
  perform from payments_intents i
  where i.id = (select c.intent_id from payments_charges c where c.provider_ref = payments_lock.provider_ref)
  for no key update;
  select * into charge from payments_charges c
  where c.provider_ref = payments_lock.provider_ref for no key update;
  if not found then
    perform app_error('not_found', 'Tagihan tidak ditemukan');
  end if;
  return charge;
end $$;

-- What both answer. `close`: the other charges that are still open, to be ended at the provider.
create or replace function payments_answer(charge payments_charges, first boolean, wake jsonb)
returns jsonb language sql stable as $$
  select jsonb_build_object('intent_id', i.id, 'purpose', i.purpose, 'purpose_id', i.purpose_id, 'state', i.state,
    'first', payments_answer.first, 'wake', payments_answer.wake,
    'close', (select coalesce(jsonb_agg(c.provider_ref), '[]') from payments_charges c
      where c.intent_id = i.id and i.state = 'paid' and c.state in ('creating', 'unknown', 'pending')))
  from payments_intents i where i.id = charge.intent_id
$$;

-- {provider_ref, transaction_id, amount, paid_at} -> {intent_id, purpose, purpose_id, state, first, wake, close}.
-- The provider has the money. The first paid charge of a pending intent pays it (`first`); a second one, or one
-- after the intent was closed, goes back by itself. A repeat changes nothing. Another amount is refused (conflict).
create or replace function payments_settle(input jsonb) returns jsonb language plpgsql as $$
declare
  charge payments_charges;
  intent payments_intents;
  wake jsonb := '[]';
begin
  -- A repeat takes no lock, so that it cannot wait for a purpose that refunds this charge at the same time.
  select * into charge from payments_charges c where c.provider_ref = input->>'provider_ref';
  if charge.state in ('paid', 'refunding', 'refunded') then
    return payments_answer(charge, false, wake);
  end if;
  charge := payments_lock(input->>'provider_ref');
  if charge.state in ('paid', 'refunding', 'refunded') then
    return payments_answer(charge, false, wake);
  end if;
  select * into intent from payments_intents i where i.id = charge.intent_id;
  if (input->>'amount')::bigint is distinct from intent.amount then
    perform app_error('conflict', 'Jumlah pembayaran tidak sesuai tagihan');
  end if;

  update payments_charges c set state = 'paid', settles_intent = intent.state = 'pending', check_at = null,
    failure = null, transaction_id = coalesce(input->>'transaction_id', c.transaction_id),
    paid_at = coalesce((input->>'paid_at')::timestamptz, now()), updated_at = now()
  where c.id = charge.id
  returning * into charge;
  if charge.settles_intent then
    update payments_intents i set state = 'paid', paid_at = charge.paid_at, updated_at = now() where i.id = intent.id;
  else
    wake := payments_refund(charge.id, case when intent.state in ('paid', 'refunded') then 'paid_twice' else 'paid_late' end);
  end if;
  return payments_answer(charge, charge.settles_intent, wake);
end $$;

-- {provider_ref, state: expired|cancelled|failed} -> as payments_settle. The charge can no longer be paid; when that
-- holds for every charge, the intent is closed (`first`). Without effect on a charge that was paid.
create or replace function payments_expire(input jsonb) returns jsonb language plpgsql as $$
declare
  charge payments_charges := payments_lock(input->>'provider_ref');
  closed boolean;
begin
  update payments_charges c set state = input->>'state', check_at = null, updated_at = now()
  where c.id = charge.id and c.state in ('creating', 'unknown', 'pending');
  update payments_intents i set updated_at = now(), state = case
      when exists (select from payments_charges c where c.intent_id = i.id and c.state <> 'failed') then 'expired'
      else 'failed' end
  where i.id = charge.intent_id and i.state = 'pending' and payments_closed(i.id);
  closed := found;
  return payments_answer(charge, closed, '[]');
end $$;

-- {provider_ref, failure, alert_to} -> {wake}: something about a charge that only a person can judge; the operator
-- is told once per charge and finding. Changes nothing else.
create or replace function payments_flag(input jsonb) returns jsonb language plpgsql as $$
declare
  charge payments_charges;
begin
  update payments_charges c set failure = input->>'failure', updated_at = now()
  where c.provider_ref = input->>'provider_ref'
  returning * into charge;
  if not found then return jsonb_build_object('wake', '[]'::jsonb); end if;
  return jsonb_build_object('wake', jobs_wakes(mail_enqueue('alert', input->>'alert_to',
    'alert/charge/' || charge.id || '/' || charge.failure, jsonb_build_object(
      'what', 'Pembayaran perlu diperiksa: ' || charge.failure,
      'facts', jsonb_build_object('tagihan', charge.provider_ref, 'status', charge.state)))));
end $$;
