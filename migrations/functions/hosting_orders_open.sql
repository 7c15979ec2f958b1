-- Orders, from the click to their payment. Guarantees, from any number of connections at once: a click that is made
-- twice is one order; an order is charged its plan's own price times its months; of the requests that want its payment
-- page one asks the provider. Lock order of the whole domain: a user's turn, payment intent, order, subscription,
-- website, server, plan, accounts, the invoice counter last. The nightly run begins with many subscriptions: it passes
-- by whatever of theirs is locked above them (skip locked), and takes its plans in one statement at its end, by id.

-- One order of a user at a time, so that the limit and the likeness see all that came before.
create or replace function hosting_buyer_turn(buyer bigint) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('hosting/' || buyer, 0))
$$;

-- A price that the client tells must be a month's or the whole.
create or replace function hosting_require_price(told bigint, plan_name text, monthly bigint, duration int)
returns void language plpgsql as $$
begin
  if told is not null and told <> monthly and told <> monthly * duration then
    perform app_error('invalid_input', 'Harga tidak sesuai: paket ' || plan_name || ' ' || hosting_rupiah(monthly)
      || ' per bulan, ' || hosting_rupiah(monthly * duration) || ' untuk ' || duration || ' bulan');
  end if;
end $$;

-- {user_id, plan_id?, plan_name?, plan_type?, duration, price?, domain, metadata, subscription_id?, terms, limit,
--  provider, channels, expiry_minutes, lease_seconds, idempotency_key?, input_hash, at?} -> hosting_order_payment.
-- A repeat, by its key or by wanting the same while that is unpaid, answers with the first order.
create or replace function hosting_order_open(input jsonb) returns jsonb language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  months int := (input->>'duration')::int;
  order_id uuid := uuidv7();
  earlier text := http_claim(buyer, input->>'idempotency_key', 'hosting.order', input->>'input_hash', order_id::text);
  plan hosting_plans;
begin
  if earlier is not null then
    return hosting_order_payment(hosting_key_order(buyer, earlier::uuid), input);
  end if;
  perform hosting_buyer_turn(buyer);
  if input->>'subscription_id' is not null then
    order_id := hosting_renewal_wanted(buyer, input);
  else
    plan := hosting_plan_wanted(input);
    order_id := coalesce(hosting_order_repeated(plan, input), hosting_order_new(order_id, plan, input));
  end if;
  -- The key of this click names the order that it came to.
  update http_idempotency_keys k set subject_id = order_id::text
  where k.user_id = buyer and k.key = input->>'idempotency_key' and k.subject_id <> order_id::text;
  return hosting_order_payment(order_id, input);
end $$;

-- The buyer's unpaid order of the same; null where there is none. One of before the plan's price changed answers only who
-- tells no price, or the one that it charges.
create or replace function hosting_order_repeated(plan hosting_plans, input jsonb) returns uuid language plpgsql as $$
declare
  told bigint := (input->>'price')::bigint;
  months int := (input->>'duration')::int;
  o hosting_orders;
begin
  select * into o from hosting_orders x where x.user_id = (input->>'user_id')::bigint and x.plan_id = plan.id
    and x.duration = months and x.domain = input->>'domain' and x.status = 'PENDING' and x.renews_subscription_id is null;
  if told is null or told in (o.monthly_price, o.price) then return o.id; end if;
  perform hosting_require_price(told, plan.display_name, plan.price, months);
  if o.id is not null then
    perform app_error('conflict', 'Pesanan yang sama seharga ' || hosting_rupiah(o.price)
      || ' belum dibayar. Bayar atau batalkan pesanan itu dahulu.', jsonb_build_object('orderId', o.id));
  end if;
  return null;
end $$;

-- The order that an earlier call with the same key came to.
create or replace function hosting_key_order(buyer bigint, known uuid) returns uuid language sql stable as $$
  select o.id from hosting_orders o where o.id = known and o.user_id = buyer
$$;

create or replace function hosting_order_new(order_id uuid, plan hosting_plans, input jsonb)
returns uuid language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  months int := (input->>'duration')::int;
  most int := (input->>'limit')::int;
begin
  if (select count(*) from hosting_orders o where o.user_id = buyer and o.status = 'PENDING'
      and o.renews_subscription_id is null) >= most then
    perform app_error('conflict', 'Anda masih memiliki ' || most
      || ' pesanan yang belum dibayar. Bayar atau batalkan salah satunya dahulu.');
  end if;
  insert into hosting_orders (id, user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, domain,
    metadata, terms, pay_key, holds_slot)
  values (order_id, buyer, plan.id, plan.display_name, plan.type, plan.price, months, plan.price * months,
    input->>'domain', coalesce(input->'metadata', '{}'), input->'terms', payments_code(24), true);
  perform hosting_slot_take(plan);
  return order_id;
end $$;

-- {subscription_id, user_id, duration, price?, terms, at?} -> the renewal order that the owner asks for by himself.
create or replace function hosting_renewal_wanted(buyer bigint, input jsonb) returns uuid language plpgsql as $$
declare
  opened jsonb;
  subscription uuid;
begin
  select s.id into subscription from hosting_subscriptions s
  where s.id::text = lower(input->>'subscription_id') and s.user_id = buyer;
  if found then
    opened := hosting_renewal_open(input || jsonb_build_object('subscription_id', subscription));
  end if;
  if opened is null then
    perform app_error('not_found', 'Subscription tidak ditemukan atau tidak aktif');
  end if;
  if (opened->>'duration')::int <> (input->>'duration')::int then
    perform app_error('conflict', 'Tagihan perpanjangan ' || (opened->>'duration')
      || ' bulan masih terbuka. Bayar atau batalkan tagihan itu dahulu.');
  end if;
  perform hosting_require_price((input->>'price')::bigint, opened->>'plan_name', (opened->>'monthly_price')::bigint,
    (opened->>'duration')::int);
  return (opened->>'order_id')::uuid;
end $$;

-- {subscription_id, duration?, terms, at?} -> {order_id, pay_key, price, monthly_price, plan_name, duration,
-- renews_period, is_new}, or null where there is nothing to renew. One order for the end of a subscription: a repeat
-- answers with the one that stands. At the plan's price of this day, also where it is no longer sold; it has no payment
-- until somebody wants to pay.
create or replace function hosting_renewal_open(input jsonb) returns jsonb language plpgsql as $$
declare
  moment timestamptz := coalesce((input->>'at')::timestamptz, now());
  s hosting_subscriptions;
  o hosting_orders;
  plan hosting_plans;
  months int;
  is_new boolean := false;
begin
  -- Nothing is locked: the unique key decides between rivals, and a payment that moved the end meanwhile shows there.
  for attempt in 1..3 loop
    select * into s from hosting_subscriptions x where x.id = (input->>'subscription_id')::uuid;
    if not found or s.deleted_at is not null or s.status = 'CANCELLED' then
      return null;
    end if;
    select * into o from hosting_orders x where x.renews_subscription_id = s.id and x.renews_period = s.end_date
      and x.status = 'PENDING';
    exit when found;
    months := coalesce((input->>'duration')::int, s.duration);
    select * into plan from hosting_plans p where p.id = s.plan_id;
    insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, terms, pay_key,
      renews_subscription_id, renews_period, created_at, updated_at)
    values (s.user_id, s.plan_id, plan.display_name, plan.type, plan.price, months, plan.price * months,
      input->'terms', payments_code(24), s.id, s.end_date, moment, moment)
    on conflict (renews_subscription_id, renews_period) where status in ('PENDING', 'COMPLETED') do nothing
    returning * into o;
    is_new := found;
    exit when found;
  end loop;
  if o.id is null then return null; end if;
  return jsonb_build_object('order_id', o.id, 'pay_key', o.pay_key, 'price', o.price, 'monthly_price', o.monthly_price,
    'plan_name', o.plan_name, 'duration', o.duration, 'renews_period', o.renews_period, 'is_new', is_new);
end $$;

-- {order_id, user_id? or pay_key?, provider, channels, expiry_minutes, lease_seconds, at?} -> hosting_order_payment:
-- its payment page for the owner, or for who has the key of the mail.
create or replace function hosting_order_pay(input jsonb) returns jsonb language plpgsql as $$
declare
  found_id uuid;
begin
  select o.id into found_id from hosting_orders o where o.id = (input->>'order_id')::uuid
    and (o.user_id = (input->>'user_id')::bigint or o.pay_key = input->>'pay_key');
  if not found then
    perform app_error('not_found', 'Order tidak ditemukan');
  end if;
  return hosting_order_payment(found_id, input);
end $$;

-- {order: hosting_order_view, payment: payments_opened or null, ask, customer}. Opens a payment for an unpaid order that
-- has none (a renewal, also when its last one has run out). `ask`: nobody is asking the provider for the page, so the
-- caller does; otherwise the page is there, or another request brings it.
create or replace function hosting_order_payment(order_id uuid, input jsonb) returns jsonb language plpgsql as $$
declare
  moment timestamptz := coalesce((input->>'at')::timestamptz, now());
  o hosting_orders;
  buyer identity_users;
  payment jsonb;
  ask boolean := false;
begin
  select * into o from hosting_orders x where x.id = hosting_order_payment.order_id for no key update;
  select * into buyer from identity_users u where u.id = o.user_id;
  if o.intent_id is not null then payment := payments_opened(o.intent_id); end if;
  if o.status = 'PENDING' and exists (select from hosting_subscriptions s where s.id = o.renews_subscription_id
      and (s.deleted_at is not null or s.status = 'CANCELLED')) then
    perform app_error('conflict', 'Langganan ini sudah berakhir');
  end if;
  if o.status = 'PENDING' and (payment is null or payment->>'state' in ('expired', 'failed')) then
    payment := payments_open('hosting', o.id::text, o.user_id, input->>'provider', o.price,
      moment + make_interval(mins => (input->>'expiry_minutes')::int),
      array(select jsonb_array_elements_text(input->'channels')), buyer.email);
    o.asking_until := null;
  end if;
  if payment->>'state' = 'pending' and coalesce(o.asking_until, '-infinity') <= moment then
    ask := payment->'charges'->0->>'payment_url' is null;
  end if;
  update hosting_orders x set intent_id = (payment->>'intent_id')::uuid,
    expires_at = (payment->>'expires_at')::timestamptz,
    asking_until = case when ask then moment + make_interval(secs => (input->>'lease_seconds')::int)
      else o.asking_until end
  where x.id = o.id and (ask or x.intent_id is distinct from (payment->>'intent_id')::uuid);
  return jsonb_build_object('order', hosting_order_view(o.id), 'payment', payment, 'ask', ask,
    'customer', jsonb_build_object('name', buyer.name, 'email', buyer.email, 'phone', buyer.phone));
end $$;
