-- What is decided about an order in doubt once the silence about it is believed (topup_orders_silence.sql): nothing has
-- shown that is plainly its purchase. Guarantee: what may be of this order and of no other is its own; where nothing may
-- be, it is refunded. A person decides true ties only: rows that fit equally well and end differently, or fewer rows than
-- orders of several buyers that they fit equally well, also by their prices; until he has, the lists go on being asked,
-- and what settles it (the missing purchase, an end that they share, his word about the other order) settles it by
-- itself. Where the silence is not believed after a day (`is_proven` is false) only the first of these holds: what is not
-- listed proves nothing.
--
-- How well a row fits an order (`rank`; null: not at all, and never where it stands behind what was bought before it):
--   1 its service, for its target;
--   2 its service at another price, where another service has the same name;
--   3 at its price, for its target, of a service, zone or spelling that no price list has;
--   4 for its target, of such a service, at another price;
--   5 its service, for a target that may be its own, blacked out or written in another way;
--   6 at its price, for such a target, of a service that no price list has.
-- An order has a claim on the rows that fit it best, unless they fit another order better.

create or replace function topup_row_rank(x topup_orders, target text, zone text, code text, service text, quantity int,
  price bigint) returns int language sql stable as $$
  select case
    when topup_is_for(x, r.target) then case
      when topup_row_is(x, r.zone, r.code, r.service, r.quantity, r.price) then 1
      when topup_row_is_other(x, r.zone, r.code, r.service, r.quantity, r.price) then null
      when topup_row_fits(x, r.zone, r.code, r.service, r.quantity) then 2
      when r.price = x.supplier_amount then 3 else 4 end
    when not topup_may_mean(x, r.target) then null
    when topup_row_fits(x, x.zone, r.code, r.service, r.quantity) then 5
    when r.price = x.supplier_amount
      and not topup_row_is_other(x, r.zone, r.code, r.service, r.quantity, r.price) then 6 end
  from (select topup_row_rank.target, topup_row_rank.zone, topup_row_rank.code, topup_row_rank.service,
    topup_row_rank.quantity, topup_row_rank.price) r
$$;

drop function if exists topup_claimed_rows(topup_orders, jsonb);
-- The rows that fit the order best. Of several those that stand where its purchase should (topup_is_in_place).
create or replace function topup_claimed_rows(o topup_orders, history jsonb)
returns table (trxid text, target text, zone text, code text, service text, quantity int, price bigint,
  start_count int, seen_at timestamptz, rank int, outcome text, n bigint)
language sql stable as $$
  with around as materialized (
    select topup_row_before(o, history) as before, topup_row_after(o, history) as after
  ), fitting as materialized (
    select r.*, least(w.seen_at, r.named_at) as seen_at,
      topup_row_rank(o, r.target, r.zone, r.code, r.service, r.quantity, r.price) as rank,
      topup_is_in_place(r.n, around.after) as in_place
    from around, topup_history_rows(history) r left join topup_supplier_sightings w on w.trxid = r.trxid
    where (r.n < around.before) is not false and topup_may_be_of(o.attempt_at, least(w.seen_at, r.named_at))
      and not exists (select from topup_orders x where x.trxid = r.trxid)
  ), best as (
    select f.* from fitting f where f.rank = (select min(y.rank) from fitting y)
  )
  select b.trxid, b.target, b.zone, b.code, b.service, b.quantity, b.price, b.start_count, b.seen_at, b.rank,
    coalesce(b.outcome, 'open'), b.n
  from best b where b.in_place or not exists (select from best y where y.in_place)
$$;

-- Who has a claim on them. A row is none's that was tried after something that stands before it was bought; and where it
-- stands as it should for one order, before something that was bought after another, it is not that other one's.
-- `rows`: in the order in which they are handed out (topup_fitting_rows): first what is of none that was tried late.
-- `rivals`: orders in doubt that they fit as well as this one, itself among them; `turn`: its place among these, by when
-- they were tried; `is_later`: one before it is not settled yet; `one_buyer`: they are all his, for one target
-- and at one price (a reseller has many customers); `awaited`: an order that is still being bought, or that a row fits
-- better, must be settled first. `ends`: the ends that the rows have come to, all that give the money back being one.
-- `priced`: each has the price of one of the orders, and of one alone.
drop function if exists topup_claims_of(topup_orders, jsonb);
create or replace function topup_claims_of(o topup_orders, history jsonb, out rows jsonb, out rank int, out ends text[],
  out rivals int, out turn int, out is_later boolean, out one_buyer boolean, out awaited boolean, out priced boolean)
language sql stable as $$
  with fitting as materialized (select * from topup_claimed_rows(o, history)),
  fits as materialized (
    select x.id, c.trxid, c.n, f.rank
    from topup_orders x, fitting c,
      topup_row_rank(x, c.target, c.zone, c.code, c.service, c.quantity, c.price) f(rank)
    where x.trxid is null and x.family = o.family and topup_is_undecided(x, o)
      and topup_may_be_of(x.attempt_at, c.seen_at, c.n is null) and f.rank <= c.rank
  ), windows as materialized (
    select x, topup_row_after(x, history) as after, topup_row_before(x, history) as before
    from topup_orders x where x.id in (select f.id from fits f)
  ), placed as materialized (
    select f.id, (w.x).state, (w.x).attempt_at, f.trxid, f.rank, topup_is_in_place(f.n, w.after) as in_place
    from fits f join windows w on (w.x).id = f.id where (f.n < w.before) is not false
  ), held as materialized (
    select p.* from placed p
    where p.in_place or not exists (select from placed y where y.trxid = p.trxid and y.in_place)
  ), claimed as materialized (
    select c.*, (select max(y.attempt_at) from held y where y.trxid = c.trxid) as last_try
    from fitting c join held h on h.id = o.id and h.trxid = c.trxid
  ), claims as materialized (
    select x.state, x.user_id, x.amount, x.supplier_amount, topup_is_for(x, o.target) as is_alike, min(h.rank) as best,
      (x.attempt_at, x.id) < (o.attempt_at, o.id) as is_earlier
    from held h join claimed c on c.trxid = h.trxid join topup_orders x on x.id = h.id
    group by x.id
  )
  select c.rows, c.rank, c.ends, r.*
  from (
    select coalesce(jsonb_agg(to_jsonb(y) order by y.last_try, y.n is null, y.seen_at nulls last, y.n desc), '[]') as rows,
      min(y.rank) as rank,
      array_agg(distinct case when y.outcome in ('cancelled', 'refunded') then 'failed' else y.outcome end) as ends
    from claimed y) c,
  lateral (
    select count(*)::int, (count(*) filter (where x.is_earlier))::int + 1,
      coalesce(bool_or(x.is_earlier and x.state = 'unknown'), false),
      coalesce(bool_and(x.user_id = o.user_id and x.amount = o.amount and x.is_alike and x.state <> 'review'), true),
      coalesce(bool_or(x.state = 'unknown' and x.best < c.rank), false)
        or exists (select from placed p where p.state = 'buying'),
      (select bool_and((select count(*) from claims y where y.supplier_amount = z.price) = 1
          and (select count(*) from claimed y where y.price = z.price) = 1) from claimed z)
    from claims x) r
$$;

-- Null: not decided, where nothing proves what is not listed.
create or replace function topup_match_decide(o topup_orders, input jsonb, is_proven boolean) returns jsonb
language plpgsql as $$
declare
  asked_at timestamptz := (input->>'asked_at')::timestamptz;
  claim record := topup_claims_of(o, input->'rows');
  count int := jsonb_array_length(claim.rows);
  mine jsonb := claim.rows->(claim.turn - 1);
begin
  if claim.awaited or claim.rank in (2, 3, 4, 6) and asked_at < o.attempt_until + topup_price_list_patience() then
    return topup_match_later(o, 'wait');
  elsif not is_proven and (mine is null or count < claim.rivals and not claim.one_buyer) then
    return null;
  elsif count > claim.rivals and claim.ends not in ('{success}', '{failed}') then
    -- More rows than orders: any of them, if they come to the same end.
    if 'open' = any (claim.ends) and asked_at < o.attempt_until + topup_doubt_patience() then
      return topup_match_later(o, 'wait');
    elsif cardinality(claim.ends) > 1 then
      return topup_match_tied(o, count || ' purchases in the history that end differently', claim.rows, input);
    end if;
  elsif count between 1 and claim.rivals - 1 and claim.is_later then
    -- What was tried before it may have what this one cannot see: only what is left then tells of this one.
    return topup_match_later(o, 'wait');
  elsif count between 1 and claim.rivals - 1 and claim.priced and is_proven and (claim.rank < 5 or claim.one_buyer) then
    -- Between their orders the price has changed, and the supplier says at which it was bought. It may have changed before
    -- we knew: for one target that does no harm, of several buyers' targets it would tell nothing.
    mine := (select r from jsonb_array_elements(claim.rows) r where (r->>'price')::bigint = o.supplier_amount);
  elsif count between 1 and claim.rivals - 1 and not claim.one_buyer and claim.ends <> '{failed}' then
    return topup_match_tied(o, claim.rivals || ' orders for ' || count || ' purchases in the history', claim.rows,
      input);
  end if;
  return case when mine is null then topup_order_absent(o, input)
    else topup_match_claimed(o, mine, claim.rank, input) end;
end $$;

create or replace function topup_match_tied(o topup_orders, why text, tied jsonb, input jsonb) returns jsonb
language sql as $$
  select jsonb_build_object('verdict', 'settled') || topup_order_review(o,
    why || ': ' || (select string_agg(r->>'trxid', ', ' order by r->>'trxid') from jsonb_array_elements(tied) r),
    input->>'alert_to')
$$;

-- Whether the order waits for a person because of a tie.
create or replace function topup_is_tied(o topup_orders) returns boolean language sql immutable as $$
  select o.state = 'review' and o.trxid is null
$$;

-- Whether the list has what the order is tied by, but for what has become another order's: a list that shows one of two
-- purchases no more does not tell that the other one is its own. Of a tie that names no purchase, as the release before
-- wrote them, nobody knows: it is a person's.
create or replace function topup_tie_is_listed(o topup_orders, history jsonb) returns boolean language sql stable as $$
  select exists (
    select from topup_supplier_sightings w
    where w.family = o.family and w.trxid = any (regexp_split_to_array(o.review_reason, '[ ,:]+'))
    union all
    -- No list had it before it was another's: a callback named it.
    select from topup_orders x
    where x.family = o.family and x.trxid = any (regexp_split_to_array(o.review_reason, '[ ,:]+')))
  and not exists (
    select from topup_supplier_sightings w
    where w.family = o.family and w.seen_at >= o.attempt_at - interval '1 minute'
      and w.trxid = any (regexp_split_to_array(o.review_reason, '[ ,:]+'))
      and not exists (select from topup_orders x where x.trxid = w.trxid)
      and not exists (select from topup_history_rows(history) r where r.trxid = w.trxid))
$$;

-- How long a price list that names the service of a row, or its price, is waited for.
create or replace function topup_price_list_patience() returns interval language sql immutable as $$
  select interval '2 hours'
$$;

-- The row is the order's. Of one that is not plainly its own the operator hears.
create or replace function topup_match_claimed(o topup_orders, purchase jsonb, rank int, input jsonb) returns jsonb
language plpgsql as $$
declare
  bought jsonb := topup_match_bought(o, purchase, input, rank > 1);
begin
  if rank = 1 then
    return bought;
  end if;
  return bought || jsonb_build_object('wake', (bought->'wake') || jobs_wakes(topup_order_alert(o,
    'Pembelian yang tertulis lain diambil untuk pesanan', concat_ws(' / ', purchase->>'trxid', purchase->>'service',
      purchase->>'target', purchase->>'price'), input->>'alert_to')));
end $$;

-- The supplier's silence is believed: the order was not bought, so it fails and is refunded.
create or replace function topup_order_absent(o topup_orders, input jsonb) returns jsonb language plpgsql as $$
begin
  update topup_orders x set notes = 'The service is temporarily unavailable' where x.id = o.id;
  return jsonb_build_object('verdict', 'settled')
    || topup_orders_end(jsonb_build_array(jsonb_build_object('id', o.id, 'state', 'failed')), input);
end $$;
