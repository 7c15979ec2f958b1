-- What rankings, contributions, income and profiles read instead of gifts. Each is the sum of its gifts: a gift is added
-- by the transaction that writes it, once. Days are Jakarta's; a clock hour begins at the same moment there as anywhere.

-- These rows are changed in place all the time: room on their pages keeps a change from touching the indexes.
alter table live_host_days set (fillfactor = 70);
alter table live_host_hours set (fillfactor = 70);
alter table live_fan_days set (fillfactor = 70);
alter table live_fan_hours set (fillfactor = 70);
alter table live_gift_totals set (fillfactor = 70);

-- Moves a host's rolling week forward to the one that ends with that day: what fell off is taken out, once.
create or replace function live_fan_weeks_turn(host bigint, today date) returns void language plpgsql as $$
declare
  head date;
begin
  select h.day into head from live_fan_week_heads h where h.host_id = host;
  if head >= today then return; end if;
  if head > today - 7 then
    with gone as (
      select d.sender_id, sum(d.coins)::bigint as coins from live_fan_days d
      where d.host_id = host and d.day between head - 6 and today - 7 group by d.sender_id
    )
    update live_fan_totals t set week_coins = t.week_coins - gone.coins
    from gone where t.host_id = host and t.sender_id = gone.sender_id;
  elsif head is not null then
    update live_fan_totals t set week_coins = 0 where t.host_id = host and t.week_coins > 0;
  end if;
  insert into live_fan_week_heads (host_id, day) values (host, today)
  on conflict on constraint live_fan_week_heads_pkey do update set day = excluded.day;
end $$;

-- The hundred who gave a host most in the 7 times 24 hours up to that moment; the clock hour that they begin in counts
-- as a whole. They are seven days of Jakarta, today among them, and what is left of the day before those: who gave
-- nothing in its hours has a place only among the best hundred of the days. A host whose week has not turned yet was
-- given nothing today: his days are summed.
create or replace function live_fans_rolling_week(host bigint, moment timestamptz)
returns table (id bigint, coins bigint) language plpgsql stable as $$
declare
  today date := (moment at time zone 'Asia/Jakarta')::date;
  midnight timestamptz := (today - 6)::timestamp at time zone 'Asia/Jakarta';
  since timestamptz := date_trunc('hour', moment) - interval '168 hours';
begin
  if exists (select from live_fan_week_heads h where h.host_id = host and h.day = today) then
    return query
      with early as materialized (
        select h.sender_id, sum(h.coins)::bigint as early_coins from live_fan_hours h
        where h.host_id = host and h.hour >= since and h.hour < midnight group by h.sender_id
      ), best as (
        (select t.sender_id, t.week_coins from live_fan_totals t
          where t.host_id = host and t.week_coins > 0 order by t.week_coins desc, t.sender_id limit 100)
        union
        select t.sender_id, t.week_coins from early e
          join live_fan_totals t on t.host_id = host and t.sender_id = e.sender_id
      )
      select b.sender_id, b.week_coins + coalesce(e.early_coins, 0) as total
      from best b left join early e on e.sender_id = b.sender_id
      order by total desc, b.sender_id limit 100;
  else
    return query select g.sender_id, sum(g.coins)::bigint as total
      from (select d.sender_id, d.coins from live_fan_days d
          where d.host_id = host and d.day between today - 6 and today
        union all select h.sender_id, h.coins from live_fan_hours h
          where h.host_id = host and h.hour >= since and h.hour < midnight) g
      group by g.sender_id order by total desc, g.sender_id limit 100;
  end if;
end $$;

-- Adds gifts that no total knows yet. Every row belongs to a host or to a person whose wallet the caller has locked.
create or replace function live_gifts_roll_up(ids bigint[]) returns void language plpgsql as $$
begin
  perform live_fan_weeks_turn(g.receiver_id, max((g.created_at at time zone 'Asia/Jakarta')::date))
  from live_gifts g where g.id = any(ids) group by g.receiver_id;

  with g as materialized (
    select g.sender_id, g.receiver_id as host_id, g.category, g.session_id, g.coin_value * g.quantity as coins,
      g.income, (g.created_at at time zone 'Asia/Jakarta')::date as day, date_trunc('hour', g.created_at) as hour
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
    select g.host_id, g.sender_id, sum(g.coins), coalesce(sum(g.coins) filter (where g.day > h.day - 7), 0)
    from g join live_fan_week_heads h on h.host_id = g.host_id
    group by 1, 2
    on conflict on constraint live_fan_totals_pkey do update set
      coins = t.coins + excluded.coins, week_coins = t.week_coins + excluded.week_coins
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
