-- Rolling weeks: 7 times 24 hours up to now, the clock hour that they begin in counted whole. Guarantee: a host's `coins`
-- and his fans' `week_coins` are the sums of their hours from the host's `since` on. A gift adds to them, and what falls
-- off is taken out once, hour by hour: by the first gift of a new hour or by the minute's cron, whichever comes first.
-- All of it happens under the lock of the host's row. Rankings read the best hundred from an index; where a host's week
-- has not turned yet they look at that hour as well.

create or replace function live_week_since(moment timestamptz) returns timestamptz language sql immutable as $$
  select date_trunc('hour', moment, 'UTC') - interval '168 hours'
$$;

-- Locks a host's week and moves it forward to begin then; one that begins later stays. Of more than a day nothing is
-- taken out: the week is summed anew.
create or replace function live_week_turn(host bigint, new_since timestamptz) returns void language plpgsql as $$
declare
  head timestamptz;
begin
  select w.since into head from live_host_weeks w where w.host_id = host for no key update;
  if head >= new_since then return; end if;
  if head >= new_since - interval '24 hours' then
    update live_fan_totals t set week_coins = t.week_coins - gone.coins
    from (select h.sender_id, sum(h.coins) as coins from live_fan_hours h
      where h.host_id = host and h.hour >= head and h.hour < new_since group by h.sender_id) gone
    where t.host_id = host and t.sender_id = gone.sender_id;
    update live_host_weeks w set since = new_since, coins = w.coins - coalesce((select sum(h.coins)
      from live_host_hours h where h.host_id = host and h.hour >= head and h.hour < new_since), 0)
    where w.host_id = host;
  else
    insert into live_host_weeks as w (host_id, since, coins)
    select host, new_since, coalesce(sum(h.coins), 0) from live_host_hours h
    where h.host_id = host and h.hour >= new_since
    on conflict on constraint live_host_weeks_pkey do update set since = excluded.since, coins = excluded.coins;
    update live_fan_totals t set week_coins = 0 where t.host_id = host and t.week_coins > 0;
    update live_fan_totals t set week_coins = kept.coins
    from (select h.sender_id, sum(h.coins) as coins from live_fan_hours h
      where h.host_id = host and h.hour >= new_since group by h.sender_id) kept
    where t.host_id = host and t.sender_id = kept.sender_id;
  end if;
end $$;

-- live_weeks_turn({at, limit}) returns how many weeks were looked at
-- Turns the weeks of some hosts who were given nothing since the hour began; an empty week is forgotten. Who is being
-- given to at this moment is left out: his gift turns it.
create or replace function live_weeks_turn(input jsonb) returns jsonb language plpgsql as $$
declare
  new_since timestamptz := live_week_since((input->>'at')::timestamptz);
  hosts bigint[];
begin
  hosts := array(select w.host_id from live_host_weeks w where w.since < new_since
    order by w.since limit (input->>'limit')::int for no key update skip locked);
  perform live_week_turn(host, new_since) from unnest(hosts) host;
  delete from live_host_weeks w where w.host_id = any(hosts) and w.coins = 0;
  return to_jsonb(cardinality(hosts));
end $$;

-- The hundred who gave a host most in the week up to that moment. Of fans who gave in the hours between the host's
-- `since` and the asked one, as many more are read: no other can lose or win a place.
create or replace function live_fans_rolling_week(host bigint, moment timestamptz)
returns table (id bigint, coins bigint) language plpgsql stable as $$
declare
  asked timestamptz := live_week_since(moment);
  head timestamptz;
  places int := 100;
begin
  select w.since into head from live_host_weeks w where w.host_id = host;
  if head = asked then
    return query select t.sender_id, t.week_coins from live_fan_totals t
      where t.host_id = host and t.week_coins > 0 order by t.week_coins desc, t.sender_id limit places;
  elsif head between asked - interval '24 hours' and asked + interval '24 hours' then
    select places + count(*) into places from live_fan_hours h
      where h.host_id = host and h.hour >= least(head, asked) and h.hour < greatest(head, asked);
    return query
      with moved as materialized (
        select h.sender_id, sum(case when h.hour < head then h.coins else -h.coins end)::bigint as more
        from live_fan_hours h
        where h.host_id = host and h.hour >= least(head, asked) and h.hour < greatest(head, asked)
        group by h.sender_id
      ), best as (
        (select t.sender_id, t.week_coins from live_fan_totals t
          where t.host_id = host and t.week_coins > 0 order by t.week_coins desc, t.sender_id limit places)
        union
        select t.sender_id, t.week_coins from moved m
          join live_fan_totals t on t.host_id = host and t.sender_id = m.sender_id
      )
      select b.sender_id, b.week_coins + coalesce(m.more, 0) as total
      from best b left join moved m on m.sender_id = b.sender_id
      where b.week_coins + coalesce(m.more, 0) > 0
      order by total desc, b.sender_id limit 100;
  else
    return query select h.sender_id, sum(h.coins)::bigint as total from live_fan_hours h
      where h.host_id = host and h.hour >= asked group by h.sender_id
      order by total desc, h.sender_id limit places;
  end if;
end $$;

-- The hundred hosts who were given most in that week, in the same way; the hours to look at are those between the asked
-- one and the weeks that begin at another.
create or replace function live_hosts_rolling_week(moment timestamptz)
returns table (id bigint, coins bigint) language plpgsql stable as $$
declare
  asked timestamptz := live_week_since(moment);
  first_hour timestamptz;
  end_hour timestamptz;
begin
  select least(min(w.since), asked), greatest(max(w.since), asked) into first_hour, end_hour
    from live_host_weeks w;
  return query
    with moved as materialized (
      select h.host_id, sum(case when h.hour < w.since then h.coins else -h.coins end)::bigint as more
      from live_host_hours h join live_host_weeks w on w.host_id = h.host_id
      where h.hour >= first_hour and h.hour < end_hour
        and h.hour >= least(w.since, asked) and h.hour < greatest(w.since, asked)
      group by h.host_id
    ), best as (
      (select w.host_id, w.coins from live_host_weeks w where w.coins > 0
        order by w.coins desc, w.host_id limit 100 + (select count(*) from moved))
      union
      select w.host_id, w.coins from moved m join live_host_weeks w on w.host_id = m.host_id
    )
    select b.host_id, b.coins + coalesce(m.more, 0) as total from best b left join moved m on m.host_id = b.host_id
    where b.coins + coalesce(m.more, 0) > 0
    order by total desc, b.host_id limit 100;
end $$;

-- Weeks that were counted by days get their hours, once.
do $$ begin
  if not exists (select from live_host_weeks) then
    perform live_week_turn(h.host_id, live_week_since(now()))
    from (select distinct host_id from live_host_hours order by host_id) h;
  end if;
end $$;
