-- Money that a user pays into his own wallet: an intent of purpose 'deposit'.

-- {user_id, amount, provider, channels, expiry_minutes, customer_email, idempotency_key, input_hash}
-- -> {deposit_id, payment: payments_opened}. A repeat with the same key and input answers with the first deposit.
create or replace function payments_deposit_open(input jsonb) returns jsonb language plpgsql as $$
declare
  payer bigint := (input->>'user_id')::bigint;
  deposit text := uuidv7()::text;
  earlier text := http_claim(payer, input->>'idempotency_key', 'wallet.deposit', input->>'input_hash', deposit);
  payment jsonb;
begin
  if earlier is not null then
    return (select jsonb_build_object('deposit_id', i.purpose_id, 'payment', payments_opened(i.id))
      from payments_intents i where i.purpose = 'deposit' and i.purpose_id = earlier and i.user_id = payer);
  end if;
  payment := payments_open('deposit', deposit, payer, input->>'provider', (input->>'amount')::bigint,
    now() + make_interval(mins => (input->>'expiry_minutes')::int),
    array(select jsonb_array_elements_text(input->'channels')), input->>'customer_email');
  return jsonb_build_object('deposit_id', deposit, 'payment', payment);
end $$;

-- {intent_id} -> {wake}: puts a paid deposit into its payer's wallet, once.
create or replace function payments_deposit_settled(input jsonb) returns jsonb language plpgsql as $$
declare
  intent payments_intents;
begin
  select * into intent from payments_intents i
  where i.id = (input->>'intent_id')::uuid and i.purpose = 'deposit' and i.state = 'paid';
  if found then
    perform ledger_transfer('deposit/' || intent.id, 'gateway', intent.provider, 'wallet', intent.user_id::text,
      intent.amount, 'Isi saldo');
  end if;
  return jsonb_build_object('wake', '[]'::jsonb);
end $$;

-- {intent_id} -> {wake}: a deposit that was never paid held nothing.
create or replace function payments_deposit_expired(input jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('wake', '[]'::jsonb)
$$;
