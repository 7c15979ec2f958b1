-- The money of everybody. Guarantees, from any number of connections at once:
-- a transfer debits one account and credits another by the same amount or does nothing, so the balances of a
-- currency always add up to zero; a reference moves money once; an account that may not overdraw never goes
-- below zero. All accounts of a call are locked in id order before any is read, so two calls cannot deadlock.
-- That holds per transaction too when it calls once: several transfers of one cause belong in one ledger_post.

-- Both sides of every line, each account once.
create or replace function ledger_sides(lines jsonb)
returns table (kind text, owner_id text, currency text) language sql immutable as $$
  select distinct side.kind, side.owner, coalesce(line.currency, 'IDR')
  from jsonb_to_recordset(lines) as line(
    debit_kind text, debit_owner text, credit_kind text, credit_owner text, currency text
  ),
  lateral (values (line.debit_kind, line.debit_owner), (line.credit_kind, line.credit_owner)) side(kind, owner)
$$;

-- Locks every account of the lines until the transaction ends; missing ones are made, in key order for the same
-- reason as above. `no key` lets foreign keys of other transactions through.
create or replace function ledger_lock(lines jsonb) returns void language plpgsql as $$
begin
  insert into ledger_accounts (kind, owner_id, currency, may_overdraw)
  select s.kind, s.owner_id, s.currency, s.kind in ('gateway', 'promo', 'advance')
  from ledger_sides(lines) s
  where not exists (
    select from ledger_accounts a
    where a.kind = s.kind and a.owner_id = s.owner_id and a.currency = s.currency
  )
  order by s.kind, s.owner_id, s.currency
  on conflict do nothing;

  perform from ledger_accounts a
  where (a.kind, a.owner_id, a.currency) in (select s.kind, s.owner_id, s.currency from ledger_sides(lines) s)
  order by a.id
  for no key update;
end $$;

-- One line whose accounts are locked. A known reference moves nothing: the same accounts and amount get the first
-- id (`reason` is only words, a release may reword it), anything else is a conflict.
create or replace function ledger_apply(line jsonb) returns bigint language plpgsql as $$
declare
  most constant bigint := 9007199254740991;
  moved bigint := (line->>'amount')::bigint;
  money text := coalesce(line->>'currency', 'IDR');
  debit ledger_accounts;
  credit ledger_accounts;
  known ledger_transfers;
  new_id bigint;
begin
  if moved is null or moved <= 0 or moved > most then
    perform app_error('invalid_input', 'Jumlah harus lebih dari nol');
  end if;
  select * into debit from ledger_accounts a
  where a.kind = line->>'debit_kind' and a.owner_id = line->>'debit_owner' and a.currency = money;
  select * into credit from ledger_accounts a
  where a.kind = line->>'credit_kind' and a.owner_id = line->>'credit_owner' and a.currency = money;
  if debit.id = credit.id then
    perform app_error('invalid_input', 'Rekening asal dan tujuan sama');
  end if;

  select * into known from ledger_transfers t where t.reference = line->>'reference';
  if found then
    if (known.debit_account_id, known.credit_account_id, known.amount) is distinct from
       (debit.id, credit.id, moved) then
      perform app_error('conflict', 'Referensi transaksi sudah dipakai');
    end if;
    return known.id;
  end if;

  if debit.balance < moved and not debit.may_overdraw then
    perform app_error('insufficient_balance', 'Saldo tidak cukup',
      jsonb_build_object('needed', moved, 'current', debit.balance));
  end if;
  if debit.balance - moved < -most or credit.balance + moved > most then
    perform app_error('invalid_input', 'Jumlah melebihi batas');
  end if;

  update ledger_accounts set balance = balance - moved where id = debit.id;
  update ledger_accounts set balance = balance + moved where id = credit.id;
  insert into ledger_transfers (reference, debit_account_id, credit_account_id, currency, amount,
    debit_balance, credit_balance, reason)
  values (line->>'reference', debit.id, credit.id, money, moved,
    debit.balance - moved, credit.balance + moved, line->>'reason')
  on conflict (reference) do nothing
  returning id into new_id;
  -- A rival with the same accounts would have waited for the lock: this one used the reference for others.
  if new_id is null then
    perform app_error('conflict', 'Referensi transaksi sudah dipakai');
  end if;
  return new_id;
end $$;

-- Several transfers, all or none, in their order. `lines`: [{reference, debit_kind, debit_owner, credit_kind,
-- credit_owner, amount, reason, currency?}]. Returns their ids in the same order.
create or replace function ledger_post(lines jsonb) returns jsonb language plpgsql as $$
declare
  line jsonb;
  ids jsonb := '[]';
begin
  perform ledger_lock(lines);
  for line in select value from jsonb_array_elements(lines) loop
    ids := ids || to_jsonb(ledger_apply(line));
  end loop;
  return ids;
end $$;

-- One transfer; returns its id.
create or replace function ledger_transfer(
  reference text, debit_kind text, debit_owner text, credit_kind text, credit_owner text,
  amount bigint, reason text, currency text default 'IDR'
) returns bigint language plpgsql as $$
begin
  return (ledger_post(jsonb_build_array(jsonb_build_object(
    'reference', reference, 'debit_kind', debit_kind, 'debit_owner', debit_owner,
    'credit_kind', credit_kind, 'credit_owner', credit_owner,
    'amount', amount, 'reason', reason, 'currency', currency)))->>0)::bigint;
end $$;
