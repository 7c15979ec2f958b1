-- How much a buyer may order. Guarantee, from any number of connections at once: what he has open and what he spends in a
-- Jakarta day stay within his level's limits, over all the ways of ordering together, as each order has the buyer's turn.

-- Refuses what would be a mistake or too much: a like order of a moment ago that is not confirmed, a number that the
-- supplier serves once a day, more open orders or a dearer day than the limits allow.
create or replace function topup_require_measure(o topup_orders, s topup_services, input jsonb)
returns void language plpgsql as $$
declare
  moment timestamptz := (input->>'now')::timestamptz;
  midnight timestamptz := jakarta_midnight(moment);
  limits jsonb := topup_limits(o.user_id, input);
  since uuid := uuid_from(midnight - interval '2 hours');
  twin text;
  spent bigint;
begin
  -- Where a number is served once a day, its buyers come one at a time, whoever they are.
  if not s.multi_trx then
    perform pg_advisory_xact_lock(hashtextextended('topup/once/' || s.id || '/' || o.target, 0));
  end if;
  if not s.multi_trx and exists (select from topup_orders x
      where x.family = o.family and x.target = o.target and x.code = o.code and x.id <> o.id
        and x.zone is not distinct from o.zone and x.paid_at >= midnight
        and x.state not in ('failed', 'cancelled', 'refunded')) then
    perform app_error('conflict', 'This number has been served today already; this service allows it once a day');
  end if;
  select x.number into twin from topup_orders x
  -- Unpaid orders are paid at most so long after their number was given.
  where x.user_id = o.user_id and x.id >= uuid_from(moment - interval '2 hours') and x.id <> o.id
    and not (input->>'confirm')::boolean and x.family = o.family and x.code = o.code
    -- Where a game is not known to have zones, whatever is written as one names the same player.
    and (not s.needs_zone or topup_wished_zone(x.zone) is not distinct from topup_wished_zone(o.zone))
    and x.state not in ('failed', 'cancelled', 'refunded')
    and x.paid_at > moment - make_interval(mins => (input->'limits'->>'like_minutes')::int)
    and topup_wished_target(x.family, x.target) = topup_wished_target(o.family, o.target)
  order by x.id desc limit 1;
  if twin is not null then
    perform app_error('conflict', 'The same order was placed a moment ago (' || twin
      || '). Send "confirm": true to order it again', jsonb_build_object('orderNumber', twin));
  end if;
  if (select count(*) from topup_orders x where x.user_id = o.user_id
      and x.state in ('queued', 'buying', 'unknown', 'review', 'processing')) >= (limits->>'open_orders')::int then
    perform topup_over_limit(limits, 'You may have at most ' || (limits->>'open_orders') || ' orders in progress at a time');
  end if;
  select coalesce(sum(x.amount - x.refunded_amount), 0) into spent from topup_orders x
  where x.user_id = o.user_id and x.id >= since and x.paid_at >= midnight;
  if o.amount + spent > (limits->>'day_amount')::bigint then
    perform topup_over_limit(limits, 'Orders of one day (Jakarta time) may cost you at most '
      || topup_rupiah((limits->>'day_amount')::bigint) || '; ' || topup_rupiah(spent) || ' are used');
  end if;
end $$;

-- Unpaid orders cost nothing, so a buyer can have only so many that may still be paid. He has his turn.
create or replace function topup_require_few_unpaid(buyer bigint, input jsonb) returns void language plpgsql as $$
declare
  moment timestamptz := (input->>'now')::timestamptz;
  limits jsonb := topup_limits(buyer, input);
begin
  -- They are paid at most so long after their number was given.
  if (select count(*) from topup_orders x where x.user_id = buyer and x.state = 'pending'
      and x.id >= uuid_from(moment - interval '2 hours') and x.expires_at > moment)
      >= (limits->>'open_orders')::int then
    perform topup_over_limit(limits, 'You may have at most ' || (limits->>'open_orders') || ' orders unpaid at a time');
  end if;
end $$;

-- {level, open_orders, day_amount}: what holds for the buyer among the input's limits. The Worker of the release before
-- knows no limits of levels: the app's are a plain member's, the API's those of the others.
create or replace function topup_limits(buyer bigint, input jsonb) returns jsonb language sql stable as $$
  select coalesce(input->'limits'->'levels'->level,
      input->'limits'->case level when 'member' then 'app' else 'api' end) || jsonb_build_object('level', level)
  from topup_level(buyer) level
$$;

-- Refuses what is more than a level allows, and says who can change that.
create or replace function topup_over_limit(limits jsonb, words text) returns void language plpgsql as $$
begin
  perform app_error('rate_limited', words || case limits->>'level' when 'member'
    then '. For more, ask an admin for the level "reseller"' else '. No level has more; ask an admin if you need it' end);
end $$;

create or replace function topup_rupiah(amount bigint) returns text language sql immutable as $$
  select 'Rp ' || replace(to_char(amount, 'FM999,999,999,999,999'), ',', '.')
$$;
