-- market_order_settled({intent_id}) returns {wake}
-- Runs in the transaction that settles the payment. A pending order becomes paid: stock is taken, the money goes into
-- the store's escrow, the parcel is asked for and both sides get mail, all once. An order that was cancelled meanwhile
-- gets its money back, and what it still held is free. Running it again changes nothing.
create or replace function market_order_settled(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  paid record;
  wake jsonb := '[]';
begin
  select * into o from market_orders where payment_id = (input->>'intent_id')::uuid for update;
  if not found then
    return jsonb_build_object('wake', wake);
  end if;
  select c.id, c.channel, c.provider_ref, p.amount, p.provider into paid
    from payments_intents p join payments_charges c on c.intent_id = p.id and c.state = 'paid' and c.settles_intent
    where p.id = o.payment_id and p.state = 'paid';
  if not found then
    return jsonb_build_object('wake', wake);
  end if;
  if o.status = 'cancelled' then
    perform market_free(o);
    return jsonb_build_object('wake', payments_refund(paid.id, 'order_closed'));
  elsif o.status <> 'pending' then
    return jsonb_build_object('wake', wake);
  end if;
  update market_orders set status = 'paid', paid_at = now(), payment_method = paid.channel, updated_at = now()
    where id = o.id;
  perform market_release(o.id, true);
  perform ledger_post((select jsonb_agg(jsonb_build_object('reference', reference || o.id, 'amount', amount,
      'debit_kind', debit_kind, 'debit_owner', debit_owner, 'credit_kind', 'escrow',
      'credit_owner', o.store_id, 'reason', words || o.number))
    from (values
      ('order-paid/', o.total_amount, 'gateway', paid.provider, 'Pembayaran pesanan '),
      ('order-promo/', case o.discount_paid_by when 'platform' then o.discount_amount else 0 end,
        'promo', 'market', 'Promo pesanan ')
    ) part(reference, amount, debit_kind, debit_owner, words)
    where amount > 0));
  perform market_count(o.store_id, now(), 1, o.total_amount, 0, 0);
  insert into market_shipments (order_id, courier, service, shipping_cost, kiriminaja_order_id)
    values (o.id, o.courier->>'courier_code', o.courier->>'courier_service_code', o.shipping_amount, o.number);
  return jsonb_build_object('wake', jobs_wakes(
    jobs_enqueue('market.shipment', 'provisioning', 'market.shipment/' || o.id, jsonb_build_object('order_id', o.id)),
    market_order_news(o.id),
    market_mail('order_paid', o.id, 'buyer'),
    market_mail('order_received', o.id, 'seller')));
end $$;

-- market_order_expired({intent_id, reason?}) returns {wake}
-- Runs in the transaction that finds that the payment can no longer be made: an order that waits for it is closed, and
-- what it held is free again, once, also where its buyer had cancelled it before.
create or replace function market_order_expired(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  payment text;
begin
  select * into o from market_orders where payment_id = (input->>'intent_id')::uuid for update;
  select state into payment from payments_intents where id = o.payment_id;
  if (payment in ('expired', 'failed')) is not true then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  perform market_free(o);
  if o.status = 'pending' then
    update market_orders set status = 'cancelled', closed_at = now(), updated_at = now(),
        closed_reason = coalesce(input->>'reason',
          case payment when 'failed' then 'Pembayaran gagal' else 'Pembayaran kedaluwarsa' end)
      where id = o.id;
    -- He never got a way to pay: what he wanted lies in his cart again.
    insert into market_cart_items (user_id, product_id, quantity, seen_price)
      select o.buyer_id, i.product_id, least(i.quantity, 999), i.unit_price
      from market_order_items i where i.order_id = o.id and payment = 'failed' and input->>'reason' is null
      on conflict do nothing;
    return jsonb_build_object('wake', jobs_wakes(market_order_news(o.id)));
  end if;
  return jsonb_build_object('wake', '[]'::jsonb);
end $$;

-- market_order_cancel({buyer_id, order_id, reason}) returns {order_id, store_slug, held, wake}
-- The buyer of an unpaid order gives it up, and its payment with it, once. What it holds stays held as long as its payment may still be paid:
-- market_order_expired frees it, or market_order_settled, which gives back the money that comes all the same.
create or replace function market_order_cancel(input jsonb) returns jsonb language plpgsql as $$
declare
  o market_orders;
  wake jsonb := '[]';
begin
  perform from payments_intents i where i.id = (select payment_id from market_orders
    where id = (input->>'order_id')::uuid and buyer_id = (input->>'buyer_id')::bigint) for no key update;
  select * into o from market_orders
    where id = (input->>'order_id')::uuid and buyer_id = (input->>'buyer_id')::bigint for update;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  if o.status = 'pending' then
    update market_orders set status = 'cancelled', held_after_cancel = true, closed_at = now(),
        closed_reason = input->>'reason', updated_at = now()
      where id = o.id returning * into o;
    wake := jobs_wakes(market_order_news(o.id));
  elsif o.status <> 'cancelled' or o.closed_reason is distinct from input->>'reason' then
    perform app_error('conflict', 'Pesanan ini tidak dapat dibatalkan lagi', jsonb_build_object('status', o.status));
  end if;
  perform payments_give_up(o.payment_id);
  return jsonb_build_object('order_id', o.id, 'held', o.held_after_cancel, 'wake', wake,
    'store_slug', (select slug from market_stores where id = o.store_id));
end $$;

-- Gives back the stock and the promo use that an unpaid order holds, if it holds any. The caller has locked its row.
create or replace function market_free(o market_orders) returns void language plpgsql as $$
begin
  if o.status = 'pending' or o.held_after_cancel then
    perform market_release(o.id, false);
    update market_promo_codes set used_count = used_count - 1 where id = o.promo_code_id and used_count > 0;
    update market_orders set held_after_cancel = false where id = o.id and held_after_cancel;
  end if;
end $$;

-- Ends an order's reservation: `taken` also takes the goods from the shelf. Rows are locked in id order.
create or replace function market_release(order_key uuid, taken boolean) returns void language plpgsql as $$
begin
  perform market_store_hold((select o.store_id from market_orders o where o.id = order_key));
  perform 1 from market_products p join market_order_items i on i.product_id = p.id
    where i.order_id = order_key order by p.id for no key update of p;
  update market_products p
    set reserved = p.reserved - i.quantity, stock = p.stock - case when taken then i.quantity else 0 end
    from market_order_items i where i.order_id = order_key and p.id = i.product_id;
end $$;

-- One mail about an order, to its buyer or its seller, once per template.
create or replace function market_mail(template text, order_key uuid, reader text) returns jsonb
language sql as $$
  select market_mail_about(template, order_key, reader, null, '{}')
$$;

-- The same, once per template and `occasion` (null: one for the order), with `extra` fields for its template.
create or replace function market_mail_about(
  template text, order_key uuid, reader text, occasion text, extra jsonb
) returns jsonb language sql as $$
  select mail_enqueue(template, u.email, concat_ws('/', template, o.id, occasion), jsonb_build_object(
    'name', u.name, 'number', o.number, 'order_id', o.id, 'order_status', o.status, 'store_name', s.name, 'store_slug', s.slug,
    'subtotal_amount', o.subtotal_amount, 'discount_amount', o.discount_amount, 'shipping_amount', o.shipping_amount,
    'total_amount', o.total_amount, 'seller_amount', market_seller_amount(o),
    'courier', case when h.kiriminaja_order_id is null and h.id is not null then h.courier
      else (o.courier->>'courier_name') || ' ' || (o.courier->>'courier_service_name') end,
    'tracking_code', h.tracking_code, 'recipient', o.shipping_address,
    'items', (select jsonb_agg(jsonb_build_object('name', i.name, 'quantity', i.quantity, 'subtotal', i.subtotal)
      order by i.id) from market_order_items i where i.order_id = o.id)) || extra)
  from market_orders o
  join market_stores s on s.id = o.store_id
  join identity_users u on u.id = case reader when 'buyer' then o.buyer_id else s.user_id end
  left join market_shipments h on h.order_id = o.id
  where o.id = order_key
$$;
