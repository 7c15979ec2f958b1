-- Words of the supplier's that are not of what was ordered: of another target, zone, service by its code, or quantity.
-- Guarantees:
--   1. An answer to the order in such words may tell of another's purchase, so it is a doubt: the order is `unknown`, the
--      history tells whose is what, and what the answer told of is nobody's for it. Where silence is believed and nobody else
--      has what the answer told of, a person is asked: whether the buyer has his goods, no list tells.
--   2. What an order that a person is asked about, or was, has been told of, and is plainly not what it ordered, is free for
--      the order in doubt by then that it is of; that one's end says nothing of it then, and the history tells.
--   3. Of what was known to be the order's, such words are a person's until the next ones without; then it goes on by itself.
--      No end is taken from words of something else but one that gives money back, and no token from words of somebody else.
-- Words are judged as those of lists are (topup_orders_words.sql): only what plainly is another's is suspicious.

-- Why these words are not of what the order asked for, or null. What is left out is no reason, nor what is blacked out or
-- written in another way. A name alone is judged by the price list of that moment (topup_orders_renames.sql).
create or replace function topup_suspicion(o topup_orders, target text, zone text, code text, quantity int) returns text
language sql stable as $$
  select case
    when btrim(w.target) <> '' and not topup_is_for(o, w.target)
      -- What differs by the case of a post's name, or a country code before a player's, has the same letters. Numbers that
      -- prepaid goods are for are written with zeros, country code or neither, whatever kind they are of.
      and (o.family <> 'prepaid' and topup_plain_target(w.target) = topup_plain_target(o.target)
        or not topup_may_mean(o, w.target))
      then 'the supplier''s purchase is for another target'
    when topup_is_other_zone(o.zone, w.zone) then 'the supplier''s purchase is for another zone'
    when lower(btrim(w.code)) <> lower(o.code) and btrim(w.code) <> '' then 'the supplier''s purchase is of another service, ' || w.code
    when o.family = 'social' and w.quantity <> o.quantity then 'the supplier''s purchase is of another quantity' end
  from (select topup_suspicion.target, topup_suspicion.zone, topup_suspicion.code, topup_suspicion.quantity) w
$$;

-- Whether a zone that is told is plainly not the one that was ordered: another number, or a name of which neither is a part
-- of the other ("os_asia", "Asia"), as servers' names are written in many ways.
create or replace function topup_is_other_zone(mine text, told text) returns boolean language sql immutable as $$
  select coalesce(case
    when z.mine = '' or z.told = '' or z.words ~ '[*•]' then false
    when z.mine ~ '^\d+$' then z.words ~ '\d' and z.words !~ ('(^|\D)0*' || z.mine || '($|\D)')
    else position(z.mine in z.told) = 0 and position(z.told in z.mine) = 0 end, false)
  from (select topup_is_other_zone.told as words,
    regexp_replace(topup_plain_zone(topup_is_other_zone.mine), '[^[:alnum:]]', '', 'g') as mine,
    regexp_replace(topup_plain_zone(topup_is_other_zone.told), '[^[:alnum:]]', '', 'g') as told) z
$$;

-- The updates of topup_orders_advance with what is suspicious in them as `unreadable`, but for what gives money back, where it
-- may not be another order's. Then they do not tell of which service they are, either, nor a token, where it is
-- somebody else's. The release before judges its own and tells no target.
create or replace function topup_updates_judged(updates jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(case when judged.doubt is null then e.u
    else e.u || jsonb_build_object('service', null, 'code', null)
      || case when topup_suspicion(x, e.u->>'target', e.u->>'zone', null, null) is null then '{}'::jsonb else '{"sealed_serial": null}' end
      || case when e.u->>'outcome' in ('open', 'success', 'partial') or topup_is_anothers(x, e.u->>'target', e.u->>'zone',
          e.u->>'code', e.u->>'service', (e.u->>'quantity')::int) and e.u->>'outcome' in ('failed', 'cancelled', 'refunded')
        then jsonb_build_object('outcome', 'unreadable', 'supplier_note', judged.doubt) else '{}' end end order by e.n), '[]')
  from jsonb_array_elements(updates) with ordinality e(u, n)
  left join topup_orders x on x.id = (e.u->>'id')::uuid,
  lateral (select case when x.id is not null and (x.bought_at is null or x.answered_since is null) then
    topup_suspicion(x, e.u->>'target', e.u->>'zone', e.u->>'code', (e.u->>'quantity')::int) end as doubt) judged
$$;

-- Whether such words may be of another order's goods, of which no purchase is known: the answer to this one may have told
-- of that one's.
create or replace function topup_is_anothers(o topup_orders, target text, zone text, code text, service text, quantity int)
returns boolean language sql stable as $$
  select exists (select from topup_orders y
    where y.id <> o.id and y.id >= uuid_from(o.attempt_at - interval '1 day') and y.family = o.family and y.trxid is null
      and y.attempt_at is not null and topup_row_rank(y, topup_is_anothers.target, topup_is_anothers.zone, topup_is_anothers.code,
        topup_is_anothers.service, topup_is_anothers.quantity, null) is not null)
$$;

-- Whether what the order was told of in an answer is plainly not its own, by these words of a list or of another answer. Also
-- where its money has gone back since.
create or replace function topup_is_lent(x topup_orders, target text, zone text, code text, service text, quantity int,
  price bigint) returns boolean language sql stable as $$
  select x.bought_at is null and x.state in ('review', 'failed', 'cancelled', 'refunded') and x.trxid is not null
    and topup_is_odd(x, topup_is_lent.target, topup_is_lent.zone, topup_is_lent.code, topup_is_lent.service,
      topup_is_lent.quantity, topup_is_lent.price)
$$;

-- Whether these words are plainly not of what the order asked for, by what its price list knows, too.
create or replace function topup_is_odd(x topup_orders, target text, zone text, code text, service text, quantity int,
  price bigint) returns boolean language sql stable as $$
  select topup_suspicion(x, topup_is_odd.target, topup_is_odd.zone, topup_is_odd.code, topup_is_odd.quantity) is not null
    or topup_row_is_other(x, topup_is_odd.zone, topup_is_odd.code, topup_is_odd.service, topup_is_odd.quantity, topup_is_odd.price)
$$;

-- By when what the answer told the order of was surely there. Our own clocks tell it, so of the minute that topup_may_be_of
-- leaves to lists only 5 seconds are left. The release before kept no time: then the end of the attempt.
create or replace function topup_answered_by(x topup_orders) returns timestamptz language sql immutable as $$
  select coalesce(x.told_at - interval '55 seconds', x.attempt_until)
$$;

-- The same of its trxid, which a person may have put in the place of what the answer told of.
create or replace function topup_told_by(x topup_orders) returns timestamptz language sql immutable as $$
  select case when x.answered_trxid <> x.trxid and x.finished_at is not null then x.finished_at - interval '55 seconds'
    else topup_answered_by(x) end
$$;

drop function if exists topup_purchase_claim(topup_orders, text);
-- Whoever was told of this purchase in an answer, and does not have it, is in doubt again, if he was not yet paid back: it is
-- the order's. `by_hand`: a person gives it to the order (topup_is_loose). The caller has locked the order, and whoever else is
-- locked comes after it. Returns the wakes.
create or replace function topup_purchase_claim(o topup_orders, trxid text, by_hand boolean default false) returns jsonb
language plpgsql as $$
declare
  x topup_orders;
begin
  update topup_orders y set state = case y.state when 'review' then 'unknown' else y.state end, trxid = null, bought_at = null,
    -- Of what was thought to be bought by it the person may be wrong: silence alone pays nobody back then.
    answered_trxid = case when by_hand and y.bought_at is not null then y.trxid else y.answered_trxid end,
    told_at = case when by_hand and y.bought_at is not null then coalesce(y.told_at, y.bought_at)
      when y.answered_trxid <> y.trxid then y.told_at end,
    review_reason = null, charged_amount = null, sealed_serial = null, absences = 0, absent_since = null,
    newer_since = null, updated_at = now(), supplier_note = 'answered with the purchase of ' || o.number
  where y.trxid = topup_purchase_claim.trxid and y.id <> o.id and case when by_hand then topup_is_loose(y)
    else y.bought_at is null and y.state in ('review', 'failed', 'cancelled', 'refunded') end
  returning * into x;
  if not found or x.state <> 'unknown' then
    return '[]';
  end if;
  perform topup_order_event(x);
  return topup_order_wake(x, interval '3 seconds');
end $$;

-- Whether a person may give the purchase that this order was told of in an answer to another one: he is asked whose it is,
-- for nobody knew it as this one's or the supplier's words of it are of something else; or this one was paid back, and nobody
-- has yet to see that it was bought after all.
create or replace function topup_is_loose(x topup_orders) returns boolean language sql immutable as $$
  select x.matched_at is null and case when x.bought_at is null
      then x.state = 'review' or x.state in ('failed', 'cancelled', 'refunded') and x.review_reason is null
    else x.state = 'review' and x.review_reason ~ '^(supplier says )?the supplier''s purchase is ' end
$$;
