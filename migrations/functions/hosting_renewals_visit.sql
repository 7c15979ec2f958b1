-- The steps of one subscription, whose row the caller has locked.

-- Takes a step for a period; false when it was taken before, and then nothing of it may be done again.
create or replace function hosting_renewal_claim(s hosting_subscriptions, step text, at timestamptz,
  announced_at timestamptz default null) returns boolean language plpgsql as $$
begin
  insert into hosting_renewal_steps (subscription_id, period_end, step, announced_at, done_at)
  values (s.id, s.end_date, hosting_renewal_claim.step, hosting_renewal_claim.announced_at, at)
  on conflict do nothing;
  return found;
end $$;

-- Does what is due for it at this moment. -> {steps: [taken], wake, freed}: `freed` is the plan of a slot that its caller
-- gives back at the end of his transaction, or null.
create or replace function hosting_renewal_visit(s hosting_subscriptions, at timestamptz, input jsonb)
returns jsonb language plpgsql as $$
declare
  app_url constant text := input->>'app_url';
  stage text := case s.status when 'ACTIVE' then hosting_renewal_stage(s.end_date, at)
    else hosting_renewal_ending(s, at) end;
  announced timestamptz;
  taken text[] := '{}';
  wakes jsonb[] := '{}';
  freed uuid;
begin
  if s.status = 'ACTIVE' and s.auto_renew then
    if hosting_renewal_opens(s, at, input->'terms') then taken := taken || 'order'::text; end if;
  end if;
  if stage like 'warn_%' then
    announced := hosting_renewal_announces(s, stage, at);
  end if;
  if stage is not null and hosting_renewal_claim(s, stage, at, announced) then
    taken := taken || stage;
    if stage = 'delete' then
      select d.wakes, d.freed into wakes, freed from hosting_renewal_end(s, at, app_url) d;
    else
      wakes := case
        when stage = 'suspend' then hosting_renewal_suspend(s, at, app_url)
        when stage like 'warn_%' then array[hosting_renewal_mail(s, 'hosting_deletion_warning', stage, app_url,
          jsonb_build_object('delete_at', announced))]
        else array[hosting_renewal_mail(s, 'hosting_renewal_reminder', stage, app_url, jsonb_build_object(
          'days_left', hosting_renewal_day(s.end_date) - hosting_renewal_day(at),
          'suspends_at', s.end_date + interval '72 hours'))] end;
    end if;
  end if;
  return jsonb_build_object('steps', to_jsonb(taken), 'wake', jobs_wakes(variadic wakes), 'freed', freed);
end $$;

-- Opens the order of the next period, once, at the plan's price of this day. No order for who may not sign in.
create or replace function hosting_renewal_opens(s hosting_subscriptions, at timestamptz, terms jsonb)
returns boolean language plpgsql as $$
begin
  if not hosting_renewal_may_pay(s.user_id) then return false; end if;
  if not hosting_renewal_claim(s, 'order', at) then return false; end if;
  perform hosting_renewal_open(jsonb_build_object('subscription_id', s.id, 'at', at, 'terms', terms));
  return true;
end $$;

-- The moment of deletion that a warning tells: 30 days after the suspension, and never sooner than the warning says.
-- Some hours less than whole days, because a run is not on the second.
create or replace function hosting_renewal_announces(s hosting_subscriptions, stage text, at timestamptz)
returns timestamptz language plpgsql stable as $$
begin
  if stage = 'warn_7' then
    return greatest(s.suspended_at + interval '720 hours', at + interval '164 hours');
  end if;
  return greatest(at + interval '20 hours', (select t.announced_at from hosting_renewal_steps t
    where t.subscription_id = s.id and t.period_end = s.end_date and t.step = 'warn_7'));
end $$;

-- True while its customer may still pay, or may have paid: nothing is deleted under him. A code that was picked in a
-- page's last minute lives for a day of its own, and a silent provider tells late; a week is enough for both.
create or replace function hosting_renewal_is_paying(s hosting_subscriptions, at timestamptz)
returns boolean language plpgsql stable as $$
begin
  return exists (select from hosting_orders o join payments_intents i on i.id = o.intent_id
    where o.renews_subscription_id = s.id and o.status = 'PENDING'
      and (i.state = 'paid' or i.state = 'pending' and i.expires_at > hosting_renewal_is_paying.at - interval '7 days'));
end $$;

create or replace function hosting_renewal_suspend(s hosting_subscriptions, at timestamptz, app_url text)
returns jsonb[] language plpgsql as $$
begin
  update hosting_subscriptions u set status = 'SUSPENDED', suspended_at = at, updated_at = now() where u.id = s.id;
  return array[
    hosting_site_order_of_subscription(s.id, 'suspend'),
    hosting_renewal_mail(s, 'hosting_suspended', 'suspend', app_url, jsonb_build_object(
      'delete_at', at + interval '720 hours'))];
end $$;

-- The end: the website and its files go, the open order is closed. `freed`: the plan whose slot it held.
create or replace function hosting_renewal_end(s hosting_subscriptions, at timestamptz, app_url text,
  out wakes jsonb[], out freed uuid) language plpgsql as $$
declare
  mail jsonb := hosting_renewal_mail(s, 'hosting_deleted', 'delete', app_url, '{}');
begin
  freed := hosting_subscription_close(s.id, case when s.auto_renew then 'EXPIRED' else 'CANCELLED' end, at);
  wakes := array[hosting_site_order_of_subscription(s.id, 'delete'), mail];
end $$;

-- A mail about the period that ends, once for each step. Nobody is written to who is banned or has left. Months and amount
-- are those of the open order, whose owner may have asked for others than he has; `previous_amount` is what as many
-- months cost at the price of the period that ends.
create or replace function hosting_renewal_mail(s hosting_subscriptions, template text, step text, app_url text,
  facts jsonb) returns jsonb language plpgsql as $$
declare
  known record;
begin
  select u.name, case when u.banned_at is null and u.deleted_at is null then u.email end as email, w.domain,
    o.id as order_id, o.pay_key,
    coalesce(o.price, p.price * s.duration) as amount, coalesce(o.duration, s.duration) as duration
  into known
  from identity_users u
  join hosting_plans p on p.id = s.plan_id
  left join hosting_websites w on w.subscription_id = s.id and w.status <> 'DELETED'
  left join hosting_orders o on o.renews_subscription_id = s.id and o.renews_period = s.end_date and o.status = 'PENDING'
  where u.id = s.user_id;
  return mail_enqueue(hosting_renewal_mail.template, known.email,
    'hosting/' || hosting_renewal_mail.step || '/' || s.id || '/' || extract(epoch from s.end_date)::bigint,
    jsonb_build_object('name', known.name, 'plan_name', s.plan_name, 'domain', known.domain, 'end_date', s.end_date,
      'duration', known.duration, 'amount', known.amount,
      'previous_amount', s.price / s.duration * known.duration, 'auto_renew', s.auto_renew,
      'payment_url', app_url || '/api/orders/' || known.order_id || '/pay?key=' || known.pay_key) || facts);
end $$;
