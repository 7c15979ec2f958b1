-- Orders as they are read.

-- Those orders, newest first, each with its subscription and where its payment stands. PROCESSING: the payment page is
-- open. For their owner: an unpaid one comes with its pay_key.
create or replace function hosting_order_views(ids uuid[]) returns setof jsonb language sql stable as $$
  select jsonb_build_object('id', o.id, 'user_id', o.user_id, 'plan_id', o.plan_id, 'plan_name', o.plan_name,
    'plan_type', o.plan_type, 'price', o.price, 'monthly_price', o.monthly_price, 'duration', o.duration,
    'status', case when o.status = 'PENDING' and i.state = 'pending' and c.payment_url is not null
      then 'PROCESSING' else o.status end,
    'metadata', o.metadata, 'pay_key', case when o.status = 'PENDING' then o.pay_key end, 'payment_state', i.state, 'payment_url', c.payment_url,
    'paid_at', o.paid_at, 'expires_at', o.expires_at, 'closed_reason', o.closed_reason,
    'renews_subscription_id', o.renews_subscription_id, 'created_at', o.created_at, 'updated_at', o.updated_at,
    'invoice_number', v.number, 'subscription', case when s.id is not null
      then jsonb_build_object('id', s.id, 'user_id', s.user_id, 'order_id', s.order_id, 'plan_name', s.plan_name,
        'plan_type', s.plan_type, 'status', s.status, 'start_date', s.start_date, 'end_date', s.end_date,
        'auto_renew', s.auto_renew, 'created_at', s.created_at, 'updated_at', s.updated_at) end)
  from hosting_orders o
  left join payments_intents i on i.id = o.intent_id
  left join payments_charges c on c.intent_id = i.id and c.channel = 'redirect'
  left join hosting_invoices v on v.order_id = o.id
  left join lateral (select * from hosting_subscriptions x
    where x.order_id = o.id or x.id = o.renews_subscription_id limit 1) s on true
  where o.id = any (ids)
  order by o.id desc
$$;

-- In plpgsql, whose plans are kept from call to call.
create or replace function hosting_order_view(order_id uuid) returns jsonb language plpgsql stable as $$
begin
  return (select v from hosting_order_views(array[hosting_order_view.order_id]) v);
end $$;

-- The newest website of an order's subscription, without its secrets; or null.
create or replace function hosting_order_website(order_id uuid) returns jsonb language plpgsql stable as $$
begin
  return (select jsonb_build_object('id', w.id, 'user_id', w.user_id, 'subscription_id', w.subscription_id,
      'domain', w.domain, 'host_site_id', w.host_site_id, 'ftp_username', w.ftp_username, 'status', w.status,
      'created_at', w.created_at, 'updated_at', w.updated_at)
    from hosting_orders o
    join hosting_subscriptions s on s.order_id = o.id or s.id = o.renews_subscription_id
    join hosting_websites w on w.subscription_id = s.id
    where o.id = hosting_order_website.order_id
    order by w.id desc limit 1);
end $$;
