-- When the supplier's silence about an order in doubt is believed. This file alone says so.
--
-- What is promised: `status` with `limit` lists "the latest" purchases of a family. Its rows have no time and no reference
-- of ours, and nothing is said of how late a purchase shows, or that an older one shows before a newer one.
--
-- A look is silent when
--   1. it was asked for after the attempt's lease, so that nothing of the attempt is still on its way;
--   2. the list goes back to before the attempt, or is all that was ever sold;
--   3. it lacks no purchase that was surely made since the attempt: of another order of ours, by its trxid, or one that a
--      signed callback names and no order and no list explains. Only what was made in the last 5 minutes may be lacked,
--      where it is newer than all that the list shows: lists that are always a little late would else prove nothing while
--      we sell;
--   4. no row can be the order's (topup_orders_match.sql).
-- Silence is believed when all looks were silent
--   a. for 5 minutes beside something newer: a purchase of ours whose attempt began after the lease of this one;
--   b. else for 6 hours. Meanwhile the customer sees the order being processed, and after one hour the operator hears of it.
-- A look that lacks what 3 asks for, or shows nothing newer any more, starts the waiting anew.
--
-- So no order that was bought is refunded, however late the supplier's lists are as a whole, while (a) no purchase shows
-- more than 5 minutes after one that was made later, and (b) no list without a newer purchase of ours stands still for
-- 6 hours. Beyond that the purchase is told about as soon as a list shows it (topup_orders_late.sql).

create or replace function topup_silence_beside_newer() returns interval language sql immutable as $$
  select interval '5 minutes'
$$;

create or replace function topup_silence_alone() returns interval language sql immutable as $$
  select interval '6 hours'
$$;

-- What the list is worth to the order: `whole`: silent, as far as 2 and 3 go; `lagging`: it lacks what 3 asks for;
-- `short`: it does not go back so far.
create or replace function topup_list_worth(o topup_orders, input jsonb) returns text language sql stable as $$
  select case when topup_is_whole_list(o, input) then 'whole'
    when topup_row_before(o, input->'rows') is null then 'short'
    when topup_lacks_newer(o, input) then 'lagging' else 'whole' end
$$;

-- Where the list comes to what was bought before the attempt: the first row that is known to have been over, or seen, by
-- then; null: nowhere.
create or replace function topup_row_before(o topup_orders, history jsonb) returns bigint language sql stable as $$
  select min(r.n) from topup_history_rows(history) r
  where exists (select from topup_orders x
      where x.trxid = r.trxid and x.bought_at < o.attempt_at - interval '5 seconds')
    or exists (select from topup_supplier_sightings w
      where w.trxid = r.trxid and w.seen_at < o.attempt_at - interval '1 minute')
$$;

-- Where the list has the last of what was surely bought after the attempt's lease: ours, begun after it; null: nowhere.
create or replace function topup_row_after(o topup_orders, history jsonb) returns bigint language sql stable as $$
  select max(r.n) from topup_history_rows(history) r join topup_orders x on x.trxid = r.trxid
  where x.family = o.family and x.attempt_at >= o.attempt_until and x.bought_at is not null
$$;

-- Whether the list lacks a purchase that was surely made since the attempt. Where it shows something newer than the order,
-- what is newer than that and of the last minutes is not lacked.
create or replace function topup_lacks_newer(o topup_orders, input jsonb) returns boolean language sql stable as $$
  with listed as materialized (
    select r.trxid from topup_history_rows(input->'rows') r
  ), told as materialized (
    select least(a.at - interval '5 seconds', case when max(x.attempt_at) is not null
      then greatest(a.at - topup_silence_beside_newer(), max(x.attempt_at)) end) as at, a.at as asked_at
    from (select (input->>'asked_at')::timestamptz as at) a
    left join (listed l join topup_orders x on x.trxid = l.trxid)
      on x.family = o.family and x.attempt_at >= o.attempt_until and x.bought_at is not null
    group by a.at
  )
  select exists (
    select from topup_orders x, told
    where x.family = o.family and x.trxid is not null and x.attempt_at > o.attempt_at and x.bought_at < told.at
      -- Unpaid and waiting orders are attempted at most so long after their number was given.
      and x.id >= uuidv7(o.attempt_at - clock_timestamp() - interval '2 hours')
      and not exists (select from listed l where l.trxid = x.trxid)
  ) or exists (
    select from inbox_events e, told, split_part(e.event_key, '/', 1) named(trxid)
    where e.retry_at is not null and e.provider = 'vip-reseller' and e.state = 'parked'
      and e.received_at >= o.attempt_at and e.received_at < told.asked_at - interval '5 seconds'
      and not exists (select from topup_orders x where x.trxid = named.trxid)
      and not exists (select from topup_supplier_sightings w where w.trxid = named.trxid)
      and not exists (select from listed l where l.trxid = named.trxid)
  )
$$;

-- Whether the list is all that the supplier ever sold us of the family: shorter than asked for, and with every purchase
-- that we know of, of which there must be one. For where none is known, nothing proves that lists are answered at all: a
-- family's first order in doubt waits for the next, for a day.
create or replace function topup_is_whole_list(o topup_orders, input jsonb) returns boolean language sql stable as $$
  select jsonb_array_length(input->'rows') < (input->>'asked')::int
    and exists (select from topup_history_rows(input->'rows') r join topup_orders x on x.trxid = r.trxid)
    and not exists (select from topup_orders x
      where x.family = o.family and x.trxid is not null and x.bought_at < l.told
        and not exists (select from topup_history_rows(input->'rows') r where r.trxid = x.trxid))
    and not exists (select from topup_supplier_sightings w where w.family = o.family and w.seen_at < l.told
      and not exists (select from topup_history_rows(input->'rows') r where r.trxid = w.trxid))
    and not topup_lacks_newer(o, input)
  from (select (input->>'asked_at')::timestamptz - interval '5 seconds' as told) l
$$;

-- How long a list that proves nothing is asked for again before a person must look. A family of which no purchase is known
-- waits a day for its next one, which would prove what the list is worth.
create or replace function topup_proof_patience(o topup_orders) returns interval language sql stable as $$
  select case when exists (select from topup_orders x where x.family = o.family and x.trxid is not null)
      or exists (select from topup_supplier_sightings w where w.family = o.family)
    then topup_silence_alone() else interval '1 day' end
$$;

-- One more silent look; returns the order as it is then. The caller has locked it.
create or replace function topup_silence_note(o topup_orders, input jsonb) returns topup_orders
language plpgsql as $$
declare
  asked timestamptz := (input->>'asked_at')::timestamptz;
  newer boolean := topup_row_after(o, input->'rows') is not null;
begin
  update topup_orders x set absences = x.absences + 1, absent_since = coalesce(x.absent_since, asked),
    newer_since = case when newer then coalesce(x.newer_since, asked) end
  where x.id = o.id
  returning * into o;
  return o;
end $$;

-- The waiting starts anew.
create or replace function topup_silence_broken(o topup_orders) returns void language sql as $$
  update topup_orders x set absent_since = null, newer_since = null
  where x.id = o.id and x.absent_since is not null
$$;

-- When silence is believed, if every look until then is silent; null: this one was not.
create or replace function topup_silence_due(o topup_orders) returns timestamptz language sql immutable as $$
  select least(o.newer_since + topup_silence_beside_newer(), o.absent_since + topup_silence_alone())
$$;
