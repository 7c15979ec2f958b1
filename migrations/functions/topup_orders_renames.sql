-- Services that the supplier renames between two of our price lists. Where it tells no code, a purchase shows its service
-- by the name alone, so a new name may be a new name for what was ordered, or the name of something else. Guarantees:
--   1. The name is judged by the supplier's first word of the purchase: the answer to the order, or the row by which an
--      order in doubt was matched. Goods do not change once they are bought: a later other name is a rename, and nothing
--      to ask a person. (Another code, target, zone or quantity still is: topup_suspicion.)
--   2. An answer with a name that is not the order's waits for a person, as what may be another's purchase, until a price
--      list that was asked for after the attempt gives the name that is shown to the very code that was ordered, or the
--      supplier tells that code. Then it is the order's: it goes on by itself, with all that the same word tells, once,
--      and the operator hears of both names, for the goods may not be the same. What a person said meanwhile stands.
--   3. A list that gives the name to another code, or to none, tells nothing; nor does a review for another reason end so.

drop function if exists topup_is_known_again(topup_orders, text, text, text, bigint);

-- Why a person must look at a purchase because of the name that it shows, or null. `shown`: null where the supplier tells
-- the code, which says more.
create or replace function topup_name_doubt(o topup_orders, shown text, charged bigint) returns text language sql stable as $$
  select case when o.bought_at is null and shown ~ '[[:alnum:]]'
      and not topup_is_called(shown, o.service_name, o.brand, o.code) and not topup_is_listed_as(o, shown, charged)
    then topup_name_words() || ': ' || left(shown, 100) end
$$;

create or replace function topup_name_words() returns text language sql immutable as $$
  select 'the supplier''s purchase is of another service by its name'
$$;

-- Whether a price list that was asked for after the attempt calls the order's own service so. Where it has the name for
-- another one as well, the purchase must cost what the order's does, where the supplier says what it cost.
create or replace function topup_is_listed_as(o topup_orders, shown text, charged bigint) returns boolean
language sql stable as $$
  select exists (
    select from topup_services s
    where s.id = o.service_id and s.status <> 'gone' and topup_is_called(shown, s.name, s.brand, s.code)
      and exists (select from topup_syncs y
        where y.started_at > o.attempt_at and y.families->o.family->>'state' = 'applied')
      and (coalesce(charged in (o.supplier_amount, topup_supplier_cost(s, o.quantity)), true)
        or not exists (select from topup_services other
          where other.family = s.family and other.id <> s.id and other.status <> 'gone'
            and topup_is_called(shown, other.name, other.brand, other.code))))
$$;

-- Whether the order waits for a person because of a name alone. The release before said the same of a code, which the
-- supplier tells of prepaid goods.
create or replace function topup_waits_for_name(o topup_orders) returns boolean language sql immutable as $$
  select o.state = 'review' and o.trxid is not null
    and (starts_with(r.reason, topup_name_words())
      or o.family <> 'prepaid' and r.reason = 'the supplier''s purchase is of another service')
  from (select regexp_replace(o.review_reason, '^supplier says ', '') as reason) r
$$;

-- The name because of which the order waits. The release before took "Free Fire - 70 Diamonds" for another than "70 Diamonds".
create or replace function topup_name_told(o topup_orders) returns text language sql immutable as $$
  select substring(o.review_reason from topup_name_words() || ': (.*)$')
$$;

-- Whether this word of the supplier's, in which nothing is suspicious, ends the waiting for a person. Of what may be another's
-- purchase the word must say what it is of; of what was known to be the order's, and is a person's by a later word, any will
-- do that tells how it stands.
create or replace function topup_is_known_again(o topup_orders, outcome text, shown text, code text, charged bigint,
  remain int, target text) returns boolean language sql stable as $$
  select coalesce(o.state = 'review' and o.trxid is not null and case
    when o.bought_at is not null then outcome in ('open', 'success') or outcome = 'partial' and w.remain >= 0
    when outcome in ('unreadable', 'missing', 'untold') then false
    when topup_waits_for_name(o) then w.code = o.code
      or topup_is_called(topup_name_told(o), o.service_name, o.brand, o.code) or topup_is_listed_as(o, w.shown, w.charged)
    when o.answered_trxid = o.trxid then btrim(w.target) <> '' and (lower(btrim(w.code)) = lower(o.code)
      or w.is_called or topup_is_listed_as(o, w.shown, w.charged)) end, false)
  from (select topup_is_known_again.shown, topup_is_known_again.code, topup_is_known_again.charged, topup_is_known_again.remain,
    topup_is_known_again.target, topup_is_called(topup_is_known_again.shown, o.service_name, o.brand, o.code) as is_called) w
$$;

-- Takes the orders among the updates of topup_orders_advance that are known again as bought, before it applies what the
-- same updates say; the caller has locked them. Returns the wakes.
create or replace function topup_orders_know_again(input jsonb) returns jsonb language plpgsql as $$
declare
  u record;
  known uuid[];
  was topup_orders;
  wakes jsonb := '[]';
begin
  known := array(
    select x.id from topup_known_updates(input->'updates') r join topup_orders x on x.id = r.id and x.trxid = r.trxid
    where topup_is_known_again(x, r.outcome, r.service, r.code, r.charged, r.remain, r.target));
  if cardinality(known) = 0 then
    return wakes;
  end if;
  -- The services of all of them: what ends later in this call may give a piece back.
  perform from topup_services s
  where s.id in (select x.service_id from topup_orders x
    where x.id in (select r.id from topup_known_updates(input->'updates') r)) order by s.id for no key update;
  for u in select r.* from topup_known_updates(input->'updates') r where r.id = any (known) order by r.id loop
    select * into was from topup_orders x where x.id = u.id and x.trxid = u.trxid;
    -- A list may have it twice.
    continue when not topup_is_known_again(was, u.outcome, u.service, u.code, u.charged, u.remain, u.target);
    -- A token that came with what a person was asked about was another's.
    update topup_orders x set sealed_serial = null where x.id = was.id and x.sealed_serial is not null;
    wakes := wakes || (topup_order_bought(was, jsonb_build_object('trxid', was.trxid,
      'charged', coalesce(u.charged, was.charged_amount), 'start_count', coalesce(u.start_count, was.start_count),
      'now', coalesce(was.bought_at, (input->>'now')::timestamptz), 'alert_to', input->>'alert_to'))->'wake');
    if was.bought_at is null and topup_waits_for_name(was) then
      wakes := wakes || topup_rename_told(was, u.service, input->>'alert_to');
    end if;
  end loop;
  return wakes;
end $$;

create or replace function topup_known_updates(updates jsonb) returns table (id uuid, trxid text, outcome text, charged bigint,
  remain int, start_count int, service text, code text, target text) language sql immutable as $$
  select r.* from jsonb_to_recordset(updates) as r(id uuid, trxid text, outcome text, charged bigint, remain int,
    start_count int, service text, code text, target text)
$$;

-- The operator hears, once, that an order was bought under another name than it was sold under.
create or replace function topup_rename_told(o topup_orders, shown text, alert_to text) returns jsonb language sql as $$
  select jobs_wakes(topup_order_alert(o, 'Layanan berganti nama setelah dipesan',
    concat_ws('; ', 'sold as ' || o.service_name, 'now ' || left(shown, 100), o.review_reason), alert_to))
$$;
