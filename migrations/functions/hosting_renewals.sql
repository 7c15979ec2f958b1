-- The nightly run over subscriptions. Guarantees, from any number of runs at once, repeated or killed anywhere:
-- each step is taken once for each period (the key of hosting_renewal_steps), in one transaction with its order, its
-- mail and its job; a row that fails stops no other; runs at once never wait for each other in a circle
-- (hosting_orders_open.sql); a run's work is bounded by its limit. What is due follows from `at` alone. Days are Jakarta's; 3 days of grace and 30 until deletion are counted to the second.

create or replace function hosting_renewal_day(moment timestamptz) returns date language sql immutable as $$
  select (moment at time zone 'Asia/Jakarta')::date
$$;

-- What an active subscription's end asks for at this moment; null while it is more than 3 days away. A reminder whose
-- day was missed comes with the next run, as long as the next one is not due yet.
create or replace function hosting_renewal_stage(end_date timestamptz, at timestamptz)
returns text language sql stable as $$
  select case
    when at >= end_date + interval '72 hours' then 'suspend'
    when hosting_renewal_day(end_date) - hosting_renewal_day(at) > 3 then null
    when hosting_renewal_day(end_date) - hosting_renewal_day(at) >= 2 then 'remind_3'
    when hosting_renewal_day(end_date) - hosting_renewal_day(at) = 1 then 'remind_1'
    else 'remind_0' end
$$;

-- What a suspended one asks for: warned a week before its deletion, then a day before, and deleted no sooner than the
-- last warning has announced. A run that comes late moves the deletion, never the warnings.
create or replace function hosting_renewal_ending(s hosting_subscriptions, at timestamptz)
returns text language plpgsql stable as $$
declare
  first timestamptz;
  last timestamptz;
begin
  select max(t.announced_at) filter (where t.step = 'warn_7'), max(t.announced_at) filter (where t.step = 'warn_1')
  into first, last
  from hosting_renewal_steps t where t.subscription_id = s.id and t.period_end = s.end_date;
  return case
    when last is not null then case when at >= last and not hosting_renewal_is_paying(s, at) then 'delete' end
    when first is not null then
      case when hosting_renewal_day(at) >= hosting_renewal_day(first) - 1 then 'warn_1' end
    when hosting_renewal_day(at) >= hosting_renewal_day(s.suspended_at + interval '720 hours') - 7 then 'warn_7' end;
end $$;

-- Who may not sign in is not billed either.
create or replace function hosting_renewal_may_pay(user_id bigint) returns boolean language sql stable as $$
  select exists (select from identity_users u
    where u.id = hosting_renewal_may_pay.user_id and u.banned_at is null and u.deleted_at is null)
$$;

-- {at, limit, after: {end_date, id}|null, app_url, terms, alert_to} -> {visited, failed, steps: {step: count}, wake,
-- after, more}: the next batch in order of their ends. Whoever is locked by a parallel run or by a payment is left to
-- that, or to the next run.
create or replace function hosting_renewals_run(input jsonb) returns jsonb language plpgsql as $$
declare
  moment constant timestamptz := (input->>'at')::timestamptz;
  max_rows constant int := (input->>'limit')::int;
  due hosting_subscriptions;
  visit jsonb;
  visits jsonb[] := '{}';
  failed int := 0;
  problem text;
begin
  for due in
    select * from hosting_subscriptions s
    where s.deleted_at is null and s.end_date < moment + interval '4 days'
      and (s.end_date, s.id) > (coalesce((input->'after'->>'end_date')::timestamptz, '-infinity'),
        coalesce((input->'after'->>'id')::uuid, '00000000-0000-0000-0000-000000000000'))
      and case s.status
        when 'ACTIVE' then hosting_renewal_stage(s.end_date, moment) is not null and (
          -- offset 0: looked up by the key for each row, never hashed from the steps of all years.
          not exists (select from hosting_renewal_steps t where t.subscription_id = s.id
            and t.period_end = s.end_date and t.step = hosting_renewal_stage(s.end_date, moment) offset 0)
          or s.auto_renew and not exists (select from hosting_renewal_steps t where t.subscription_id = s.id
            and t.period_end = s.end_date and t.step = 'order' offset 0) and hosting_renewal_may_pay(s.user_id))
        when 'SUSPENDED' then s.suspended_at < moment - interval '22 days' and hosting_renewal_ending(s, moment) is not null
        else false end
    order by s.end_date, s.id
    limit max_rows
    for no key update skip locked
  loop
    begin
      visit := hosting_renewal_visit(due, moment, input);
      visits := visits || visit;
    exception
      -- Lost to a rival, which is nobody's mistake: the next run takes it up.
      when deadlock_detected or lock_not_available or serialization_failure then
        visits := visits || '{"steps": [], "wake": []}'::jsonb;
      when others then
        get stacked diagnostics problem = message_text;
        problem := sqlstate || ' ' || left(problem, 200);
        failed := failed + 1;
        visits := visits || hosting_renewal_failed(due.id, moment, problem, input->>'alert_to');
    end;
  end loop;
  perform hosting_slots_free(array(select (v->>'freed')::uuid from unnest(visits) v where v->>'freed' is not null));
  return jsonb_build_object('visited', cardinality(visits), 'failed', failed,
    'steps', (select coalesce(jsonb_object_agg(c.step, c.count), '{}') from (
      select step, count(*) from unnest(visits) v, jsonb_array_elements_text(v->'steps') step group by step) c),
    'wake', (select coalesce(jsonb_agg(w), '[]') from unnest(visits) v, jsonb_array_elements(v->'wake') w),
    'after', case when due.id is not null then jsonb_build_object('end_date', due.end_date, 'id', due.id) end,
    'more', cardinality(visits) = max_rows);
end $$;

-- Writes down that a row failed, and tells the operator once a day that some did. -> {steps, wake}
create or replace function hosting_renewal_failed(subscription_id uuid, at timestamptz, problem text, alert_to text)
returns jsonb language plpgsql as $$
declare
  today constant date := hosting_renewal_day(at);
begin
  insert into hosting_renewal_failures (subscription_id, day, error)
  values (hosting_renewal_failed.subscription_id, today, problem)
  on conflict on constraint hosting_renewal_failures_day_subscription_id_pk do update
    set attempts = hosting_renewal_failures.attempts + 1, error = excluded.error, updated_at = now();
  return jsonb_build_object('steps', '[]'::jsonb, 'wake', jobs_wakes(mail_enqueue('alert', alert_to,
    'alert/hosting-renewals/' || today, jsonb_build_object('what', 'Perpanjangan hosting gagal diproses',
      'facts', jsonb_build_object('tanggal', today, 'langganan', hosting_renewal_failed.subscription_id, 'sebab', problem,
        'daftar', 'hosting_renewal_failures')))));
end $$;
