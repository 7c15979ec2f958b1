-- When the supplier's silence about an order in doubt is believed. This file alone says so.
--
-- What is promised: `status` with `limit` lists "the latest" purchases of a family. Its rows have no time and no reference
-- of ours, and nothing is said of how late a purchase shows, that an older one shows before a newer one, or which stands
-- first: what is known of two of its rows tells that (topup_list_order).
--
-- Moments are those of our isolates, whose clocks are taken to differ by less than 5 seconds; of when lists first showed a
-- purchase a minute is left.
--
-- A look is a list that was asked for after the attempt's lease, so that nothing of the attempt is still on its way, and
-- by which the order is not plainly bought (topup_orders_match.sql). It is
--   `dead`     when it shows nothing that was surely made since the attempt, though two purchases were, 5 minutes ago and
--              more; or, being shorter than asked for, nothing that we ever bought, though two purchases were made in the
--              last 30 days that cannot stand behind its end. That is no answer, just as an error is none;
--   `short`    when it does not go back to before the attempt, nor is all that was ever sold. A list that is as long as asked for
--              does where it shows a row that was final by then (topup_row_final): what is not yet may have changed since, and
--              lists may be sorted by that; not where purchases show that it is in no order at all (topup_list_order);
--   `lagging`  when it lacks a purchase that was surely made since the attempt: of another order of ours, by its trxid, or
--              one that a signed callback names and no order, no list and no status explains, nor that the supplier denies
--              it in each family: of what is for no order in doubt an hour later, else 22 (nobodys.ts); or a row that another
--              list had since then and that may be the order's own; or has rows that cannot be read. Only what was made in
--              the last 5 minutes may be lacked, where it is newer than all that the list shows: lists that are always a
--              little late would else prove nothing while we sell. Once it shows one
--              that was begun 5 minutes after the order's lease, what is newer than that one less 5 minutes may be lacked,
--              however late the list is as a whole and single rows by so long: the order's own row would have shown;
--   `whole`    else.
-- Silence is believed by whole looks alone, at one that comes
--   a. 5 minutes after the first beside something newer: a purchase of ours whose attempt began after this one's lease;
--   b. 6 hours after the first. Meanwhile the customer sees the order being processed, and after one hour, and then every
--      day, the operator hears of it;
--   c. a day after the first, where lists are whole only for being all that was ever sold.
-- A dead or lagging look starts these waitings anew, and so does a short one that could be all that was ever sold but for
-- what it lacks; another short one or an error lets them be. None of them is ever a reason to refund, however many there
-- are. A list is all that was ever sold when it is shorter than asked for and lacks nothing that is known of the last 30
-- days, also where nothing is: older purchases a supplier may have forgotten. Before the day is over it ends a waiting only
-- where it shows a purchase that was made after the first look: a list that is cut at some length has stood still. In a
-- quiet shop none is made, and an order whose family had no purchase before would wait for a person.
--
-- So where lists never are whole, "bought" and "not bought" fit the facts equally well: after a day in doubt the order is in
-- the list of reviews, with what its looks lack (topup_doubt_reason), for a person to settle or refund. It is asked about
-- as before: as soon as a list tells, it is settled by that, and nobody is asked any more. What by then may be its own and
-- nobody else's is its own, also in a list that is not whole, if it lacks nothing that was shown for the order's target
-- (topup_orders_decide.sql).
--
-- An order that was bought is refunded by itself in these cases only, each a supplier whose lists lie:
--   1. its purchase is lacked for 5 minutes by lists that show one which was made after it, and all others that we know of
--      and that are no newer than that one less 5 minutes;
--   2. the list of a family stands still for 6 hours, in which we buy nothing else of it that we know of;
--   3. its purchase stands behind one that was final before its attempt, in a list that has its newest rows first, by when they
--      were made or by when they last changed. What is final changes no more, but where a token comes after the word of success,
--      the supplier takes an end back, or a person had told it: in a list by last change what so moves to its front tells of the wrong side;
--   4. its row tells less than two of target, service and price, or those of something else that we know: of targets what
--      plainly is another's (topup_may_mean);
--   5. the list of a family that has no purchase from before it, or none any more, stands still for a day without it;
--   6. another buyer's purchase for its target, or one that looks the same, ended otherwise and later, in a list that is by when
--      rows last changed and shows nothing of that: of the two it has the one that stands in its turn;
--   7. a list that is by when rows last changed is cut shorter than asked for, and shows one from before the attempt that has
--      changed since, while its purchase is behind the cut.
-- None of these: a refusal in words that say so (refusals.ts) is believed at once. The order fails and is refunded, or, having
-- come too soon ("Transaksi dibatasi"), is sent again in its turn; a supplier that took it all the same has sold it for nothing,
-- or twice.
-- Such a purchase is told about as soon as a list shows it for the target as it was ordered (topup_orders_late.sql), else by
-- the daily reconciliation.
-- And a purchase made past us since the attempt, or seen first since then, is taken as the order's where it is for the same
-- goods and the same target, or one that looks the same where it is blacked out: nothing tells it from its own, and its end
-- is the order's.
--
-- What bounds 1, 2 and 5: only time tells a late row from none. More looks in the 5 minutes, or more purchases that show,
-- would not tell of this row: what is late as a whole (a cache, a copy) is borne without a limit already, for the list must
-- show something newer and lack nothing that is older. 30 minutes would let every buyer whose order was lost on its way wait for
-- his money 33 minutes instead of 7. Nor can the balance veto a refund: what other purchases gave back, what was bought past
-- us and what was paid in at the supplier move it by the same amounts, at moments that nobody tells us.

create or replace function topup_silence_beside_newer() returns interval language sql immutable as $$
  select interval '5 minutes'
$$;

create or replace function topup_silence_alone() returns interval language sql immutable as $$
  select interval '6 hours'
$$;

-- How long the facts are waited for before a person is asked.
create or replace function topup_doubt_patience() returns interval language sql immutable as $$
  select interval '1 day'
$$;

create or replace function topup_list_worth(o topup_orders, input jsonb) returns text language sql stable as $$
  select case when topup_is_dead_list(o, input) then 'dead'
    when (input->>'unreadable')::boolean then 'lagging'
    when topup_lacks_seen(o, input) then 'lagging'
    when topup_is_whole_list(o, input) then 'whole'
    when topup_row_before(o, input->'rows') is null or not topup_has_no_more(input)
      and (topup_row_final(o, input->'rows') is null or topup_list_order(input->'rows') = 'none') then 'short'
    when topup_lacks_newer(o, input) then 'lagging' else 'whole' end
$$;

-- Whether the list shows nothing of what it must have, though there are two or more. What was bought before one of its
-- rows was first seen may stand behind its end: an account that is used past us has lists without anything of ours.
create or replace function topup_is_dead_list(o topup_orders, input jsonb) returns boolean language sql stable as $$
  select topup_row_after(o, input->'rows') is null and exists (
      select from topup_orders x
      where x.family = o.family and x.trxid is not null and x.attempt_at >= o.attempt_until and x.bought_at < l.told
        and x.id >= uuid_from(o.attempt_at - interval '2 hours') offset 1)
    or topup_has_no_more(input)
      and not exists (select from topup_history_rows(input->'rows') r join topup_orders x on x.trxid = r.trxid
        where r.n is not null)
      and exists (select from topup_orders x
        where x.family = o.family and x.trxid is not null and x.bought_at < l.told
          and x.id >= uuid_from(l.told - interval '30 days')
          and x.attempt_at > (select topup_list_reaches(o, input->'rows')) offset 1)
  from (select (input->>'asked_at')::timestamptz - topup_silence_beside_newer() as told) l
$$;

-- Whether the list is shorter than asked for.
create or replace function topup_has_no_more(input jsonb) returns boolean language sql stable as $$
  select count(r.n) < (input->>'asked')::int from topup_history_rows(input->'rows') r
$$;

-- Since when a list that has nothing of ours must have what was bought: since the first of its rows was seen, where it goes
-- back to before the attempt; else it is not known to be one of ours at all, and must have everything.
create or replace function topup_list_reaches(o topup_orders, history jsonb) returns timestamptz language sql stable as $$
  select case when topup_row_before(o, history) is null then '-infinity' else min(w.seen_at) end
  from topup_history_rows(history) r join topup_supplier_sightings w on w.trxid = r.trxid
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

-- Where the list has the first row that was final before the attempt. What is sorted by when it was made, or by when it last
-- changed, has all that is younger than the attempt on one side of it. Null: nowhere.
create or replace function topup_row_final(o topup_orders, history jsonb) returns bigint language sql stable as $$
  select min(f.n) from topup_final_rows(history) f where f.final_at < o.attempt_at - interval '5 seconds'
$$;

-- The same, where what was tried after it was final stands in front of it: then that is the side, whichever it is sorted by, and
-- what stands behind it is older than the attempt.
create or replace function topup_row_older(o topup_orders, history jsonb) returns bigint language sql stable as $$
  select min(f.n) from topup_final_rows(history) f
  where f.final_at < o.attempt_at - interval '5 seconds' and f.final_at < f.tried_above - interval '5 seconds'
$$;

-- Where the list has the last of what was surely bought after the attempt's lease: ours, begun after it; null: nowhere.
create or replace function topup_row_after(o topup_orders, history jsonb) returns bigint language sql stable as $$
  select max(r.n) from topup_history_rows(history) r join topup_orders x on x.trxid = r.trxid
  where x.family = o.family and x.attempt_at >= o.attempt_until and x.bought_at is not null
$$;

-- Whether the list lacks a purchase that was surely made since the attempt. Where it shows something newer than the order,
-- what is newer than that and of the last minutes is not lacked. Once that is newer by 5 minutes, the order's own row would
-- show if none is later than that, so only what is as old tells of a list that lacks something.
create or replace function topup_lacks_newer(o topup_orders, input jsonb) returns boolean language sql stable as $$
  with listed as materialized (
    select r.trxid, r.n from topup_history_rows(input->'rows') r
  ), told as materialized (
    select least(a.at - interval '5 seconds', case
      when max(x.attempt_at) >= o.attempt_until + topup_silence_beside_newer()
        then max(x.attempt_at) - topup_silence_beside_newer()
      when max(x.attempt_at) is not null
        then greatest(a.at - topup_silence_beside_newer(), max(x.attempt_at)) end) as at, a.at as asked_at
    from (select (input->>'asked_at')::timestamptz as at) a
    left join (listed l join topup_orders x on x.trxid = l.trxid)
      on l.n is not null and x.family = o.family and x.attempt_at >= o.attempt_until and x.bought_at is not null
    group by a.at
  )
  select exists (
    select from topup_orders x, told
    where x.family = o.family and x.trxid is not null and x.attempt_at > o.attempt_at
      -- When it was made at the latest: nothing outlives its lease, and what was in doubt was learnt of late.
      and x.bought_at is not null and least(x.bought_at, x.attempt_until) < told.at
      -- Unpaid and waiting orders are attempted at most so long after their number was given.
      and x.id >= uuid_from(o.attempt_at - interval '2 hours')
      and not exists (select from listed l where l.trxid = x.trxid)
  ) or exists (
    select from told, topup_named_since(o, told.asked_at) named
    where named.received_at < told.asked_at - interval '5 seconds'
      and not exists (select from listed l where l.trxid = named.trxid)
  )
$$;

-- Whether the list lacks what another one has shown since the attempt for the order's target, or for what may be it, and what
-- belongs to no order: a supplier that answers from several copies shows it by turns.
create or replace function topup_lacks_seen(o topup_orders, input jsonb) returns boolean language sql stable as $$
  select exists (select from topup_supplier_sightings w
    where w.family = o.family and w.seen_at >= o.attempt_at - interval '1 minute' and w.target is not null
      and (topup_is_for(o, w.target) or topup_may_mean(o, w.target))
      and not exists (select from topup_orders x where x.trxid = w.trxid)
      and not exists (select from topup_history_rows(input->'rows') r where r.trxid = w.trxid))
$$;

-- Purchases that signed callbacks name since the order's attempt and that neither an order nor a list explains.
create or replace function topup_named_since(o topup_orders, moment timestamptz)
returns table (trxid text, received_at timestamptz) language sql stable as $$
  select n.* from topup_named(o.attempt_at, moment, o.attempt_at) n
$$;

-- When each was named that those in doubt beside the order may have, too: what was named since its own attempt by the first
-- callback after that, for who has seen a signature may have named it before it was made.
create or replace function topup_named_around(o topup_orders, moment timestamptz)
returns table (trxid text, named_at timestamptz) language sql stable as $$
  select n.trxid, coalesce(min(n.received_at) filter (where n.received_at >= o.attempt_at), min(n.received_at))
  from (
    select min(x.attempt_at) as tried from topup_orders x
    where x.family = o.family and x.trxid is null and x.state in ('buying', 'unknown', 'review')
      and x.attempt_at > o.attempt_at - topup_doubt_patience() and topup_is_undecided(x, o)
  ) first, topup_named(o.attempt_at, moment, least(first.tried, o.attempt_at)) n
  group by n.trxid
$$;

-- What callbacks name that were received since then and that nothing explains. What is no longer tried again by itself (after
-- a day) explains nothing either; it is found by its id, which is younger than the attempt (`tried`).
create or replace function topup_named(tried timestamptz, moment timestamptz, since timestamptz)
returns table (trxid text, received_at timestamptz) language sql stable as $$
  select n.trxid, e.received_at
  from (
    select x.* from inbox_events x where x.retry_at is not null
    union all
    select x.* from inbox_events x
    where x.retry_at is null and moment >= tried + interval '23 hours' and x.id >= uuid_from(tried)
  ) e, split_part(e.event_key, '/', 1) n(trxid)
  where e.provider = 'vip-reseller' and e.state = 'parked' and e.received_at >= since
    and not exists (select from topup_orders x where x.trxid = n.trxid)
    and not exists (select from topup_supplier_sightings w where w.trxid = n.trxid)
$$;

-- Whether the list is all that the supplier ever sold us of the family: shorter than asked for, and with every purchase of
-- the last 30 days that we know of, though that be none.
create or replace function topup_is_whole_list(o topup_orders, input jsonb) returns boolean language sql stable as $$
  select topup_has_no_more(input) and not topup_lacks_older(o, input) and not topup_lacks_newer(o, input)
$$;

-- Whether the list lacks a purchase of the last 30 days that was tried no later than the order, or was seen before.
create or replace function topup_lacks_older(o topup_orders, input jsonb) returns boolean language sql stable as $$
  with listed as materialized (
    select r.trxid from topup_history_rows(input->'rows') r
  ), told as materialized (
    select at - interval '5 seconds' as at, at - interval '30 days' as since
    from (select (input->>'asked_at')::timestamptz as at) a
  )
  select exists (select from topup_orders x, told
      where x.family = o.family and x.trxid is not null and x.attempt_at <= o.attempt_at and x.bought_at < told.at
        and x.id >= uuid_from(told.since)
        and not exists (select from listed l where l.trxid = x.trxid))
    or exists (select from topup_supplier_sightings w, told
      where w.family = o.family and w.seen_at < told.at and w.seen_at >= told.since
        and not exists (select from listed l where l.trxid = w.trxid))
$$;

-- One more look at the order in doubt; returns it as it is then. The caller has locked it.
create or replace function topup_silence_note(o topup_orders, input jsonb, worth text) returns topup_orders
language plpgsql as $$
declare
  asked timestamptz := (input->>'asked_at')::timestamptz;
  newer boolean := topup_row_after(o, input->'rows') is not null;
  -- What could be all and lacks what was there by the attempt, or stood there once, contradicts what the lists before said.
  steady boolean := worth = 'whole' or worth = 'short'
    and (not topup_has_no_more(input) or not topup_lacks_older(o, input));
begin
  update topup_orders x set absences = x.absences + 1,
    absent_since = case when worth = 'whole' then coalesce(x.absent_since, asked) when steady then x.absent_since end,
    newer_since = case when worth = 'whole' and newer then coalesce(x.newer_since, asked)
      when worth = 'short' and steady then x.newer_since end,
    -- Of a tie it stays when the tie was seen: what comes later is no part of it (topup_is_undecided).
    answered_since = case when x.state = 'review' then x.answered_since
      when worth <> 'dead' then coalesce(x.answered_since, asked) end,
    answered_at = case when x.state = 'review' then x.answered_at when worth <> 'dead' then asked end
  where x.id = o.id
  returning * into o;
  return o;
end $$;

-- Whether the silence is believed by this look, which has been noted.
create or replace function topup_silence_is_believed(o topup_orders, input jsonb, worth text) returns boolean
language sql stable as $$
  select coalesce(worth = 'whole' and (l.asked_at >= o.absent_since + topup_doubt_patience()
    or l.asked_at >= topup_silence_due(o) and (topup_row_before(o, input->'rows') is not null or exists (
      select from topup_history_rows(input->'rows') r join topup_orders x on x.trxid = r.trxid
      where r.n is not null and x.family = o.family and x.attempt_at > o.absent_since and x.bought_at is not null))), false)
  from (select (input->>'asked_at')::timestamptz as asked_at) l
$$;

-- When silence will be believed, if every look until then is like the last one; null: it was none.
create or replace function topup_silence_due(o topup_orders) returns timestamptz language sql immutable as $$
  select least(o.newer_since + topup_silence_beside_newer(), o.absent_since + topup_silence_alone())
$$;

-- Why nothing has told of an order that is in doubt for long, in words for a person; `told`: the worth of the last look, or
-- `unreadable`, or `untold` where the supplier did not answer; else another order's fate is waited for.
create or replace function topup_doubt_reason(o topup_orders, told text) returns text language sql immutable as $$
  select case told
    when 'untold' then 'the supplier has not answered'
    when 'dead' then 'the supplier''s lists show nothing of what was bought'
    when 'short' then 'no list of the supplier goes back to the attempt'
    when 'lagging' then 'the supplier''s lists lack purchases that are known'
    when 'unreadable' then 'rows of the supplier''s lists cannot be read'
    when 'whole' then 'the supplier''s lists have not been whole for long enough'
    else 'whose the purchases are that the supplier shows is not clear yet' end
$$;

-- What the supplier's balance hints at, for that person: the first report that is younger than the attempt, of whose
-- expected balance an order in doubt is no part. A hint alone: what gives money back and what was bought past us is in it.
create or replace function topup_doubt_hint(o topup_orders) returns text language sql stable as $$
  select 'the report of ' || r.day || ' finds the supplier''s balance ' || abs(r.balance - r.expected_balance)
    || case when r.balance < r.expected_balance then ' below' else ' above' end || ' the books, this order costs '
    || o.supplier_amount
  from topup_reconciliations r
  where r.balance_at = (select min(y.balance_at) from topup_reconciliations y where y.balance_at > o.attempt_until)
$$;
