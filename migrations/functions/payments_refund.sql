-- Money going back. Guarantee: a charge is refunded at most once, and what is owed lies in refund_due/<provider>
-- until the provider confirms (-> gateway) or refuses for good (-> the payer's wallet), whichever comes first.

-- Owes the payment of a charge to its payer and asks the job 'payments.refund' to send it back. Returns its wake
-- list; empty when that was done before. Books gateway -> refund_due, which is right for money that no purpose has
-- taken (expired, sold out, paid twice). With `allocated` it books nothing: the caller, who had moved the money on,
-- moves it to refund_due/<provider> himself in the same transaction.
create or replace function payments_refund(charge_id uuid, reason text, allocated boolean default false)
returns jsonb language plpgsql as $$
declare
  charge payments_charges;
  intent payments_intents;
  refund payments_refunds;
begin
  select * into charge from payments_charges c where c.id = payments_refund.charge_id for no key update;
  if charge.state in ('refunding', 'refunded') then
    return '[]';
  elsif charge.state is distinct from 'paid' then
    perform app_error('conflict', 'Pembayaran ini belum diterima');
  end if;
  select * into intent from payments_intents i where i.id = charge.intent_id;
  insert into payments_refunds (charge_id, amount, reason) values (charge.id, intent.amount, payments_refund.reason)
  returning * into refund;
  update payments_charges c set state = 'refunding', updated_at = now() where c.id = charge.id;
  if not allocated then
    perform ledger_transfer('refund/' || charge.id, 'gateway', intent.provider, 'refund_due', intent.provider,
      intent.amount, 'Pengembalian dana ' || charge.provider_ref);
  end if;
  -- The pauses grow to an hour, so these attempts outlast the 7 days for which a refund key may be repeated.
  return jobs_wakes(jobs_enqueue('payments.refund', 'provisioning', 'payments.refund/' || refund.id,
    jsonb_build_object('refund_id', refund.id), now(), 250));
end $$;

-- Owes a part of a charge (or all of it) to its payer. The caller has moved that much to refund_due/<provider> in the
-- same transaction, and found the charge `paid` under the lock of its intent: a charge goes back once, however much of
-- it. Returns the wake list.
create or replace function payments_refund_part(charge_id uuid, part bigint, reason text) returns jsonb language plpgsql as $$
declare
  charge payments_charges;
  refund payments_refunds;
begin
  select * into charge from payments_charges c where c.id = payments_refund_part.charge_id for no key update;
  if charge.state is distinct from 'paid'
    or part > (select i.amount from payments_intents i where i.id = charge.intent_id) then
    perform app_error('conflict', 'Pembayaran ini tidak dapat dikembalikan');
  end if;
  insert into payments_refunds (charge_id, amount, reason) values (charge.id, part, payments_refund_part.reason)
  returning * into refund;
  update payments_charges c set state = 'refunding', updated_at = now() where c.id = charge.id;
  return jobs_wakes(jobs_enqueue('payments.refund', 'provisioning', 'payments.refund/' || refund.id,
    jsonb_build_object('refund_id', refund.id), now(), 250));
end $$;

-- {refund_id} -> {asked_before, refund: {id, state, amount, reason, created_at}, charge: payments_charge_view} or
-- null. Marks it as asked for, to be called before the provider is.
create or replace function payments_refund_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  refund payments_refunds;
begin
  select * into refund from payments_refunds r where r.id = (input->>'refund_id')::uuid for no key update;
  if not found then return null; end if;
  if refund.state = 'queued' then
    update payments_refunds r set state = 'requested', requested_at = now() where r.id = refund.id;
  end if;
  return jsonb_build_object('asked_before', refund.state <> 'queued', 'refund', to_jsonb(refund),
    'charge', (select payments_charge_view(c) from payments_charges c where c.id = refund.charge_id));
end $$;

-- {refund_id, state: refunded|credited} -> {state, wake}: the end of a refund, once; a later call changes nothing
-- and answers with the first end.
create or replace function payments_refund_finish(input jsonb) returns jsonb language plpgsql as $$
declare
  refund payments_refunds;
  charge payments_charges;
  intent payments_intents;
  mail jsonb;
begin
  perform from payments_intents i where i.id = (select c.intent_id from payments_charges c
    join payments_refunds r on r.charge_id = c.id where r.id = (input->>'refund_id')::uuid) for no key update;
  select * into refund from payments_refunds r where r.id = (input->>'refund_id')::uuid for no key update;
  if refund.state in ('refunded', 'credited') then
    return jsonb_build_object('state', refund.state, 'wake', '[]'::jsonb);
  end if;
  update payments_refunds r set state = input->>'state', finished_at = now() where r.id = refund.id
  returning * into refund;
  update payments_charges c set state = 'refunded', updated_at = now() where c.id = refund.charge_id
  returning * into charge;
  update payments_intents i set updated_at = now(),
    state = case when charge.settles_intent and refund.amount = i.amount then 'refunded' else i.state end
  where i.id = charge.intent_id
  returning * into intent;

  if refund.state = 'refunded' then
    perform ledger_transfer('refunded/' || charge.id, 'refund_due', intent.provider, 'gateway', intent.provider,
      refund.amount, 'Dana dikembalikan ' || charge.provider_ref);
  else
    perform ledger_transfer('credited/' || charge.id, 'refund_due', intent.provider, 'wallet', intent.user_id::text,
      refund.amount, 'Pengembalian dana ' || charge.provider_ref);
  end if;
  mail := mail_enqueue('payment_refunded', intent.customer_email, 'payment_refunded/' || refund.id,
    jsonb_build_object('payment', charge.provider_ref, 'amount', refund.amount, 'to', refund.state));
  return jsonb_build_object('state', refund.state, 'wake', jobs_wakes(mail));
end $$;
