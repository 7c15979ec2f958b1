-- Our orders of one Jakarta day beside the supplier's. A report is written once a day; looking again replaces it.

-- {start, end} -> {orders: [{id, number, family, trxid, state, charged, quoted, target}], counts: {family: n}}. What was paid
-- that day and may have been bought; `counts`: how many were since, so that a list of the latest reaches back to it.
create or replace function topup_reconcile_orders(input jsonb) returns jsonb language plpgsql stable as $$
declare
  opens timestamptz := (input->>'start')::timestamptz;
  closes timestamptz := (input->>'end')::timestamptz;
  since uuid := uuidv7(opens - clock_timestamp() - interval '2 days');
begin
  return jsonb_build_object(
    'orders', (select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'number', o.number, 'family', o.family,
        'trxid', o.trxid, 'state', o.state, 'charged', coalesce(o.charged_amount, o.supplier_amount),
        'quoted', o.supplier_amount, 'target', o.target) order by o.id), '[]')
      from topup_orders o
      where o.id >= since and o.paid_at >= opens and o.paid_at < closes
        and (o.trxid is not null or o.state in ('queued', 'buying', 'unknown', 'review'))),
    'counts', (select coalesce(jsonb_object_agg(family, n), '{}') from (
        select o.family, count(*) as n from topup_orders o
        where o.id >= since and o.paid_at >= opens group by o.family) c));
end $$;

-- What the supplier should have left at `until`: what it had at the last report of an earlier day, less what it was
-- paid since, and with what it gave back. Null before the first report.
create or replace function topup_expected_balance(report_day date, until timestamptz) returns bigint
language plpgsql stable as $$
declare
  was topup_reconciliations;
  old uuid;
begin
  select * into was from topup_reconciliations r where r.day < report_day order by r.day desc limit 1;
  if not found then return null; end if;
  old := uuidv7(was.balance_at - clock_timestamp() - interval '30 days');
  return was.balance
    - (select coalesce(sum(coalesce(o.charged_amount, o.supplier_amount)), 0) from topup_orders o
      where o.id >= old and o.trxid is not null and o.attempt_at > was.balance_at and o.attempt_at <= until)
    + (select coalesce(sum(case o.state
          when 'partial' then floor(coalesce(o.charged_amount, o.supplier_amount)::numeric
            * least(o.remain, o.quantity) / o.quantity)
          else coalesce(o.charged_amount, o.supplier_amount) end), 0) from topup_orders o
      where o.id >= old and o.trxid is not null and o.state in ('failed', 'cancelled', 'refunded', 'partial')
        and o.finished_at > was.balance_at and o.finished_at <= until);
end $$;

-- {day, orders, matched, missing_there, listed: [{trxid, …}], price_differences, state_differences, balance, balance_at,
-- alert_to} -> {clean, wake}. `listed`: the supplier's purchases; those that are no order of ours are told about in the
-- first report that sees them. Differences are mailed once a day.
create or replace function topup_reconcile_write(input jsonb) returns jsonb language plpgsql as $$
declare
  report_day date := (input->>'day')::date;
  seen_at timestamptz := (input->>'balance_at')::timestamptz;
  strays jsonb;
  r topup_reconciliations;
  mail jsonb;
begin
  insert into topup_reconciled_strays (trxid, day)
  select l->>'trxid', report_day from jsonb_array_elements(input->'listed') l
  where not exists (select from topup_orders o where o.trxid = l->>'trxid')
  on conflict do nothing;
  select coalesce(jsonb_agg(l order by l->>'trxid'), '[]') into strays from jsonb_array_elements(input->'listed') l
  where exists (select from topup_reconciled_strays s where s.trxid = l->>'trxid' and s.day = report_day)
    and not exists (select from topup_orders o where o.trxid = l->>'trxid');

  insert into topup_reconciliations as x (day, orders, matched, missing_there, missing_here, price_differences,
    state_differences, expected_balance, balance, balance_at, clean)
  values (report_day, (input->>'orders')::int, (input->>'matched')::int, input->'missing_there', strays,
    input->'price_differences', input->'state_differences', topup_expected_balance(report_day, seen_at),
    (input->>'balance')::bigint, seen_at, false)
  on conflict (day) do update set orders = excluded.orders, matched = excluded.matched,
    missing_there = excluded.missing_there, missing_here = excluded.missing_here,
    price_differences = excluded.price_differences, state_differences = excluded.state_differences,
    expected_balance = excluded.expected_balance, balance = excluded.balance, balance_at = excluded.balance_at,
    created_at = now();
  update topup_reconciliations x set clean = jsonb_array_length(x.missing_there) = 0
      and jsonb_array_length(x.missing_here) = 0 and jsonb_array_length(x.price_differences) = 0
      and jsonb_array_length(x.state_differences) = 0 and coalesce(x.balance >= x.expected_balance, true)
  where x.day = report_day
  returning * into r;
  if not r.clean then
    mail := mail_enqueue('alert', input->>'alert_to', 'alert/topup-reconcile/' || report_day, jsonb_build_object(
      'what', 'Rekonsiliasi top-up ' || report_day || ' menemukan perbedaan',
      'facts', jsonb_build_object('pesanan', r.orders, 'cocok', r.matched,
        'tidak ada di penyedia', jsonb_array_length(r.missing_there),
        'bukan pesanan kita', jsonb_array_length(r.missing_here),
        'beda harga', jsonb_array_length(r.price_differences), 'beda status', jsonb_array_length(r.state_differences),
        'saldo', r.balance, 'saldo seharusnya', coalesce(r.expected_balance::text, '-'),
        'selisih saldo', coalesce((r.balance - r.expected_balance)::text, '-'))));
  end if;
  return jsonb_build_object('clean', r.clean, 'wake', jobs_wakes(mail));
end $$;

-- `surplus`: how much more the supplier holds than it should by our books. Whoever pays in there must have paid just that:
-- a payment of ours hides an equal shortfall.
create or replace function topup_report_view(r topup_reconciliations) returns jsonb language sql stable as $$
  select jsonb_build_object('day', r.day, 'orders', r.orders, 'matched', r.matched, 'missingThere', r.missing_there,
    'missingHere', r.missing_here, 'priceDifferences', r.price_differences, 'stateDifferences', r.state_differences,
    'expectedBalance', r.expected_balance, 'surplus',
    r.balance - r.expected_balance, 'balance', r.balance, 'balanceAt', r.balance_at, 'clean', r.clean,
    'createdAt', r.created_at)
$$;
