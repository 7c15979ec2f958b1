-- Many transfers at once, for callers that decide them beforehand (a room's gifts). The guarantees of
-- ledger_transfer.sql hold: what the caller got wrong fails here as a whole and moves nothing.

-- Balances change all the time: room on their pages keeps a change from touching the indexes.
alter table ledger_accounts set (fillfactor = 60);

-- Locks those accounts in id order until the transaction ends, makes the missing ones (in key order), and answers
-- with them as they are under the lock. Everything that a transaction moves is held by one such call.
create or replace function ledger_hold(money text, kinds text[], owners text[])
returns setof ledger_accounts language plpgsql as $$
begin
  insert into ledger_accounts (kind, owner_id, currency, may_overdraw)
  select distinct w.kind, w.owner_id, money, w.kind in ('gateway', 'promo', 'advance')
  from unnest(kinds, owners) w(kind, owner_id)
  where not exists (
    select from ledger_accounts a
    where a.kind = w.kind and a.owner_id = w.owner_id and a.currency = money
  )
  order by w.kind, w.owner_id
  on conflict do nothing;

  return query select a.* from ledger_accounts a
  where a.currency = money
    and (a.kind, a.owner_id) in (select w.kind, w.owner_id from unnest(kinds, owners) w(kind, owner_id))
  order by a.id
  for no key update;
end $$;

-- Transfers between accounts that ledger_hold has locked, in the order of the arrays, each kept with both balances as
-- they are after it. All or none: an account that may not overdraw and would, even in between, raises
-- 'insufficient_balance'; a reference that was used before violates ledger_transfers_reference_key.
create or replace function ledger_post_held(
  money text, refs text[], debits bigint[], credits bigint[], amounts bigint[], reasons text[]
) returns void language plpgsql as $$
declare
  is_short boolean;
begin
  with line as (
    select * from unnest(refs, debits, credits, amounts, reasons)
      with ordinality as l(reference, debit_id, credit_id, amount, reason, n)
  ), side as (
    select l.*, false as is_credit, l.debit_id as account_id, -l.amount as change from line l
    union all
    select l.*, true, l.credit_id, l.amount from line l
  ), held as materialized (
    select a.id, a.balance, a.may_overdraw from (select distinct s.account_id from side s) d
    cross join lateral (select * from ledger_accounts a
      where a.id = d.account_id and a.currency = money limit 1) a
  ), stand as (
    -- What an account held before stands as its line 0.
    select e.*, sum(e.change) over (partition by e.account_id order by e.n)::bigint as balance
    from (select s.* from side s
      union all
      select null, null, null, null, null, 0, null, h.id, h.balance from held h) e
  ), posted as (
    insert into ledger_transfers (reference, debit_account_id, credit_account_id, currency, amount,
      debit_balance, credit_balance, reason)
    select s.reference, s.debit_id, s.credit_id, money, s.amount,
      max(s.balance) filter (where not s.is_credit), max(s.balance) filter (where s.is_credit), s.reason
    from stand s
    where s.n > 0
    group by s.n, s.reference, s.debit_id, s.credit_id, s.amount, s.reason
    order by s.n
  ), moved as (
    update ledger_accounts a set balance = a.balance + m.change
    from (select s.account_id, sum(s.change)::bigint as change from side s group by s.account_id) m
    where a.id = m.account_id
  )
  select bool_or(s.n > 0 and s.balance < 0 and not exists (
      select from held h where h.id = s.account_id and h.may_overdraw)) or count(*) filter (where s.n = 0) <>
      count(distinct s.account_id) into is_short
  from stand s;
  if is_short then
    perform app_error('insufficient_balance', 'Saldo tidak cukup');
  end if;
end $$;
