-- How an order ends. Guarantees, from any number of connections at once: it ends once, forward only; a paid order makes
-- its subscription or moves its end once and has one invoice; money that no order takes goes back to its payer; a slot is
-- given back once. Lock order: hosting_orders_open.sql.

-- {intent_id, at?} -> {wake}: what a paid intent of purpose 'hosting' leads to. Repeatable. Money for an order that was
-- given up, or for a subscription that has ended, goes back (into the wallet: iPaymu sends nothing back by its API).
create or replace function hosting_settled(input jsonb) returns jsonb language plpgsql as $$
declare
  intent payments_intents;
  charge payments_charges;
  o hosting_orders;
  s hosting_subscriptions;
  refusal text;
begin
  select * into intent from payments_intents i
  where i.id = (input->>'intent_id')::uuid and i.purpose = 'hosting' and i.state = 'paid';
  if not found then return jsonb_build_object('wake', '[]'::jsonb); end if;
  -- A repeat takes no lock: another one may hold the payment and wait for the order.
  select * into charge from payments_charges c where c.intent_id = intent.id and c.settles_intent;
  if charge.state <> 'paid' or exists (select from hosting_orders x
      where x.id = intent.purpose_id::uuid and x.status = 'COMPLETED' and x.intent_id = intent.id) then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  select * into o from hosting_orders x where x.id = intent.purpose_id::uuid for no key update;
  if o.status = 'COMPLETED' and o.intent_id = intent.id then return jsonb_build_object('wake', '[]'::jsonb); end if;
  select * into s from hosting_subscriptions x where x.id = o.renews_subscription_id for no key update;
  refusal := case when o.status <> 'PENDING' then 'order_closed'
    when s.deleted_at is not null or s.status = 'CANCELLED' then 'subscription_ended' end;
  if refusal is not null then
    update hosting_orders x set status = 'CANCELLED', closed_reason = 'Langganan berakhir', updated_at = now()
    where x.id = o.id and x.status = 'PENDING';
    return jsonb_build_object('wake', payments_refund(charge.id, refusal));
  end if;
  perform ledger_transfer('hosting/' || intent.id, 'gateway', intent.provider, 'commission', 'hosting',
    intent.amount, 'Paket ' || o.plan_name || ' ' || o.duration || ' bulan');
  return jsonb_build_object('wake', hosting_order_settle(o.id, coalesce((input->>'at')::timestamptz, now())));
end $$;

-- Completes an unpaid order at that moment: its subscription, its invoice, the mail about it. Returns the wake list;
-- empty for one that is not unpaid. The money is its caller's.
create or replace function hosting_order_settle(order_id uuid, moment timestamptz) returns jsonb language plpgsql as $$
declare
  o hosting_orders;
  s hosting_subscriptions;
  resume jsonb;
  invoice hosting_invoices;
  began timestamptz;
begin
  update hosting_orders x set status = 'COMPLETED', paid_at = moment, updated_at = now()
  where x.id = hosting_order_settle.order_id and x.status = 'PENDING'
  returning * into o;
  if not found then return '[]'; end if;
  if o.renews_subscription_id is null then
    began := moment;
    insert into hosting_subscriptions (user_id, order_id, plan_id, plan_name, plan_type, start_date, end_date,
      anchor_day, duration, price)
    values (o.user_id, o.id, o.plan_id, o.plan_name, o.plan_type, moment,
      hosting_add_months(moment, o.duration, hosting_day_of(moment)), hosting_day_of(moment), o.duration, o.price)
    returning * into s;
  else
    select * into s from hosting_subscriptions x where x.id = o.renews_subscription_id for no key update;
    began := hosting_renewal_begins(s, o, moment);
    if s.status <> 'ACTIVE' then
      resume := hosting_site_order_of_subscription(s.id, 'resume');
    end if;
    update hosting_subscriptions x set status = 'ACTIVE', suspended_at = null, duration = o.duration, price = o.price,
      anchor_day = case when began = x.end_date then x.anchor_day else hosting_day_of(began) end,
      end_date = hosting_add_months(began, o.duration,
        case when began = x.end_date then x.anchor_day else hosting_day_of(began) end), updated_at = now()
    where x.id = s.id
    returning * into s;
  end if;
  -- The counter of the invoices is held until the commit, so nothing is waited for after it.
  invoice := hosting_invoice_issue(o, began, s.end_date, moment);
  return jobs_wakes(resume, hosting_paid_mail(o, s, invoice));
end $$;

-- From when on a paid renewal counts: from the end of a subscription that was on all the time, also in the days of
-- grace; from the payment where the website was off, so that nobody pays for days that he did not have.
create or replace function hosting_renewal_begins(s hosting_subscriptions, o hosting_orders, moment timestamptz)
returns timestamptz language sql stable as $$
  select case when s.status = 'ACTIVE' and hosting_add_months(s.end_date, o.duration, s.anchor_day) > moment
    then s.end_date else greatest(s.end_date, moment) end
$$;

create or replace function hosting_paid_mail(o hosting_orders, s hosting_subscriptions, invoice hosting_invoices)
returns jsonb language sql volatile as $$
  select mail_enqueue('hosting_payment_success', u.email, 'hosting_payment_success/' || o.id,
    jsonb_build_object('name', u.name, 'order_id', o.id, 'plan_name', o.plan_name, 'amount', o.price,
      'duration', o.duration, 'end_date', s.end_date, 'invoice_number', invoice.number))
  from identity_users u where u.id = o.user_id
$$;

-- {intent_id} -> {wake}: its payment can no longer be made. An order ends with it and gives its slot back; a renewal
-- stays open, for another payment, as long as there is something to renew (hosting_subscription_close passes by an order
-- that is locked).
create or replace function hosting_expired(input jsonb) returns jsonb language plpgsql as $$
declare
  intent payments_intents;
  o hosting_orders;
  mail jsonb;
begin
  select * into intent from payments_intents i
  where i.id = (input->>'intent_id')::uuid and i.purpose = 'hosting' and i.state in ('expired', 'failed');
  if found then
    update hosting_orders x set status = 'CANCELLED', closed_reason = 'Langganan berakhir', updated_at = now()
    from hosting_subscriptions s
    where x.id = intent.purpose_id::uuid and x.intent_id = intent.id and x.status = 'PENDING'
      and s.id = x.renews_subscription_id and (s.deleted_at is not null or s.status = 'CANCELLED');
    update hosting_orders x set status = upper(intent.state), updated_at = now(), closed_reason =
      case intent.state when 'failed' then 'Pembayaran gagal dibuat' else 'Waktu pembayaran habis' end
    where x.id = intent.purpose_id::uuid and x.intent_id = intent.id and x.status = 'PENDING'
      and x.renews_subscription_id is null
    returning * into o;
    if found then
      perform hosting_order_free(o);
      select mail_enqueue('hosting_payment_failed', u.email, 'hosting_payment_failed/' || o.id,
        jsonb_build_object('name', u.name, 'order_id', o.id, 'plan_name', o.plan_name, 'amount', o.price,
          'reason', o.closed_reason || '.'))
      into mail from identity_users u where u.id = o.user_id;
    end if;
  end if;
  return jsonb_build_object('wake', jobs_wakes(mail));
end $$;

-- Gives back the slot that an order holds; one that never held one, or gave it back, changes nothing.
create or replace function hosting_order_free(o hosting_orders) returns void language plpgsql as $$
begin
  update hosting_orders x set holds_slot = false where x.id = o.id and x.holds_slot;
  if found then
    perform hosting_slot_free(o.plan_id);
  end if;
end $$;

-- {order_id, user_id} -> {order_id}: its owner gives up what he has not paid. Repeatable.
create or replace function hosting_order_cancel(input jsonb) returns jsonb language plpgsql as $$
declare
  o hosting_orders;
begin
  perform from payments_intents i where i.id = (select x.intent_id from hosting_orders x
    where x.id = (input->>'order_id')::uuid and x.user_id = (input->>'user_id')::bigint) for no key update;
  select * into o from hosting_orders x
  where x.id = (input->>'order_id')::uuid and x.user_id = (input->>'user_id')::bigint for no key update;
  if not found then
    perform app_error('not_found', 'Order tidak ditemukan');
  elsif o.status not in ('PENDING', 'CANCELLED') then
    perform app_error('conflict', case o.status when 'COMPLETED' then 'Order ini sudah dibayar'
      else 'Order ini sudah berakhir' end);
  end if;
  perform hosting_order_drop(o, 'Dibatalkan pelanggan');
  return jsonb_build_object('order_id', o.id);
end $$;

-- Ends an unpaid order whose intent the caller has locked; without effect on any other.
create or replace function hosting_order_drop(o hosting_orders, reason text) returns void language plpgsql as $$
begin
  update hosting_orders x set status = 'CANCELLED', closed_reason = reason, updated_at = now()
  where x.id = o.id and x.status = 'PENDING';
  if found then
    perform payments_give_up(o.intent_id);
    perform hosting_order_free(o);
  end if;
end $$;

-- Ends a subscription for good, once: 'EXPIRED' (nobody renewed it) or 'CANCELLED'. Its slot is free, its open renewal is
-- dropped, and money that still comes for it goes back.
create or replace function hosting_subscription_end(subscription_id uuid, status text, moment timestamptz default now())
returns void language plpgsql as $$
begin
  perform hosting_slots_free(array[hosting_subscription_close(subscription_id, status, moment)]);
end $$;

-- The same but for its slot: returns the plan of the slot that it held, for its caller to give back at the end of his
-- transaction (hosting_slots_free); null when it held none.
create or replace function hosting_subscription_close(subscription_id uuid, status text, moment timestamptz)
returns uuid language plpgsql as $$
declare
  s hosting_subscriptions;
  o hosting_orders;
  open_order record;
  freed uuid;
begin
  -- Its caller may hold the subscription already, so nothing below it is waited for: an order that is locked is being
  -- paid, and its money finds the subscription ended.
  for open_order in select x.id, x.intent_id from hosting_orders x
    where x.renews_subscription_id = subscription_id and x.status = 'PENDING'
  loop
    perform from payments_intents i where i.id = open_order.intent_id for no key update skip locked;
    continue when open_order.intent_id is not null and not found;
    select * into o from hosting_orders x where x.id = open_order.id for no key update skip locked;
    if found then
      perform hosting_order_drop(o, 'Langganan berakhir');
    end if;
  end loop;
  update hosting_subscriptions x set status = hosting_subscription_close.status, deleted_at = moment, updated_at = now()
  where x.id = subscription_id and x.deleted_at is null
  returning * into s;
  if found then
    -- The order that began it is completed: whoever locks that one waits for nothing below it.
    update hosting_orders x set holds_slot = false where x.id = s.order_id and x.holds_slot
    returning x.plan_id into freed;
  end if;
  return freed;
end $$;
