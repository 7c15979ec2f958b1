-- Our orders of one Jakarta day beside the supplier's. A report is written once a day; looking again replaces it.

-- {day, days} -> {wake}: jobs for what is owed up to that day: its report, and those of the days before it on which
-- something was paid. One whose job failed for good is owed again, and one that was written before its day was over; none
-- has two jobs, from any number of connections.
create or replace function topup_reconcile_due(input jsonb) returns jsonb language plpgsql as $$
declare
  final date := (input->>'day')::date;
  wakes jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended('topup/reconcile', 0));
  select jsonb_agg(jobs_enqueue('topup.reconcile', 'topup', null, jsonb_build_object('day', d.day)) order by d.day)
  into wakes
  from (select final - n as day, (final - n)::timestamp at time zone 'Asia/Jakarta' as opens
    from generate_series(0, (input->>'days')::int - 1) n) d
  where not exists (select from topup_reconciliations r where r.day = d.day and topup_report_is_whole(r))
    and (d.day = final or exists (select from topup_orders o
      where o.id >= uuid_from(d.opens - interval '2 days')
        and o.id < uuid_from(d.opens + interval '25 hours')
        and o.paid_at >= d.opens and o.paid_at < d.opens + interval '1 day'))
    -- Each as its index is for.
    and not exists (select from jobs j where j.state in ('queued', 'unknown') and j.kind = 'topup.reconcile'
      and j.payload->>'day' = d.day::text)
    and not exists (select from jobs j where j.state = 'running' and j.kind = 'topup.reconcile'
      and j.payload->>'day' = d.day::text);
  return jsonb_build_object('wake', coalesce(wakes, '[]'));
end $$;

-- {start, end, after?, limit} -> {orders: [{id, number, family, trxid, state, charged, quoted, target, targetKind}], counts:
-- {family: n}}. The next by id of what was paid that day and may have been bought; `counts`: how many were paid since, so
-- that a list of the latest reaches back to it.
create or replace function topup_reconcile_orders(input jsonb) returns jsonb language plpgsql stable as $$
declare
  opens timestamptz := (input->>'start')::timestamptz;
  closes timestamptz := (input->>'end')::timestamptz;
  -- The first id is of 1970.
  since uuid := uuid_from(greatest(opens - interval '2 days', 'epoch'));
  first uuid := coalesce((input->>'after')::uuid, since);
begin
  return jsonb_build_object(
    'orders', (select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'number', o.number, 'family', o.family,
        'trxid', o.trxid, 'state', o.state, 'charged', coalesce(o.charged_amount, o.supplier_amount),
        'quoted', o.supplier_amount, 'target', o.target, 'targetKind', coalesce(o.target_kind,
          (select s.target_kind from topup_services s where s.id = o.service_id))) order by o.id), '[]')
      from (select * from topup_orders x
        where x.id > first and x.paid_at >= opens and x.paid_at < closes
          and (x.trxid is not null or x.state in ('queued', 'buying', 'unknown', 'review'))
        order by x.id limit (input->>'limit')::int) o),
    'counts', (select coalesce(jsonb_object_agg(family, n), '{}') from (
        select o.family, count(*) as n from topup_orders o
        where o.id >= since and o.paid_at >= opens group by o.family) c));
end $$;

-- What the supplier should have left at `until`: what it had at the last report of an earlier day, less what it was paid
-- since, with what it gave back and what the operator paid in. `lowest` and `highest`: a purchase that was on its way at
-- either look, and money that came back just then, may be in the balance or not. An order that is under way may be over
-- at the supplier already, with its money back; what an earlier report saw too much of is then not awaited again. Nulls
-- before the first report.
create or replace function topup_balance_expected(report_day date, until timestamptz,
  out expected bigint, out lowest bigint, out highest bigint) language plpgsql stable as $$
declare
  was topup_reconciliations;
  since timestamptz;
  old uuid;
  early bigint;
begin
  select * into was from topup_reconciliations r where r.day < report_day order by r.day desc limit 1;
  if not found then return; end if;
  since := was.balance_at;
  old := uuid_from(since - interval '30 days');
  -- What the reports since the first of the orders that ended now found too much; before the first, anything.
  select sum(coalesce(greatest(r.balance - r.expected_balance, 0), 1000000000000)) into early
  from topup_reconciliations r
  where r.day < report_day and r.balance_at >= (select min(o.attempt_at) from topup_orders o
    where o.id >= old and o.attempt_at <= since and o.finished_at > since and o.finished_at <= until);
  with moved as (
    select o.attempt_at, o.finished_at, o.trxid,
      -- No request outlives its attempt's lease of 75 s, so the supplier booked it by then or never.
      least(o.bought_at, o.attempt_at + interval '2 minutes') as booked_by,
      coalesce(o.charged_amount, o.supplier_amount) as paid,
      case when o.trxid is null then 0
        when o.state = 'partial' then floor(coalesce(o.charged_amount, o.supplier_amount)::numeric
          * least(o.remain, o.quantity) / o.quantity)
        when o.state in ('failed', 'cancelled', 'refunded') then coalesce(o.charged_amount, o.supplier_amount)
        else 0 end as back
    from topup_orders o
    where o.id >= old and o.attempt_at <= until
      and (o.trxid is not null or o.state in ('buying', 'unknown', 'review')))
  select was.balance
      + (select coalesce(sum(d.amount), 0) from topup_supplier_deposits d
        where d.paid_at > since and d.paid_at <= until)
      - coalesce(sum(m.paid) filter (where m.trxid is not null and m.attempt_at > since), 0)
      + coalesce(sum(m.back) filter (where m.finished_at > since and m.finished_at <= until), 0),
    coalesce(sum(m.paid) filter (where m.trxid is null and m.booked_by > since
        or m.trxid is not null and m.attempt_at <= since and m.booked_by > since - interval '1 minute'), 0)
      + coalesce(sum(m.back) filter (where m.attempt_at <= since and m.finished_at > since
        and m.finished_at <= since + interval '2 minutes'), 0)
      + least(coalesce(early, 0), coalesce(sum(m.back) filter (where m.attempt_at <= since
        and m.finished_at > since + interval '2 minutes' and m.finished_at <= until), 0)),
    coalesce(sum(m.paid) filter (where m.trxid is not null and m.attempt_at > since
        and m.booked_by > until - interval '1 minute'), 0)
      + coalesce(sum(m.back) filter (where m.finished_at > until), 0)
      + coalesce(sum(m.paid) filter (where m.trxid is not null and m.finished_at is null), 0)
  into expected, lowest, highest from moved m;
  lowest := expected - lowest;
  highest := expected + highest;
end $$;

-- {day, orders, matched, missing_there, listed: [{trxid, …}], price_differences, state_differences, balance, balance_at,
-- alert_to} -> {clean, wake}. `listed`: the supplier's purchases; those that are no order of ours are told about in the
-- first report that sees them. Differences of a day that is over are mailed, once.
create or replace function topup_reconcile_write(input jsonb) returns jsonb language plpgsql as $$
declare
  report_day date := (input->>'day')::date;
  seen_at timestamptz := (input->>'balance_at')::timestamptz;
  strays jsonb;
  r topup_reconciliations;
  should record;
  mail jsonb;
begin
  should := topup_balance_expected(report_day, seen_at);
  insert into topup_reconciled_strays (trxid, day)
  select l->>'trxid', report_day from jsonb_array_elements(input->'listed') l
  where not exists (select from topup_orders o where o.trxid = l->>'trxid')
  on conflict do nothing;
  select coalesce(jsonb_agg(l order by l->>'trxid'), '[]') into strays from jsonb_array_elements(input->'listed') l
  where exists (select from topup_reconciled_strays s where s.trxid = l->>'trxid' and s.day = report_day)
    and not exists (select from topup_orders o where o.trxid = l->>'trxid');

  insert into topup_reconciliations as x (day, orders, matched, missing_there, missing_here, price_differences,
    state_differences, expected_balance, least_balance, most_balance, balance, balance_at, clean)
  values (report_day, (input->>'orders')::int, (input->>'matched')::int, input->'missing_there', strays,
    input->'price_differences', input->'state_differences', should.expected, should.lowest, should.highest,
    (input->>'balance')::bigint, seen_at, false)
  on conflict (day) do update set orders = excluded.orders, matched = excluded.matched,
    missing_there = excluded.missing_there, missing_here = excluded.missing_here,
    price_differences = excluded.price_differences, state_differences = excluded.state_differences,
    expected_balance = excluded.expected_balance, least_balance = excluded.least_balance,
    most_balance = excluded.most_balance, balance = excluded.balance, balance_at = excluded.balance_at,
    created_at = now();
  update topup_reconciliations x set clean = jsonb_array_length(x.missing_there) = 0
      and jsonb_array_length(x.missing_here) = 0 and jsonb_array_length(x.price_differences) = 0
      and jsonb_array_length(x.state_differences) = 0 and coalesce(x.balance between x.least_balance and x.most_balance, true)
  where x.day = report_day
  returning * into r;
  -- Of a day that is not over its reader alone is told: the mail of the day is for the whole of it.
  if not r.clean and topup_report_is_whole(r) then
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

-- Whether the day was over when it was looked at: an admin may have it compared before.
create or replace function topup_report_is_whole(r topup_reconciliations) returns boolean language sql stable as $$
  select r.balance_at >= (r.day + 1)::timestamp at time zone 'Asia/Jakarta'
$$;

-- `surplus`: how much more the supplier holds than it should by our books. The report is clean while the balance lies
-- between the least and the most that it may be.
create or replace function topup_report_view(r topup_reconciliations) returns jsonb language sql stable as $$
  select jsonb_build_object('day', r.day, 'orders', r.orders, 'matched', r.matched, 'missingThere', r.missing_there,
    'missingHere', r.missing_here, 'priceDifferences', r.price_differences, 'stateDifferences', r.state_differences,
    'expectedBalance', r.expected_balance, 'leastBalance', r.least_balance, 'mostBalance', r.most_balance, 'surplus',
    r.balance - r.expected_balance, 'balance', r.balance, 'balanceAt', r.balance_at, 'clean', r.clean,
    'createdAt', r.created_at)
$$;

-- {id, amount, paid_at, note, actor_id, needs_second_above, claim, audit} -> topup_deposit_view: what the operator paid in
-- at the supplier, or an entry put right. Guarantee: one admin alone takes no more away in a day than the limit; what is
-- above it counts only once another admin asks for the same amount within a day (each asking once), as of the moment that
-- the first one named.
create or replace function topup_deposit_note(input jsonb) returns jsonb language plpgsql as $$
declare
  earlier text := http_claim_of(input->'claim', 'topup.deposit', input->>'id');
  actor bigint := (input->>'actor_id')::bigint;
  d topup_supplier_deposits;
  asked jsonb;
begin
  if earlier is not null then
    select * into d from topup_supplier_deposits x where x.id = earlier::uuid;
    return case when found then topup_deposit_view(d) else topup_deposit_asked(input->>'amount', null, earlier) end;
  end if;
  d.id := (input->>'id')::uuid;
  d.amount := (input->>'amount')::bigint;
  d.paid_at := (input->>'paid_at')::timestamptz;
  d.note := input->>'note';
  d.actor_id := actor;
  d.created_at := now();
  if d.amount < 0 then
    perform pg_advisory_xact_lock(hashtextextended('topup/correction', 0));
    -- Whoever asks for what another asked for confirms it, though he might take as much alone.
    asked := topup_deposit_asked(input->>'amount', actor, null);
    if asked is not null or topup_deposits_taken(actor) - d.amount > (input->>'needs_second_above')::bigint then
      perform audit_write(input->'audit' || jsonb_build_object('subject_kind', 'supplier_correction', 'subject_id',
        d.amount, 'reason', d.note, 'action', case when asked is null then 'topup.supplier.correction.request'
          else 'topup.supplier.correction.confirm' end,
        'after', coalesce(asked, topup_deposit_view(d) || '{"state": "waiting"}')));
      if asked is null then
        return topup_deposit_view(d) || '{"state": "waiting"}';
      end if;
      d.paid_at := (asked->>'paidAt')::timestamptz;
    end if;
  end if;
  insert into topup_supplier_deposits (id, amount, paid_at, note, actor_id)
  values (d.id, d.amount, d.paid_at, d.note, d.actor_id)
  returning * into d;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.supplier.deposit',
    'subject_kind', 'supplier_deposit', 'subject_id', d.id, 'reason', d.note, 'after', topup_deposit_view(d)));
  return topup_deposit_view(d);
end $$;

-- How much an admin has taken away by entries of the last day.
create or replace function topup_deposits_taken(actor bigint) returns bigint language sql stable as $$
  select coalesce(-sum(x.amount), 0)::bigint from topup_supplier_deposits x
  where x.actor_id = topup_deposits_taken.actor and x.amount < 0 and x.created_at > now() - interval '1 day'
$$;

-- The correction of that amount that waits: one that somebody else than `actor` asked for and nobody confirmed; or the one
-- with this id.
create or replace function topup_deposit_asked(amount text, actor bigint, id text) returns jsonb language sql stable as $$
  select e.after from audit_entries e
  where e.subject_kind = 'supplier_correction' and e.subject_id = topup_deposit_asked.amount
    and e.action = 'topup.supplier.correction.request'
    and case when topup_deposit_asked.id is not null then e.after->>'id' = topup_deposit_asked.id
      else e.actor_id <> actor and topup_is_admin(e.actor_id) and e.created_at > now() - interval '1 day' and not exists (
        select from audit_entries c where c.subject_kind = e.subject_kind and c.subject_id = e.subject_id
          and c.action = 'topup.supplier.correction.confirm' and c.after->>'id' = e.after->>'id') end
  order by e.id desc limit 1
$$;

create or replace function topup_deposit_view(d topup_supplier_deposits) returns jsonb language sql stable as $$
  select jsonb_build_object('id', d.id, 'amount', d.amount, 'paidAt', d.paid_at, 'note', d.note, 'actorId', d.actor_id,
    'createdAt', d.created_at, 'state', 'noted')
$$;
