-- Orders in doubt and the supplier's history. Its rows have no time and no reference of ours, so an order finds its
-- purchase by service, target, zone, quantity and price among the rows that belong to no other order and that nobody had
-- seen before the attempt began. Guarantee: an order is bought at once by a row that is plainly its own; once the silence
-- about it is believed (topup_orders_silence.sql) it is decided by what may be its own (topup_orders_decide.sql), and
-- refunded where nothing may. A person is asked about true ties only: rows that nothing tells apart, and lists that tell
-- nothing.

-- {order_id, asked_at, rows: [{trxid, target, zone, code, service, quantity, price, start_count, outcome, named_at?}],
--  silent?, unreadable, asked, deepest, alert_to, now} -> {verdict: settled|wait|deeper, order, due, told, wake}. `rows` are
-- the latest of the family, as listed; one with `named_at` is in no list, but a callback that came then named it, and the
-- supplier told of it when asked. `silent`: the trxids of those of which it then told nothing at all. `asked`: how many were
-- asked for; `unreadable`: whether some could not be read; `asked_at` is before the supplier was asked. `deeper`: they do not
-- reach back to the attempt, so ask for more; `deepest`: there is no longer list. `due`: when the next silent look would
-- decide. `told`: what the list was worth (topup_doubt_reason).
create or replace function topup_order_match(input jsonb) returns jsonb language plpgsql as $$
declare
  asked_at timestamptz := (input->>'asked_at')::timestamptz;
  o topup_orders;
  worth text;
  decided jsonb;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
  perform pg_advisory_xact_lock(hashtextextended('topup/' || o.family || '/' || topup_plain_target(o.target), 0));
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if o.state <> 'unknown' and not topup_is_tied(o) then
    return topup_match_later(o, 'settled');
  end if;
  input := input || jsonb_build_object('rows', topup_newest_first(input->'rows'));
  -- What was no plain match when it became a tie is decided by whole lists alone.
  decided := case when o.state = 'unknown' then topup_match_plainly(o, input) end;
  if decided is not null then
    return decided;
  end if;
  worth := topup_list_worth(o, input);
  -- That a list of the first length lacks something may be because it is not in order.
  if not (input->>'deepest')::boolean
    and (worth in ('short', 'dead') or worth = 'lagging' and ((input->>'asked')::int < 500 or topup_lacks_seen(o, input))) then
    return topup_match_later(o, 'deeper');
  elsif asked_at < o.attempt_until then
    -- The attempt may still be on its way.
    return topup_match_later(o, 'wait');
  end if;
  o := topup_silence_note(o, input, worth);
  if o.state = 'review' then
    decided := case when topup_silence_is_believed(o, input, worth) and topup_tie_is_listed(o, input->'rows')
      then topup_match_decide(o, input, true) end;
  elsif topup_silence_is_believed(o, input, worth) then
    return topup_match_decide(o, input, true);
  elsif worth <> 'dead' and asked_at >= o.attempt_until + topup_doubt_patience() and not topup_lacks_seen(o, input) then
    decided := topup_match_decide(o, input, false);
  end if;
  return coalesce(decided, topup_match_later(o, 'wait')
    || jsonb_build_object('told', case when (input->>'unreadable')::boolean and worth = 'lagging' then 'unreadable' else worth end));
end $$;

-- What the history plainly says to an order in doubt; null: nothing. A row that is plainly of its goods is its own where
-- each order that it can be of has one, or where those are one buyer's: then the first has it. That, and a row that gives
-- the money back, waits while a callback names what the supplier has not told of; each waits, for a day at most, while the
-- list lacks what another one has shown for the order's target, and for an hour at most, while the supplier does not answer
-- about what a callback names. Where it stands in the list is no plain word.
create or replace function topup_match_plainly(o topup_orders, input jsonb) returns jsonb language plpgsql as $$
declare
  asked_at timestamptz := (input->>'asked_at')::timestamptz;
  claim record := topup_assigned(o, input->'rows', 1, false);
begin
  if claim.rank is null then
    return null;
  elsif claim.is_busy then
    return topup_match_later(o, 'wait');
  elsif claim.mine is null or claim.is_spare or claim.is_placed
    or claim.rivals <> '{}' and not topup_are_one_buyers(o, claim.rivals)
    or claim.swaps <> '{}' and not topup_may_be_changed(o, claim)
    or (claim.rivals <> '{}' or topup_plain_end(claim.mine->>'outcome') = 'failed') and topup_is_untold(o, input)
    or asked_at < o.attempt_until + interval '1 hour' and input->'silent' <> '[]'
    or asked_at < o.attempt_until + topup_doubt_patience() and topup_lacks_seen(o, input) then
    return null;
  end if;
  return topup_match_bought(o, claim.mine, input, false);
end $$;

-- Whether a callback names what the supplier has not told of: it may be this order's, and what is listed a later one's.
create or replace function topup_is_untold(o topup_orders, input jsonb) returns boolean language sql stable as $$
  select exists (select from topup_named_since(o, (input->>'asked_at')::timestamptz) named
    where not exists (select from topup_history_rows(input->'rows') r where r.trxid = named.trxid))
$$;

-- The row is the order's. What is not plainly so in its words (`odd`) is taken as it stands there, now and when the
-- supplier is asked about it again: no person could tell more.
create or replace function topup_match_bought(o topup_orders, purchase jsonb, input jsonb, odd boolean) returns jsonb
language plpgsql as $$
declare
  wakes jsonb := topup_purchase_claim(o, purchase->>'trxid');
  bought jsonb := topup_order_bought(o, input || jsonb_build_object(
    'trxid', purchase->>'trxid', 'charged', purchase->'price', 'start_count', purchase->'start_count',
    'as_told', odd, 'is_match', true));
begin
  return bought || jsonb_build_object('verdict', 'settled', 'wake', (bought->'wake') || wakes);
end $$;

create or replace function topup_match_later(o topup_orders, verdict text) returns jsonb language sql stable as $$
  select jsonb_build_object('verdict', verdict, 'order', to_jsonb(o), 'due', topup_silence_due(o), 'wake', '[]'::jsonb)
$$;

-- Whether another order is in doubt beside this one. One that waits for a person since before this one's attempt is not:
-- all that can be its purchase had shown by then, and what had shown is not this one's. Nor is one that was in doubt for a
-- day by then, while the supplier answered: what shows first now is not so late.
create or replace function topup_is_undecided(x topup_orders, o topup_orders) returns boolean language sql immutable as $$
  select x.state = 'buying'
    or x.state = 'unknown' and coalesce(x.attempt_until + topup_doubt_patience() > o.attempt_at
      or x.answered_since >= o.attempt_at - interval '2 minutes', true)
    or x.state = 'review' and coalesce(x.answered_at >= o.attempt_at - interval '2 minutes', true)
$$;
