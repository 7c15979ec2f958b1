import type pg from "pg";

/** Hosts and givers, the most popular first: their ids follow one another. */
export interface Crowd {
  firstHost: number;
  hosts: number;
  firstFan: number;
  fans: number;
}

/** People without passwords, written straight to Postgres. */
export async function seedPeople(client: pg.Client, hosts: number, fans: number): Promise<Crowd> {
  const tag = crypto.randomUUID().slice(0, 8);
  const made = await client.query(
    `with made as (
       insert into identity_users (email, name, password_hash)
       select $1 || n || '@bench.example', 'Orang ' || n, 'x' from generate_series(1, $2::int) n
       returning id)
     select min(id)::int as first, count(*)::int as count from made`,
    [`bench-live-${tag}-`, hosts + fans],
  );
  const { first } = made.rows[0];
  return { firstHost: first, hosts, firstFan: first + hosts, fans };
}

const GIFTS_A_VISIT = 8;

/**
 * The totals of about that many gifts over `days` days up to now, as `live_gifts_roll_up` would have left them. Who
 * visits a room gives 1 to 15 gifts there.
 */
export async function seedTotals(
  client: pg.Client,
  { firstHost, hosts, firstFan, fans }: Crowd,
  { gifts, days }: { gifts: number; days: number },
): Promise<void> {
  await client.query("select setseed(0.5)");
  // A power of a uniform number: few are popular. The first of 2,000 hosts gets a twelfth of all gifts.
  await client.query(
    `create unlogged table bench_visits as
     select v.host_id, v.sender_id, v.at, (v.at at time zone 'Asia/Jakarta')::date as day,
       date_trunc('hour', v.at) as hour, v.gifts, v.gifts * v.price as coins
     from (select ${firstHost} + floor(${hosts} * power(random(), 3))::int as host_id,
         ${firstFan} + floor(${fans} * power(random(), 2))::int as sender_id,
         (now() - random() * interval '${days} days')::timestamptz(0) as at,
         1 + floor(random() * ${2 * GIFTS_A_VISIT - 1})::int as gifts,
         (array[100, 100, 100, 250, 500, 2999])[1 + floor(random() * 6)::int] as price
       from generate_series(1, ${Math.round(gifts / GIFTS_A_VISIT)}) offset 0) v order by v.at`,
  );
  for (const statement of TOTALS) await client.query(statement);
  await client.query("drop table bench_visits");
  await client.query("vacuum analyze");
}

const WEEK = "live_week_since(now())";

const TOTALS = [
  `insert into live_host_days select host_id, day, 'lucky', sum(gifts), sum(coins), sum(coins / 10)
   from bench_visits group by 1, 2 order by 2, 1`,
  `insert into live_host_hours select hour, host_id, sum(coins), sum(coins / 10) from bench_visits
   group by 1, 2 order by 1, 2`,
  `insert into live_fan_days select host_id, day, sender_id, sum(coins) from bench_visits
   group by 1, 2, 3 order by 2, min(at)`,
  `insert into live_fan_hours select host_id, hour, sender_id, sum(coins) from bench_visits
   where at > now() - interval '8 days' group by 1, 2, 3 order by 2, min(at)`,
  `insert into live_host_weeks select host_id, ${WEEK}, sum(coins) from bench_visits
   where hour >= ${WEEK} group by 1`,
  `insert into live_fan_totals
   select host_id, sender_id, sum(coins), coalesce(sum(coins) filter (where hour >= ${WEEK}), 0)
   from bench_visits group by 1, 2 order by min(at)`,
  `insert into live_gift_totals (user_id, spent, received, income)
   select user_id, sum(spent), sum(received), sum(received) / 10
   from (select sender_id as user_id, coins as spent, 0 as received from bench_visits
     union all select host_id, 0, coins from bench_visits) side group by 1 order by 1`,
];
