-- What is decided about an order in doubt once the silence about it is believed (topup_orders_silence.sql): nothing has
-- shown that is plainly its purchase. Guarantee: it is refunded only where no row can be its purchase, where each that
-- could stands as it should for another order that a person is asked about, or where it has none in any of the best ways to
-- hand them out; it has a row where every assignment of the rows
-- gives it one (topup_orders_assign.sql), or where its rivals are its buyer's own for the same goods, the first first. Before
-- a person is asked, all ways to hand out the rows are tried (topup_orders_ways.sql). He decides
-- true ties only: fewer rows than orders of several buyers that nothing tells apart, rows too many that end differently, or
-- rows for other goods that could as well be changed; until he has, the lists
-- go on being asked, and what settles it (the missing purchase, an end that they share, his word about the other order)
-- settles it by itself. Where the silence is not believed after a day (`is_proven` is false) nobody is refunded and nothing
-- is a tie for want of rows: what is not listed proves nothing.

-- Null: not decided, where nothing proves what is not listed.
create or replace function topup_match_decide(o topup_orders, input jsonb, is_proven boolean) returns jsonb
language plpgsql as $$
declare
  claim record := topup_assigned(o, input->'rows', 6, false);
  judged record := topup_match_judge(o, claim, input, is_proven);
  tie text := judged.tie;
begin
  -- What fits worse than what they compete for has no say. Where lists prove nothing, who is left over by the order of what
  -- is listed may have what is not.
  if tie is not null and (is_proven or claim.rivals = '{}') then
    judged := topup_match_judge(o, topup_assigned(o, input->'rows', claim.rank, true), input, is_proven);
  end if;
  return case when judged.tie is null then judged.verdict
    when is_proven or claim.is_spare then topup_match_tied(o, tie, claim.rows, input) end;
end $$;

-- What the assignment says; `tie`: nothing, and why, in words for a person.
create or replace function topup_match_judge(o topup_orders, claim record, input jsonb, is_proven boolean,
  out verdict jsonb, out tie text) language plpgsql as $$
declare
  asked_at timestamptz := (input->>'asked_at')::timestamptz;
  contest text;
begin
  if claim.rank is null and not coalesce(claim.is_busy, false) then
    verdict := case when is_proven and topup_has_like_before(o) then topup_match_later(o, 'wait')
      when is_proven then topup_order_absent(o, input) end;
    return;
  elsif claim.is_busy or claim.is_better
    or claim.rank in (2, 3, 4, 6) and asked_at < o.attempt_until + topup_price_list_patience() then
    verdict := topup_match_later(o, 'wait');
    return;
  end if;
  contest := topup_match_contest(o, claim, asked_at);
  if contest = 'none' and claim.mine is not null then
    verdict := topup_match_claimed(o, claim.mine, claim.rank, input);
  elsif contest in ('none', 'later') then
    verdict := topup_match_later(o, 'wait');
  else
    tie := contest;
  end if;
end $$;

-- Whether its buyer's order for the same goods, tried before it, is in doubt: that one's purchase may be named to it alone,
-- and what is thought to be its own now be left over for this one then.
create or replace function topup_has_like_before(o topup_orders) returns boolean language sql stable as $$
  select exists (select from topup_orders x
    where x.state in ('buying', 'unknown') and x.trxid is null and x.user_id = o.user_id and x.family = o.family
      and x.attempt_at < o.attempt_at and topup_is_undecided(x, o) and topup_are_one_buyers(o, array[x]))
$$;

-- Why the order cannot simply have the row that it is assigned, in words for a person; or `none`: it can, and if it is
-- assigned none, others have to take theirs first; `later`: facts may come.
create or replace function topup_match_contest(o topup_orders, claim record, moment timestamptz) returns text
language plpgsql stable as $$
declare
  is_long boolean := moment >= o.attempt_until + topup_doubt_patience();
begin
  if claim.ends = '{failed}' or claim.rivals = '{}' and claim.swaps = '{}' and not claim.is_spare then
    return 'none';
  elsif claim.rivals <> '{}' then
    return case when topup_are_one_buyers(o, claim.rivals) then 'none'
      when exists (select from unnest(claim.rivals) x where x.id <> o.id and not topup_is_ripe(x, moment)) then 'later'
      else cardinality(claim.rivals) || ' orders for ' || jsonb_array_length(claim.rows) || ' purchases in the history' end;
  elsif claim.is_spare and claim.ends <> '{success}' then
    if 'open' = any (claim.ends) and not is_long then
      return 'later';
    elsif cardinality(claim.ends) > 1 then
      return jsonb_array_length(claim.rows) || ' purchases in the history that end differently';
    end if;
  end if;
  return case when claim.swaps = '{}' or topup_may_be_changed(o, claim) then 'none'
    when 'open' = any (claim.ends) and not is_long then 'later'
    when exists (select from unnest(claim.swaps) x where not topup_is_ripe(x, moment)) then 'later'
    else jsonb_array_length(claim.rows) || ' purchases in the history, of which any may be its own' end;
end $$;

-- Whether all of them are one buyer's, for the same goods at the same price: then it is the same to him which of them are
-- bought. A reseller's many customers have targets of their own; goods of one name at one price are the same to him.
create or replace function topup_are_one_buyers(o topup_orders, rivals topup_orders[]) returns boolean
language sql stable as $$
  select bool_and(x.user_id = o.user_id and x.amount = o.amount and x.quantity = o.quantity
    and topup_plain_zone(x.zone) is not distinct from topup_plain_zone(o.zone) and topup_is_for(x, o.target)
    and (x.code = o.code or topup_plain_name(x.service_name) = topup_plain_name(o.service_name)))
  from unnest(rivals) x
$$;

-- Whether the order can have its row though it could change rows with others. The list's order tells whose is which; or it is
-- the same: rows for the same goods that say the same; or for other goods, having all succeeded or all failed, if they are one
-- buyer's or nothing comes with them that only its own buyer may see (tokens, vouchers). What is open may yet end in two ways,
-- and of what came in part each lacks as much as it does.
drop function if exists topup_may_be_changed(topup_orders, record, boolean);
create or replace function topup_may_be_changed(o topup_orders, claim record) returns boolean
language plpgsql stable as $$
begin
  return claim.is_in_turn
    or cardinality(claim.ends) = 1 and (select bool_and(topup_alike(x, o)) from unnest(claim.swaps) x)
    or claim.ends in ('{success}', '{failed}')
      and (o.family = 'social' or o.target_kind = 'phone' or (select bool_and(x.user_id = o.user_id) from unnest(claim.swaps) x));
end $$;

-- Whether nothing more is waited for of an order in doubt, as far as it has looked: a person's, or silence that is believed.
create or replace function topup_is_ripe(x topup_orders, moment timestamptz) returns boolean language sql stable as $$
  select x.state = 'review' or coalesce(topup_silence_due(x) <= moment, false)
    or moment >= x.attempt_until + topup_doubt_patience()
$$;

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
  bought jsonb;
begin
  if rank > 1 and purchase->>'trxid' = o.answered_trxid and topup_suspicion(o, purchase->>'target', purchase->>'zone',
      purchase->>'code', (purchase->>'quantity')::int) is not null then
    return topup_order_told(o, input);
  end if;
  bought := topup_match_bought(o, purchase, input, rank > 1);
  if rank = 1 then
    return bought;
  end if;
  return bought || jsonb_build_object('wake', (bought->'wake') || jobs_wakes(topup_order_alert(o,
    'Pembelian yang tertulis lain diambil untuk pesanan', concat_ws(' / ', purchase->>'trxid', purchase->>'service',
      purchase->>'target', purchase->>'price'), input->>'alert_to')));
end $$;

-- The supplier's silence is believed: the order was not bought, so it fails and is refunded. Where the very answer told of
-- what nobody has, and what gave no money back, that may be its purchase in words of something else: a person's. So is what may
-- be this order's, but was told to another one by its answer or by a person.
create or replace function topup_order_absent(o topup_orders, input jsonb) returns jsonb language plpgsql as $$
declare
  tied jsonb;
begin
  if o.answered_trxid is not null and not topup_is_taken(o.answered_trxid, input->'rows')
    and not exists (select from topup_history_rows(input->'rows') r
      where r.trxid = o.answered_trxid and topup_plain_end(r.outcome) = 'failed') then
    return topup_order_told(o, input);
  end if;
  tied := topup_row_of_another(o, input->'rows');
  if tied is not null then
    return topup_match_tied(o, 'what may be its purchase was told to another order', jsonb_build_array(tied), input);
  end if;
  update topup_orders x set notes = 'The service is temporarily unavailable' where x.id = o.id;
  return jsonb_build_object('verdict', 'settled')
    || topup_orders_end(jsonb_build_array(jsonb_build_object('id', o.id, 'state', 'failed')), input);
end $$;

-- Whether an order has the purchase: it was bought by it, or a person said so and the list shows it as that order's goods.
create or replace function topup_is_taken(trxid text, history jsonb) returns boolean language sql stable as $$
  select exists (select from topup_orders x
    where x.trxid = topup_is_taken.trxid and (x.bought_at is not null
      or x.state in ('success', 'partial') and exists (select from topup_history_rows(history) r
        where r.trxid = x.trxid and not topup_is_odd(x, r.target, r.zone, r.code, r.service, r.quantity, r.price))))
$$;

-- A row that gave no money back and may be of this order's goods, and is not of those of the order that has it by an answer or
-- by a person's word. Also once that one was delivered: whose goods those were, only a person's word about this one tells.
create or replace function topup_row_of_another(o topup_orders, history jsonb) returns jsonb language sql stable as $$
  select to_jsonb(r) from topup_history_rows(history) r join topup_orders x on x.trxid = r.trxid
  where x.id <> o.id and x.matched_at is null and (x.bought_at is not null or x.state in ('success', 'partial'))
    and topup_plain_end(r.outcome) is distinct from 'failed'
    and topup_may_be_of(o.attempt_at, case when x.bought_at is not null then x.bought_at - interval '55 seconds'
      else least(topup_told_by(x), (select w.seen_at from topup_supplier_sightings w where w.trxid = x.trxid)) end)
    and case when x.bought_at is not null then topup_suspicion(x, r.target, r.zone, r.code, r.quantity) is not null
      else topup_is_odd(x, r.target, r.zone, r.code, r.service, r.quantity, r.price) end
    and topup_row_rank(o, r.target, r.zone, r.code, r.service, r.quantity, r.price) is not null
  limit 1
$$;

-- The purchase that its answer told of, and no other, may be the order's, but is in words of something else: a person's. Where
-- another order was told of it as well, that is a tie.
create or replace function topup_order_told(o topup_orders, input jsonb) returns jsonb language plpgsql as $$
declare
  asked bigint;
begin
  select r.price into asked from topup_history_rows(input->'rows') r where r.trxid = o.answered_trxid limit 1;
  update topup_orders x set
    trxid = case when not exists (select from topup_orders y where y.trxid = x.answered_trxid) then x.answered_trxid end,
    charged_amount = case when not topup_is_absurd(x, asked) then asked end,
    -- What it was tied by is over.
    review_reason = case when x.state = 'review' then x.supplier_note end
  where x.id = o.id returning * into o;
  if not topup_is_tied(o) then
    perform topup_order_rest(o);
  end if;
  return jsonb_build_object('verdict', 'settled') || topup_order_review(o, o.supplier_note, input->>'alert_to');
end $$;
