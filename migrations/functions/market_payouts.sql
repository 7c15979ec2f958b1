-- A seller's balance on its way to his bank. Guarantees, from any number of connections at once: one open request a
-- seller; what is asked for leaves his wallet with the request and never exceeds what is in it less what he owes us;
-- it is paid once or comes back once, and what was paid comes back once where the bank sends it back; above the limit
-- two admins agree to either, and nobody to his own.
-- Lock order: the payout, then accounts.

-- market_payout_request({payout_id, seller_id, amount, minimum, needs_second_above, idempotency_key, input_hash, audit})
-- returns market_payout_view. A second open one violates market_payouts_open_key.
create or replace function market_payout_request(input jsonb) returns jsonb language plpgsql as $$
declare
  seller constant text := input->>'seller_id';
  wanted constant bigint := (input->>'amount')::bigint;
  earlier text;
  account market_bank_accounts;
  p market_payouts;
  has bigint;
begin
  earlier := http_claim(seller::bigint, input->>'idempotency_key', 'market.payout', input->>'input_hash',
    input->>'payout_id');
  if earlier is not null then
    return (select market_payout_view(x) from market_payouts x where x.id = earlier::uuid);
  end if;
  perform market_require_feature(jsonb_build_object('user_id', seller, 'flag', 'payouts'));
  if wanted < (input->>'minimum')::bigint then
    perform app_error('invalid_input', 'amount: paling sedikit Rp ' || (input->>'minimum'),
      jsonb_build_object('minimum', (input->>'minimum')::bigint));
  end if;
  select * into account from market_bank_accounts b where b.seller_id = seller::bigint for share;
  if not found then
    perform app_error('conflict', 'Simpan rekening bank Anda terlebih dahulu');
  end if;
  insert into market_payouts (id, seller_id, amount, bank_code, sealed_number, number_last4, holder, needs_second)
    values ((input->>'payout_id')::uuid, seller::bigint, wanted, account.bank_code, account.sealed_number,
      account.number_last4, account.holder,
      market_payout_needs_second(account, wanted, (input->>'needs_second_above')::bigint))
    returning * into p;
  select sum(a.balance) filter (where a.kind in ('wallet', 'advance')) into has
    from ledger_hold('IDR', array['wallet', 'payout', 'advance'], array[seller, seller, seller]) a;
  if has < wanted then
    perform app_error('insufficient_balance', 'Saldo tidak cukup', jsonb_build_object('needed', wanted, 'current', has));
  end if;
  perform ledger_transfer('payout/' || p.id, 'wallet', seller, 'payout', seller, wanted, 'Pencairan dana ' || p.id);
  perform market_payout_told(p, input, 'request', null);
  return market_payout_view(p);
end $$;

-- Two admins look at a payout above the limit, alone or together with the seller's others of the last day (also those that
-- came back on one admin's word, of which the bank may know nothing), and at any within a day of a change of the
-- account: whoever took the seller's sign-in over would change that first.
create or replace function market_payout_needs_second(account market_bank_accounts, wanted bigint, most bigint)
returns boolean language sql stable as $$
  select account.updated_at > greatest(account.created_at, now() - interval '1 day')
    or wanted + (select coalesce(sum(p.amount), 0) from market_payouts p where p.seller_id = account.seller_id
      and (p.state in ('requested', 'approved', 'paid') or p.state = 'bounced' and p.bounce_seconded_by is null)
      and p.created_at > now() - interval '1 day') > most
$$;

-- market_payout_decide({id, verb: approve|reject|paid|bounce|cancel, actor_id, reason, transfer_reference, claim, audit})
-- returns {payout, wake}. Only forward; what is done is answered again where it means the same, or has the same key. The
-- seller hears of each new state, live, and of an end also by mail.
create or replace function market_payout_decide(input jsonb) returns jsonb language plpgsql as $$
declare
  verb constant text := input->>'verb';
  actor constant bigint := (input->>'actor_id')::bigint;
  earlier constant text := http_claim_of(input->'claim', 'market.payout.' || verb, input->>'id');
  before market_payouts;
  p market_payouts;
begin
  select * into before from market_payouts x where x.id = (input->>'id')::uuid
    and (verb <> 'cancel' or x.seller_id = actor) for no key update;
  if not found then
    perform app_error('not_found', 'Pencairan tidak ditemukan');
  end if;
  if verb <> 'cancel' and before.seller_id = actor then
    perform app_error('forbidden', 'Pencairan sendiri diputuskan oleh admin lain');
  end if;
  if earlier is not null or (verb = 'paid' and before.state = 'paid'
      and before.transfer_reference = input->>'transfer_reference') then
    return jsonb_build_object('payout', market_payout_view(before), 'wake', '[]'::jsonb);
  end if;
  p := case verb when 'approve' then market_payout_approve(before, actor)
    when 'paid' then market_payout_paid(before, actor, input->>'transfer_reference')
    when 'bounce' then market_payout_bounce(before, actor, input->>'reason')
    else market_payout_back(before, actor, verb, input->>'reason') end;
  perform market_payout_told(p, input, verb, before.state);
  return jsonb_build_object('payout', market_payout_view(p), 'wake', jobs_wakes(
    case when p.state <> before.state then market_payout_news(p) end,
    case when p.state <> before.state and p.state in ('paid', 'bounced', 'rejected') then (select mail_enqueue('payout_' || p.state, u.email,
      'payout_' || p.state || '/' || p.id, jsonb_build_object('name', u.name, 'amount', p.amount,
        'bank', p.bank_code, 'last4', p.number_last4, 'reason', p.closed_reason, 'reference', p.transfer_reference))
      from identity_users u where u.id = p.seller_id) end));
end $$;

create or replace function market_payout_approve(p market_payouts, actor bigint) returns market_payouts
language plpgsql as $$
begin
  if p.state <> 'requested' then
    perform market_payout_refuse(p);
  elsif p.approved_by = actor then
    perform app_error('forbidden', 'Admin lain harus ikut menyetujui pencairan ini');
  elsif p.approved_by is null then
    update market_payouts x set approved_by = actor, approved_at = now(), updated_at = now(),
        state = case when p.needs_second then 'requested' else 'approved' end
      where x.id = p.id returning * into p;
  else
    update market_payouts x set seconded_by = actor, seconded_at = now(), state = 'approved', updated_at = now()
      where x.id = p.id returning * into p;
  end if;
  return p;
end $$;

-- The bank has it: the number of its transfer stands for one payout alone (market_payouts_transfer_key).
create or replace function market_payout_paid(p market_payouts, actor bigint, transfer text) returns market_payouts
language plpgsql as $$
begin
  if p.state <> 'approved' then
    perform market_payout_refuse(p);
  end if;
  update market_payouts x set state = 'paid', transfer_reference = transfer, closed_by = actor, closed_at = now(),
      updated_at = now() where x.id = p.id returning * into p;
  perform ledger_transfer('payout-paid/' || p.id, 'payout', p.seller_id::text, 'gateway', 'bank', p.amount,
    'Transfer ' || transfer);
  return p;
end $$;

-- The bank has sent the transfer back, says an admin, and above the limit another one: the money is the seller's again.
-- The number of the transfer stays taken; what he wants in his bank now is a payout of its own.
create or replace function market_payout_bounce(p market_payouts, actor bigint, why text) returns market_payouts
language plpgsql as $$
begin
  if p.state <> 'paid' then
    perform market_payout_refuse(p);
  elsif p.needs_second and p.bounced_by = actor then
    perform app_error('forbidden', 'Admin lain harus ikut menyatakan transfer ini gagal');
  elsif p.needs_second and p.bounced_by is null then
    update market_payouts x set bounced_by = actor, bounce_reason = why, updated_at = now()
      where x.id = p.id returning * into p;
    return p;
  end if;
  update market_payouts x set state = 'bounced', bounced_at = now(), closed_reason = coalesce(x.bounce_reason, why),
      bounced_by = coalesce(x.bounced_by, actor), bounce_reason = coalesce(x.bounce_reason, why),
      bounce_seconded_by = case when x.needs_second then actor end, updated_at = now()
    where x.id = p.id returning * into p;
  perform ledger_transfer('payout-bounced/' || p.id, 'gateway', 'bank', 'wallet', p.seller_id::text, p.amount,
    'Transfer ' || p.transfer_reference || ' gagal untuk pencairan ' || p.id);
  return p;
end $$;

-- Tells the seller's sockets how his payout stands (`payout:update`). Put the result into the wake list of the change.
create or replace function market_payout_news(p market_payouts) returns jsonb language sql as $$
  select jobs_enqueue('market.payout_news', 'provisioning', null, jsonb_build_object('payout_id', p.id))
$$;

-- The money is the seller's again. He himself may take a request back that no admin has agreed to.
create or replace function market_payout_back(p market_payouts, actor bigint, verb text, why text) returns market_payouts
language plpgsql as $$
begin
  if p.state not in ('requested', 'approved') or (verb = 'cancel' and p.approved_by is not null) then
    perform market_payout_refuse(p);
  end if;
  update market_payouts x set state = case verb when 'cancel' then 'cancelled' else 'rejected' end, closed_by = actor,
      closed_at = now(), closed_reason = why, updated_at = now() where x.id = p.id returning * into p;
  perform ledger_transfer('payout-back/' || p.id, 'payout', p.seller_id::text, 'wallet', p.seller_id::text, p.amount,
    'Pencairan dibatalkan ' || p.id);
  return p;
end $$;

create or replace function market_payout_refuse(p market_payouts) returns void language plpgsql as $$
begin
  perform app_error('conflict', case p.state when 'requested' then 'Pencairan ini belum atau sedang disetujui'
    when 'approved' then 'Pencairan ini sudah disetujui' when 'paid' then 'Pencairan ini sudah ditransfer'
    when 'bounced' then 'Transfer pencairan ini gagal dan dananya sudah kembali' else 'Pencairan ini sudah dibatalkan' end, jsonb_build_object('state', p.state));
end $$;

create or replace function market_payout_told(p market_payouts, input jsonb, verb text, was text) returns void
language plpgsql as $$
begin
  perform audit_write(input->'audit' || jsonb_build_object('action', 'market.payout.' || verb, 'subject_kind',
    'market_payout', 'subject_id', p.id, 'reason', coalesce(input->>'reason', p.closed_reason), 'before', jsonb_build_object('state', was),
    'after', jsonb_build_object('state', p.state, 'amount', p.amount, 'seller_id', p.seller_id,
      'transfer_reference', p.transfer_reference)));
end $$;

-- A payout without the number of its account.
create or replace function market_payout_view(p market_payouts) returns jsonb language sql stable as $$
  select jsonb_build_object('id', p.id, 'seller_id', p.seller_id, 'amount', p.amount, 'state', p.state,
    'bank_code', p.bank_code, 'account_last4', p.number_last4, 'account_holder', p.holder,
    'needs_second', p.needs_second, 'approved_by', p.approved_by, 'approved_at', market_iso(p.approved_at),
    'seconded_by', p.seconded_by, 'seconded_at', market_iso(p.seconded_at), 'closed_by', p.closed_by,
    'closed_at', market_iso(p.closed_at), 'closed_reason', p.closed_reason,
    'transfer_reference', p.transfer_reference, 'bounced_by', p.bounced_by, 'bounce_reason', p.bounce_reason,
    'bounce_seconded_by', p.bounce_seconded_by, 'bounced_at', market_iso(p.bounced_at),
    'created_at', market_iso(p.created_at))
$$;

-- market_bank_account_save({seller_id, bank_code, sealed_number, number_last4, holder, audit}) returns {wake}
-- The seller hears of it by mail: somebody else may have done it.
create or replace function market_bank_account_save(input jsonb) returns jsonb language plpgsql as $$
declare
  seller constant bigint := (input->>'seller_id')::bigint;
  before market_bank_accounts;
begin
  select * into before from market_bank_accounts b where b.seller_id = seller;
  insert into market_bank_accounts (seller_id, bank_code, sealed_number, number_last4, holder)
    values (seller, input->>'bank_code', input->>'sealed_number', input->>'number_last4', input->>'holder')
    on conflict on constraint market_bank_accounts_pkey do update set bank_code = excluded.bank_code,
      sealed_number = excluded.sealed_number, number_last4 = excluded.number_last4, holder = excluded.holder,
      updated_at = now();
  perform audit_write(input->'audit' || jsonb_build_object('action', 'market.bank_account.save', 'subject_kind', 'user',
    'subject_id', seller, 'before', jsonb_build_object('bank_code', before.bank_code, 'last4', before.number_last4),
    'after', jsonb_build_object('bank_code', input->>'bank_code', 'last4', input->>'number_last4')));
  return jsonb_build_object('wake', jobs_wakes((select mail_enqueue('bank_account_changed', u.email,
    'bank_account_changed/' || seller || '/' || extract(epoch from now()), jsonb_build_object('name', u.name,
      'bank', input->>'bank_code', 'last4', input->>'number_last4')) from identity_users u where u.id = seller)));
end $$;
