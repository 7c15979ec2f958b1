-- Purchases that show after the money of their order has gone back. Guarantee: the operator hears of each once, as soon as a
-- list has it (for two days the list goes back to the attempt, over 5,000 purchases at most; then it has the latest 100);
-- the order keeps its trxid and waits in the list of reviews; no money moves.

-- {family, seen_at, rows, alert_to} -> {added, wake}. What a list shows. Its purchases that belong to no order of ours
-- (yet) are noted with the time; those that can only be of an order that was refunded become its.
create or replace function topup_sightings_note(input jsonb) returns jsonb language plpgsql as $$
declare
  seen timestamptz := (input->>'seen_at')::timestamptz;
  added int;
  nobodys text[];
  owned text[];
  late record;
  o topup_orders;
  wakes jsonb := '[]';
begin
  nobodys := array(select distinct r.trxid from topup_history_rows(input->'rows') r
    where not exists (select from topup_orders x where x.trxid = r.trxid) order by r.trxid);
  with noted as (
    insert into topup_supplier_sightings as w (trxid, family, seen_at, target, ended_at)
    select distinct on (r.trxid) r.trxid, input->>'family',
      -- An answer, to an order that has it no more, had told of it before.
      least(seen, (select min(topup_answered_by(y)) + interval '55 seconds' from topup_orders y where y.answered_trxid = r.trxid)),
      r.target, case when r.outcome <> 'open' then seen end
    from topup_history_rows(input->'rows') r
    where r.trxid = any (nobodys) and not exists (select from topup_supplier_sightings known
      where known.trxid = r.trxid and (known.ended_at is not null or r.outcome = 'open'))
    order by r.trxid
    on conflict (trxid) do update set ended_at = excluded.ended_at where w.ended_at is null and excluded.ended_at is not null
    returning old.trxid is null as is_new
  ) select count(*) filter (where n.is_new) into added from noted n;
  owned := array(
    select l.trxid from topup_late_rows(input, nobodys) l
    where (topup_late_owner(input->>'family', to_jsonb(l))).id is not null order by l.trxid);
  -- All of them before any order, as a late answer takes its own before its order (topup_order_accepted).
  perform pg_advisory_xact_lock(hashtextextended('topup/late/' || t.trxid, 0)) from unnest(owned) t(trxid);
  for late in select l.* from topup_late_rows(input, owned) l order by l.trxid loop
    o := topup_late_owner(input->>'family', to_jsonb(late));
    update topup_orders x set trxid = late.trxid, told_at = null, review_reason = 'bought after all: ' || late.trxid, updated_at = now()
    where x.id = o.id and x.trxid is null and not exists (select from topup_orders y where y.trxid = late.trxid)
    returning * into o;
    continue when not found;
    wakes := wakes || jobs_wakes(topup_order_alert(o, 'Pembelian muncul setelah dana dikembalikan',
      late.trxid || ' / ' || late.service || coalesce(' / ' || late.price, ''), input->>'alert_to'));
  end loop;
  return jsonb_build_object('added', added, 'wake', wakes);
end $$;

-- The rows of these trxids for a target of an order of the last 30 days that ended without a purchase, with when a list had
-- each first.
create or replace function topup_late_rows(input jsonb, trxids text[]) returns table (trxid text, target text, zone text,
  code text, service text, quantity int, price bigint, seen_at timestamptz) language sql stable as $$
  select r.trxid, r.target, r.zone, r.code, r.service, r.quantity, r.price, w.seen_at
  from topup_history_rows(input->'rows') r join topup_supplier_sightings w on w.trxid = r.trxid
  where r.trxid = any (trxids) and w.seen_at > (input->>'seen_at')::timestamptz - interval '30 days'
    -- Looked up once for all: an account that is used past us shows thousands that are nobody's.
    and topup_plain_target(r.target) in (select topup_plain_target(x.target) from topup_orders x
      where x.id >= uuid_from(now() - interval '30 days') and x.state in ('failed', 'cancelled', 'refunded')
        and x.trxid is null and x.attempt_at is not null and x.family = input->>'family')
$$;

-- The order of the last 30 days that ended without a purchase, and whose purchase this can be: for its target, of its
-- service or of none that is plainly another, and not seen before its attempt. None while the row can be of an order
-- that is still open, or was told of in its answer: then the purchases are as many as the orders that are paid, whichever of them has it.
create or replace function topup_late_owner(family text, late jsonb) returns topup_orders language sql stable as $$
  select x.* from topup_orders x, topup_history_rows(jsonb_build_array(late)) r
  where x.id >= uuid_from(now() - interval '30 days') and x.state in ('failed', 'cancelled', 'refunded') and x.trxid is null
    and x.attempt_at is not null and x.family = topup_late_owner.family and topup_is_for(x, r.target)
    -- Not what a person was asked about when he gave the money of an order for this target back, unless it reads as this one's.
    and not (
      exists (select from topup_orders y where y.answered_trxid = r.trxid and topup_is_for(y, r.target)
        and y.state in ('failed', 'cancelled', 'refunded') and exists (select from topup_order_events e where e.order_id = y.id and e.state = 'review'))
      and topup_is_odd(x, r.target, r.zone, r.code, r.service, r.quantity, r.price))
    and topup_may_be_of(x.attempt_at, (late->>'seen_at')::timestamptz)
    and (topup_row_fits(x, r.zone, r.code, r.service, r.quantity)
      or not topup_row_is_other(x, r.zone, r.code, r.service, r.quantity, r.price))
    and not exists (select from topup_orders y
      where y.state in ('queued', 'buying', 'unknown', 'review') and y.trxid is null and y.family = x.family
        and topup_is_for(y, r.target) and not topup_row_is_other(y, r.zone, r.code, r.service, r.quantity, r.price))
    and not exists (select from topup_orders y where y.state in ('unknown', 'review') and y.answered_trxid = r.trxid)
  order by x.attempt_at desc limit 1
$$;

-- {now, listed, most} -> [{family, limit}]. Families with an order whose money silence, or a person while it was in doubt,
-- gave back in the last two days, and how long a list reaches back to the first of them.
create or replace function topup_late_families(input jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('family', f.family,
      'limit', topup_list_back_to(f.family, f.since, input))), '[]')
  from (select x.family, min(x.attempt_at) as since from topup_orders x
    where x.id >= uuid_from(now() - interval '30 days') and x.state in ('failed', 'cancelled', 'refunded') and x.trxid is null
      and x.attempt_at is not null and x.absences > 0
      and x.finished_at > (input->>'now')::timestamptz - interval '2 days'
    group by x.family) f
$$;

-- How long a list of the family goes back to `since`: by `listed` longer than what we know of since then, for what we do
-- not, but never longer than `most`. What is older has no part in it: a purchase made past us that nobody ever saw would
-- be seen for the first time, as if it were new.
create or replace function topup_list_back_to(family text, since timestamptz, input jsonb) returns bigint
language sql stable as $$
  select least((input->>'most')::bigint, (input->>'listed')::bigint
    + (select count(*) from topup_orders x
      where x.family = topup_list_back_to.family and x.trxid is not null and x.attempt_at >= since
        and x.id >= uuid_from(since - interval '2 hours'))
    + (select count(*) from topup_supplier_sightings w
      where w.family = topup_list_back_to.family and w.seen_at >= since))
$$;
