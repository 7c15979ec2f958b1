/** What the replay adds to its own database: who is who, and customers who pay through the platform's real functions. */
export const SCHEMA = `
create table timemachine_people (
  person int primary key, user_id bigint not null, subscription_id uuid not null unique, website_id uuid);
create table timemachine_pages (
  person int, page int, provider_ref text not null, intent_id uuid not null, amount bigint not null,
  primary key (person, page));

create function timemachine_ms(moment timestamptz) returns bigint language sql stable as $$
  select round(extract(epoch from moment) * 1000)::bigint
$$;
create function timemachine_at(ms bigint) returns timestamptz language sql stable as $$
  select to_timestamp(ms / 1000.0)
$$;

create function timemachine_open(who timemachine_people, page int, moment timestamptz, terms jsonb) returns void
language plpgsql as $$
declare
  o hosting_orders;
  payment jsonb;
begin
  delete from timemachine_pages p where p.person = who.person and p.page = timemachine_open.page;
  select * into o from hosting_orders x where x.renews_subscription_id = who.subscription_id
    and x.status in ('PENDING', 'COMPLETED') order by x.renews_period desc limit 1;
  if not found then return; end if;
  payment := hosting_order_pay(jsonb_build_object('order_id', o.id, 'pay_key', o.pay_key, 'provider', 'ipaymu',
    'channels', jsonb_build_array('redirect'), 'expiry_minutes', 1440, 'lease_seconds', 30, 'at', moment))->'payment';
  if payment->>'state' = 'pending' then
    insert into timemachine_pages values (who.person, page, payment->'charges'->0->>'provider_ref',
      (payment->>'intent_id')::uuid, (payment->>'amount')::bigint);
  end if;
end $$;

create function timemachine_order(who timemachine_people, moment timestamptz, terms jsonb) returns void
language plpgsql as $$
begin
  perform hosting_renewal_open(jsonb_build_object('subscription_id', who.subscription_id, 'at', moment, 'terms', terms));
end $$;

-- The statements of a confirmed payment (shared/payments/confirm.ts); every tenth notice comes again.
create function timemachine_pay(who timemachine_people, page int, moment timestamptz) returns boolean
language plpgsql as $$
declare
  p timemachine_pages;
  settled jsonb;
begin
  select * into p from timemachine_pages x where x.person = who.person and x.page = timemachine_pay.page;
  if not found then return false; end if;
  for turn in 0 .. case when who.person % 10 = 0 then 1 else 0 end loop
    settled := payments_settle(jsonb_build_object('provider_ref', p.provider_ref, 'transaction_id', p.provider_ref,
      'amount', p.amount, 'paid_at', moment)) || coalesce(settled, '{}');
    perform hosting_settled(jsonb_build_object('intent_id', p.intent_id, 'at', moment));
  end loop;
  return (settled->>'first')::boolean;
end $$;

create function timemachine_expire(who timemachine_people, page int) returns void language plpgsql as $$
declare
  p timemachine_pages;
begin
  select * into p from timemachine_pages x where x.person = who.person and x.page = timemachine_expire.page;
  if not found then return; end if;
  perform payments_expire(jsonb_build_object('provider_ref', p.provider_ref, 'state', 'expired'));
  perform hosting_expired(jsonb_build_object('intent_id', p.intent_id));
end $$;

-- [{person, deed, page, at}] -> [{person, end, at}] of those whose renewal was paid by it. Each payment is a
-- transaction, as it is when customers pay.
create procedure timemachine_act(acts jsonb, terms jsonb, inout paid jsonb) language plpgsql as $$
declare
  act record;
  who timemachine_people;
  moment timestamptz;
begin
  paid := '[]';
  for act in select * from jsonb_to_recordset(acts) a(person int, deed text, page int, at bigint) loop
    moment := timemachine_at(act.at);
    select * into who from timemachine_people p where p.person = act.person;
    case act.deed
      when 'open' then perform timemachine_open(who, act.page, moment, terms);
      when 'order' then perform timemachine_order(who, moment, terms);
      when 'expire' then perform timemachine_expire(who, act.page);
      when 'pay' then
        if timemachine_pay(who, act.page, moment) then
          paid := paid || (select jsonb_build_object('person', act.person, 'end', timemachine_ms(s.end_date), 'at', act.at)
            from hosting_subscriptions s where s.id = who.subscription_id);
        end if;
    end case;
    -- A payment holds the books and the invoice counter until here.
    if act.deed = 'pay' then commit; end if;
  end loop;
end $$;
`;

/** One set-based statement: the customers as they are when the clock is set, each in a period that he has paid. */
export const SEED = `
with told as (
  select * from jsonb_to_recordset($1::jsonb) p(person int, plan text, duration int, "startedAt" bigint,
    "endsAt" bigint, "anchorDay" int, "hasWebsite" boolean, renewal text)
), u as (
  insert into identity_users (email, name, password_hash)
  select 'orang-' || person || '@waktu.example', 'Orang ' || person, 'x' from told
  returning id, email
), o as (
  insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, status, paid_at,
    terms, pay_key, holds_slot, created_at)
  select u.id, p.id, p.display_name, p.type, p.price, t.duration, p.price * t.duration, 'COMPLETED',
    timemachine_at(t."startedAt"), $2::jsonb, 'begun', true, timemachine_at(t."startedAt")
  from told t join u on u.email = 'orang-' || t.person || '@waktu.example' join hosting_plans p on p.name = t.plan
  returning *
), s as (
  insert into hosting_subscriptions (user_id, order_id, plan_id, plan_name, plan_type, start_date, end_date, anchor_day,
    duration, price, auto_renew)
  select o.user_id, o.id, o.plan_id, o.plan_name, o.plan_type, timemachine_at(t."startedAt"),
    timemachine_at(t."endsAt"), t."anchorDay", t.duration, o.price, t.renewal = 'automatic'
  from o join u on u.id = o.user_id join told t on u.email = 'orang-' || t.person || '@waktu.example'
  returning id, user_id
), server as (
  insert into hosting_servers select * from jsonb_populate_record(null::hosting_servers, $3::jsonb) returning id
), w as (
  insert into hosting_websites (user_id, subscription_id, server_id, domain, status, host_site_id, root, ftp_username,
    sealed_ftp_password)
  select s.user_id, s.id, server.id, 'situs-' || t.person || '.example', 'ACTIVE', t.person::text, '/www',
    'ftp' || t.person, 'x'
  from s join u on u.id = s.user_id join told t on u.email = 'orang-' || t.person || '@waktu.example', server
  where t."hasWebsite"
  returning id, subscription_id
)
insert into timemachine_people
select t.person, u.id, s.id, w.id
from told t join u on u.email = 'orang-' || t.person || '@waktu.example' join s on s.user_id = u.id
left join w on w.subscription_id = s.id
`;
