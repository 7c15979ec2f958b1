-- What rankings, contributions, income and profiles read instead of gifts. Each is the sum of its gifts: a gift is added
-- by the transaction that writes it, once. Days are Jakarta's; a clock hour begins at the same moment there as anywhere.

-- These rows are changed in place all the time: room on their pages keeps a change from touching the indexes.
alter table live_host_days set (fillfactor = 70);
alter table live_host_hours set (fillfactor = 70);
alter table live_fan_days set (fillfactor = 70);
alter table live_fan_hours set (fillfactor = 70);
alter table live_gift_totals set (fillfactor = 70);
alter table live_host_weeks set (fillfactor = 70);

-- Adds gifts that no total knows yet. Every row belongs to a host or to a person whose wallet the caller has locked;
-- the hosts' weeks, which the minute's cron moves as well, are locked here.
create or replace function live_gifts_roll_up(ids bigint[]) returns void language plpgsql as $$
begin
  perform live_week_turn(t.host_id, t.since)
  from (select g.receiver_id as host_id, live_week_since(max(g.created_at)) as since
    from live_gifts g where g.id = any(ids) group by g.receiver_id order by g.receiver_id) t;

  with g as materialized (
    select g.sender_id, g.receiver_id as host_id, g.category, g.session_id, g.coin_value * g.quantity as coins,
      g.income, (g.created_at at time zone 'Asia/Jakarta')::date as day, date_trunc('hour', g.created_at, 'UTC') as hour
    from live_gifts g where g.id = any(ids)
  ), host_days as (
    insert into live_host_days as t (host_id, day, category, gifts, coins, income)
    select g.host_id, g.day, g.category, count(*), sum(g.coins), sum(g.income) from g group by 1, 2, 3
    on conflict on constraint live_host_days_pkey do update set
      gifts = t.gifts + excluded.gifts, coins = t.coins + excluded.coins, income = t.income + excluded.income
  ), host_hours as (
    insert into live_host_hours as t (hour, host_id, coins, income)
    select g.hour, g.host_id, sum(g.coins), sum(g.income) from g group by 1, 2
    on conflict on constraint live_host_hours_pkey do update set
      coins = t.coins + excluded.coins, income = t.income + excluded.income
  ), fan_days as (
    insert into live_fan_days as t (host_id, day, sender_id, coins)
    select g.host_id, g.day, g.sender_id, sum(g.coins) from g group by 1, 2, 3
    on conflict on constraint live_fan_days_pkey do update set coins = t.coins + excluded.coins
  ), fan_hours as (
    insert into live_fan_hours as t (host_id, hour, sender_id, coins)
    select g.host_id, g.hour, g.sender_id, sum(g.coins) from g group by 1, 2, 3
    on conflict on constraint live_fan_hours_pkey do update set coins = t.coins + excluded.coins
  ), fan_totals as (
    insert into live_fan_totals as t (host_id, sender_id, coins, week_coins)
    select g.host_id, g.sender_id, sum(g.coins), coalesce(sum(g.coins) filter (where g.hour >= w.since), 0)
    from g join live_host_weeks w on w.host_id = g.host_id
    group by 1, 2
    on conflict on constraint live_fan_totals_pkey do update set
      coins = t.coins + excluded.coins, week_coins = t.week_coins + excluded.week_coins
  ), host_weeks as (
    update live_host_weeks w set coins = w.coins + given.coins
    from (select g.host_id, sum(g.coins) as coins from g join live_host_weeks h on h.host_id = g.host_id
      where g.hour >= h.since group by 1) given
    where w.host_id = given.host_id
  ), session_gifts as (
    insert into live_session_gifts as t (session_id, gifts, coins, income)
    select g.session_id, count(*), sum(g.coins), sum(g.income) from g where g.session_id is not null group by 1
    on conflict on constraint live_session_gifts_pkey do update set
      gifts = t.gifts + excluded.gifts, coins = t.coins + excluded.coins, income = t.income + excluded.income
  )
  insert into live_gift_totals as t (user_id, spent, received, income)
  select side.user_id, sum(side.spent), sum(side.received), sum(side.income)
  from g, lateral (values (g.sender_id, g.coins, 0, 0), (g.host_id, 0, g.coins, g.income))
    side(user_id, spent, received, income)
  group by 1
  on conflict on constraint live_gift_totals_pkey do update set spent = t.spent + excluded.spent,
    received = t.received + excluded.received, income = t.income + excluded.income;
end $$;

-- A person's own totals for his profile: coins that he spent on gifts, and what he ever earned by gifts.
create or replace function live_totals_of(person bigint) returns jsonb language sql stable as $$
  select jsonb_build_object('spent', coalesce(sum(t.spent), 0), 'income', coalesce(sum(t.income), 0))
  from live_gift_totals t where t.user_id = person
$$;

-- Hours that no period reaches any more: weeks of fans, and months of hosts' gifts. Called by the hourly cron.
create or replace function live_hours_purge(input jsonb) returns jsonb language plpgsql as $$
begin
  delete from live_host_hours h where h.hour < now() - interval '31 days';
  delete from live_fan_hours h where h.hour < now() - interval '8 days';
  return '{}';
end $$;
