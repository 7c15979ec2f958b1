-- Orders in doubt and the supplier's history. Its rows have no time and no reference of ours, so an order finds its
-- purchase by service, target, zone, quantity and price among the rows that belong to no other order and that nobody had
-- seen before the attempt began. Guarantee: an order is bought at once by a row that is plainly its own; once the silence
-- about it is believed (topup_orders_silence.sql) it is decided by what may be its own (topup_orders_decide.sql), and
-- refunded where nothing may. A person is asked about true ties only: rows that nothing tells apart, and lists that tell
-- nothing.

-- {order_id, asked_at, rows: [{trxid, target, zone, code, service, quantity, price, start_count, outcome, named_at?}],
--  unreadable, asked, deepest, alert_to, now} -> {verdict: settled|wait|deeper, order, due, told, wake}. `rows` are the
-- latest of the family, newest first; one with `named_at` is in no list, but a callback that came then named it, and the
-- supplier told of it when asked. `asked`: how many were asked for; `unreadable`: whether some could not be read;
-- `asked_at` is before the supplier was asked. `deeper`: they do not reach back to the attempt, so ask for more;
-- `deepest`: there is no longer list. `due`: when the next silent look would decide. `told`: what the list was worth (topup_doubt_reason).
create or replace function topup_order_match(input jsonb) returns jsonb language plpgsql as $$
declare
  asked_at timestamptz := (input->>'asked_at')::timestamptz;
  o topup_orders;
  plain record;
  worth text;
  decided jsonb;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
  perform pg_advisory_xact_lock(hashtextextended('topup/' || o.family || '/' || topup_plain_target(o.target), 0));
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if o.state <> 'unknown' and not topup_is_tied(o) then
    return topup_match_later(o, 'settled');
  end if;
  plain := topup_plain_match(o, input->'rows');
  if o.state = 'review' then
    -- What was no plain match then is decided by whole lists alone.
  elsif plain.own > 0 and plain.busy then
    return topup_match_later(o, 'wait');
  elsif plain.mine is not null and not topup_is_older(o, input->'rows', plain.mine->>'trxid')
    and not (plain.fewer and topup_is_untold(o, input)) then
    return topup_match_bought(o, plain.mine, input, false);
  end if;
  worth := topup_list_worth(o, input);
  -- That a list of the first length lacks something may be because it is not in order.
  if not (input->>'deepest')::boolean
    and (worth in ('short', 'dead') or worth = 'lagging' and (input->>'asked')::int < 500) then
    return topup_match_later(o, 'deeper');
  elsif asked_at < (case when plain.own > 0 and not plain.spare then plain.over_at else o.attempt_until end) then
    -- An attempt may still be on its way.
    return topup_match_later(o, 'wait');
  end if;
  o := topup_silence_note(o, input, worth);
  if o.state = 'review' then
    decided := case when topup_silence_is_believed(o, input, worth) and topup_tie_is_listed(o, input->'rows')
      then topup_match_decide(o, input, true) end;
  elsif topup_silence_is_believed(o, input, worth) then
    return topup_match_decide(o, input, true);
  elsif worth <> 'dead' and asked_at >= o.attempt_until + topup_doubt_patience() then
    decided := topup_match_decide(o, input, false);
  end if;
  return coalesce(decided, topup_match_later(o, 'wait')
    || jsonb_build_object('told', case when (input->>'unreadable')::boolean and worth = 'lagging' then 'unreadable' else worth end));
end $$;

-- Whether a callback names what the supplier has not told of: it may be this order's, and what is listed a later one's.
create or replace function topup_is_untold(o topup_orders, input jsonb) returns boolean language sql stable as $$
  select exists (select from topup_named_since(o, (input->>'asked_at')::timestamptz) named
    where not exists (select from topup_history_rows(input->'rows') r where r.trxid = named.trxid))
$$;

-- The row is the order's. What is not plainly so in its words (`odd`) is taken as it stands there, now and when the
-- supplier is asked about it again: no person could tell more.
create or replace function topup_match_bought(o topup_orders, purchase jsonb, input jsonb, odd boolean) returns jsonb
language sql as $$
  select jsonb_build_object('verdict', 'settled') || topup_order_bought(o, input || jsonb_build_object(
    'trxid', purchase->>'trxid', 'charged', purchase->'price', 'start_count', purchase->'start_count',
    'as_told', odd))
$$;

create or replace function topup_match_later(o topup_orders, verdict text) returns jsonb language sql stable as $$
  select jsonb_build_object('verdict', verdict, 'order', to_jsonb(o), 'due', topup_silence_due(o), 'wake', '[]'::jsonb)
$$;

-- What the history plainly says to an order in doubt. Its rivals are the orders in doubt that the rows can be of, itself
-- among them; where the supplier tells no code, that is every order for a service of that name, and only the price tells
-- them apart. `own`: rows that can be of this order. `busy`: another order must be settled first: one that is still being
-- bought, or the one whose price a row has. `mine`: its row, where there are as many as orders, each for one, and nothing
-- tells them apart (or only one of each): the order that tried first has the row that was seen first. An order that began
-- after all of them were seen does not count. One buyer's orders need not be as few: to him it is the same which of them
-- are bought, so it is the first; the others are `spare`, unless a row can be of one at another price. `fewer`: there are
-- such others. `over_at`: when the last of the orders' attempts is over.
drop function if exists topup_plain_match(topup_orders, jsonb);
create or replace function topup_plain_match(o topup_orders, history jsonb, out busy boolean, out own int,
  out mine jsonb, out spare boolean, out fewer boolean, out over_at timestamptz)
language plpgsql stable as $$
declare
  whole jsonb := history;
  r record;
  seen record;
  tries timestamptz[];
  purchases int;
begin
  history := topup_history_for(o, whole);
  r := topup_rivals_of(o, history);
  seen := topup_own_rows(o, history);
  if r.rivals = 1 and seen.fitting > 1 then
    history := topup_rows_in_place(o, history, whole);
  end if;
  select array(select t from unnest(r.tries) t
    where topup_may_be_of(t, (select max(coalesce(f.seen_at, 'infinity')) from topup_fitting_rows(o, history, r.tries) f))
    order by t) into tries;
  select count(*), case when not r.mixed
        and (count(*) = cardinality(tries) or r.one_buyer and count(*) < cardinality(tries))
        and bool_and(topup_may_be_of(tries[f.place], f.seen_at))
      then jsonb_agg(to_jsonb(f) order by f.place)->(r.turn - 1) end
  into purchases, mine
  from topup_fitting_rows(o, history, r.tries) f;
  fewer := purchases < cardinality(tries);
  over_at := r.over_at;
  own := seen.own;
  busy := r.busy or (purchases = 0 and r.awaited);
  spare := coalesce(not r.mixed and r.one_buyer and purchases < r.turn and seen.odd = 0, false);
end $$;

-- The orders in doubt that the rows can be of: how many, whether one is still being bought (`busy`), when they were
-- tried, the place of this one among them (`turn`), whether they are `mixed` or all `one_buyer`'s, and whether a row has
-- the price of one that is not this one's peer (`awaited`).
create or replace function topup_rivals_of(o topup_orders, history jsonb, out rivals int, out busy boolean,
  out tries timestamptz[], out turn int, out mixed boolean, out one_buyer boolean, out awaited boolean,
  out over_at timestamptz)
language sql stable as $$
  select count(*), bool_or(x.state = 'buying'),
    array_agg(x.attempt_at order by x.attempt_at, x.id) filter (where r.peer),
    count(*) filter (where r.peer and (x.attempt_at, x.id) <= (o.attempt_at, o.id)),
    bool_or(r.peer and not topup_alike(x, o)),
    bool_and(x.user_id = o.user_id and x.amount = o.amount and x.state <> 'review') filter (where r.peer),
    bool_or(x.state = 'unknown' and not r.peer and r.has_row), max(x.attempt_until) filter (where r.peer)
  from topup_orders x, topup_rivalry(x, o, history) r
  where x.trxid is null and x.family = o.family and topup_is_undecided(x, o) and (r.peer or r.shares)
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

drop function if exists topup_fitting_rows(topup_orders, jsonb, timestamptz);
-- The rows that are plainly of the order's service and may be of attempts that began then, in the order in which they are
-- handed out: first what may be of fewer attempts, else as they were seen; of those that may be of the same ones, what only
-- callbacks named is rather newer than what lists show.
create or replace function topup_fitting_rows(o topup_orders, history jsonb, tries timestamptz[])
returns table (trxid text, price bigint, start_count int, seen_at timestamptz, place bigint) language sql stable as $$
  select f.trxid, f.price, f.start_count, f.seen_at,
    row_number() over (order by t.fits, f.n is null, f.seen_at nulls last, f.n desc)
  from topup_unowned_rows(o, history) f,
  lateral (select count(*) as fits from unnest(tries) tried where topup_may_be_of(tried, f.seen_at, f.n is null)) t
  where topup_row_is(o, f.zone, f.code, f.service, f.quantity, f.price) and t.fits > 0
$$;

-- How many rows for the target, not seen before the attempt, can be of this order (`own`), are plainly of its service
-- (`fitting`), and can be of it but at another price (`odd`).
create or replace function topup_own_rows(o topup_orders, history jsonb, out own int, out fitting int, out odd int)
language sql stable as $$
  select count(*) filter (where n.fits), count(*) filter (where n.is_it), count(*) filter (where n.fits and not n.is_it)
  from (select r.*, topup_row_fits(o, r.zone, r.code, r.service, r.quantity) as fits,
      topup_row_is(o, r.zone, r.code, r.service, r.quantity, r.price) as is_it
    from topup_unowned_rows(o, history) r
    where topup_may_be_of(o.attempt_at, r.seen_at)
      and not topup_row_is_other(o, r.zone, r.code, r.service, r.quantity, r.price)) n
$$;

-- Of the rows for the order's target those whose place in the whole list can be its purchase's: behind all that was
-- surely bought after its lease, and before all that was bought before it. For where there is one too many (bought by
-- hand at the supplier), and only where one is left.
create or replace function topup_rows_in_place(o topup_orders, own jsonb, history jsonb) returns jsonb
language sql stable as $$
  with around as materialized (
    select topup_row_before(o, history) as before, topup_row_after(o, history) as after
  ), placed as (
    select r.* from around, topup_history_rows(history) r
    where topup_is_for(o, r.target) and topup_is_in_place(r.n, around.after)
      and (r.n < around.before) is not false
  )
  select case when exists (select from topup_fitting_rows(o, p.rows, array[o.attempt_at])) then p.rows else own end
  from (select coalesce(jsonb_agg(to_jsonb(r) order by r.n), '[]') as rows from placed r) p
$$;

-- What another order in doubt is to this one: `shares`: a row can be of either; `peer`: and nothing tells whose it is;
-- `has_row`: a row that can be of either has its price.
create or replace function topup_rivalry(x topup_orders, o topup_orders, history jsonb,
  out shares boolean, out peer boolean, out has_row boolean) language sql stable as $$
  select coalesce(bool_or(r.of_o), false), topup_alike(x, o) or coalesce(bool_or(r.is_o and r.is_x), false),
    coalesce(bool_or(r.of_o and r.is_x), false)
  from (
    select topup_row_fits(o, f.zone, f.code, f.service, f.quantity) as of_o,
      topup_row_is(o, f.zone, f.code, f.service, f.quantity, f.price) as is_o,
      topup_row_is(x, f.zone, f.code, f.service, f.quantity, f.price) as is_x
    from topup_unowned_rows(o, history) f
    where x.family = o.family and topup_is_for(x, f.target)
      and topup_row_fits(x, f.zone, f.code, f.service, f.quantity)) r
$$;
