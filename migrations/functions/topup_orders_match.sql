-- Orders in doubt and the supplier's history. Its rows have no time and no reference of ours, so an order finds its
-- purchase by service, target, zone, quantity and price among the rows that belong to no other order and that nobody had
-- seen before the attempt began. Guarantee: an order is refunded only when the supplier, asked at least twice after the
-- attempt was surely over, shows all that it sold since and nothing that could be its purchase; it is bought only by a
-- row that is plainly its own.
-- What is left to a person is what no fact tells: which of several buyers has a purchase that fits them all; a purchase
-- more than there are orders; a name that several services share, at a price that is none of theirs; a service that no
-- price list has named for two hours; a target that is blacked out or written so that it may be another's; and a list
-- that lacks purchases which it must have, or that ends before the attempt however much is asked for.

-- {order_id, asked_at, rows: [{trxid, target, zone, code, service, quantity, price, start_count}], asked, deepest,
--  absence_seconds, alert_to, now} -> {verdict: settled|wait|deeper, order, wake}. `rows` are the latest ones of the
-- family, newest first, `asked` how many were asked for; `asked_at` is before the supplier was asked. `deeper`: they do
-- not reach back to the attempt, so ask for more; `deepest`: there is no longer list.
create or replace function topup_order_match(input jsonb) returns jsonb language plpgsql as $$
declare
  asked_at timestamptz := (input->>'asked_at')::timestamptz;
  o topup_orders;
  doubt record;
  why text;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
  perform pg_advisory_xact_lock(hashtextextended('topup/' || o.family || '/' || topup_plain_target(o.target), 0));
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if o.state <> 'unknown' then
    return jsonb_build_object('verdict', 'settled', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
  end if;
  doubt := topup_doubt_of(o, topup_history_for(o, input->'rows'));
  if doubt.own > 0 and doubt.busy then
    return topup_match_later(o, 'wait');
  elsif doubt.mine is not null and not topup_is_older(o, input->'rows', doubt.mine->>'trxid') then
    return jsonb_build_object('verdict', 'settled') || topup_order_bought(o, input || jsonb_build_object(
      'trxid', doubt.mine->>'trxid', 'charged', doubt.mine->'price', 'start_count', doubt.mine->'start_count'));
  elsif doubt.own > 0 and not doubt.spare then
    -- Each of the attempts may still be on its way; and the next price list may tell whose price it is.
    if asked_at < doubt.over_at or doubt.purchases = 0 and asked_at < o.attempt_until + interval '2 hours' then
      return topup_match_later(o, 'wait');
    end if;
    why := case when doubt.mine is not null then 'the history has a purchase of this that looks older than the order'
      when doubt.purchases = 0 then 'the history has a purchase of this name at another price'
      else doubt.rivals || ' orders for ' || doubt.purchases || ' purchases in the history' end;
  elsif not topup_reaches_back(o, input) then
    if not topup_family_known(o) or not (input->>'deepest')::boolean
        or asked_at <= o.attempt_until + interval '30 minutes' then
      return topup_match_later(o, 'deeper');
    end if;
    why := 'the history no longer reaches back to the attempt';
  elsif asked_at < o.attempt_until then
    return topup_match_later(o, 'wait');
  elsif doubt.near > 0 then
    -- The next price list may tell what it is.
    if asked_at < o.attempt_until + interval '2 hours' then
      return topup_match_later(o, 'wait');
    end if;
    why := 'the history has a purchase for this target of a service or zone that nobody knows';
  elsif topup_has_stray(o, input->'rows') then
    why := 'the history has a purchase of this service that may be for this target, written in another way';
  else
    return topup_order_absent(o, input);
  end if;
  return jsonb_build_object('verdict', 'settled') || topup_order_review(o, why, input->>'alert_to');
end $$;

create or replace function topup_match_later(o topup_orders, verdict text) returns jsonb language sql stable as $$
  select jsonb_build_object('verdict', verdict, 'order', to_jsonb(o), 'wake', '[]'::jsonb)
$$;

-- What the history says to an order in doubt. `rivals`: the orders in doubt that its rows can be of, itself among them;
-- where the supplier tells no code, that is every order for a service of that name, and only the price tells them apart.
-- `own`: rows that can be of this order, `purchases`: those that are plainly of its service. `busy`: another order must
-- be settled first: one that is still being bought, or the one whose price a row has. `mine`: its row, where there are
-- as many as orders, each for one, and nothing tells them apart (or only one of each): the order that tried first has
-- the row that was seen first. An order that began after all of them were seen does not count. One buyer's orders need
-- not be as few: to him it is the same which of them are bought, so it is the first; the others are `spare`, unless a
-- row can be of one at another price. `near`: rows for its target that fit no open order at all and are not plainly of
-- another service. `over_at`: when the last of the orders' attempts is over.
create or replace function topup_doubt_of(o topup_orders, history jsonb, out rivals int, out busy boolean,
  out purchases int, out own int, out near int, out mine jsonb, out spare boolean, out over_at timestamptz)
language plpgsql stable as $$
declare
  tries timestamptz[];
  turn int;
  mixed boolean;
  one_buyer boolean;
  awaited boolean;
  last_seen timestamptz;
begin
  select count(*), bool_or(x.state = 'buying'),
    array_agg(x.attempt_at order by x.attempt_at, x.id) filter (where r.peer),
    count(*) filter (where r.peer and (x.attempt_at, x.id) <= (o.attempt_at, o.id)),
    bool_or(r.peer and not topup_alike(x, o)),
    bool_and(x.user_id = o.user_id and x.amount = o.amount and x.state <> 'review') filter (where r.peer),
    bool_or(x.state = 'unknown' and not r.peer and r.has_row), max(x.attempt_until) filter (where r.peer)
  into rivals, busy, tries, turn, mixed, one_buyer, awaited, over_at
  from topup_orders x, topup_rivalry(x, o, history) r
  where x.state in ('buying', 'unknown', 'review') and x.trxid is null and x.family = o.family and (r.peer or r.shares);

  select max(coalesce(f.seen_at, 'infinity')) into last_seen from topup_unowned_rows(o, history) f
  where topup_row_is(o, f.zone, f.code, f.service, f.quantity, f.price) and topup_may_be_of(tries[1], f.seen_at);
  tries := array(select t from unnest(tries) t where topup_may_be_of(t, last_seen) order by t);

  with free as (
    select * from topup_unowned_rows(o, history)
  ), fitting as (
    select f.*, row_number() over (order by f.seen_at nulls last, f.n desc) as place from free f
    where topup_row_is(o, f.zone, f.code, f.service, f.quantity, f.price) and topup_may_be_of(tries[1], f.seen_at)
  )
  select count(*),
    (select count(*) from free n where topup_may_be_of(o.attempt_at, n.seen_at)
      and topup_row_fits(o, n.zone, n.code, n.service, n.quantity)
      and not topup_row_is_other(o, n.zone, n.code, n.service, n.quantity, n.price)),
    (select count(*) from free n where topup_may_be_of(o.attempt_at, n.seen_at)
      and not topup_row_is_other(o, n.zone, n.code, n.service, n.quantity, n.price) and not exists (
      select from topup_orders x
      where x.state in ('buying', 'unknown', 'review') and x.trxid is null and x.family = o.family
        and topup_is_for(x, n.target)
        and topup_row_fits(x, n.zone, n.code, n.service, n.quantity))),
    case when not mixed and (count(*) = cardinality(tries) or one_buyer and count(*) < cardinality(tries))
        and bool_and(topup_may_be_of(tries[f.place], f.seen_at))
      then jsonb_agg(to_jsonb(f) order by f.place)->(turn - 1) end,
    coalesce(not mixed and one_buyer and count(*) < turn and not exists (select from free n
      where topup_may_be_of(o.attempt_at, n.seen_at) and topup_row_fits(o, n.zone, n.code, n.service, n.quantity)
        and not topup_row_is(o, n.zone, n.code, n.service, n.quantity, n.price)
        and not topup_row_is_other(o, n.zone, n.code, n.service, n.quantity, n.price)), false)
  into purchases, own, near, mine, spare
  from fitting f;
  busy := busy or (purchases = 0 and awaited);
end $$;

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

-- The history shows nothing. Told so twice, with time between, the order was not bought: it fails and is refunded.
create or replace function topup_order_absent(o topup_orders, input jsonb) returns jsonb language plpgsql as $$
declare
  asked timestamptz := (input->>'asked_at')::timestamptz;
begin
  if o.absent_since <= asked - make_interval(secs => (input->>'absence_seconds')::int) then
    update topup_orders x set absences = x.absences + 1, notes = 'The service is temporarily unavailable'
    where x.id = o.id;
    return jsonb_build_object('verdict', 'settled')
      || topup_orders_end(jsonb_build_array(jsonb_build_object('id', o.id, 'state', 'failed')), input);
  end if;
  update topup_orders x set absences = x.absences + 1, absent_since = coalesce(x.absent_since, asked)
  where x.id = o.id returning * into o;
  return jsonb_build_object('verdict', 'wait', 'order', to_jsonb(o), 'wake', '[]'::jsonb);
end $$;
