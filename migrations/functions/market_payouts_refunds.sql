-- Money of an order that goes back to its buyer. Guarantees, from any number of connections at once: never more than he
-- paid; the commission, the platform's promo and PPh 22 go back in the same proportion, to the rupiah in the end;
-- what a paid seller's wallet does not cover is advanced (advance/<seller>) and taken from his next sales.
-- Lock order: market_locks.sql.

-- market_order_refund({order_id, seller_id?, amount?, reason, restock, tells_seller?, actor_id,
--   idempotency_key, audit})
--   returns {refund_id, amount, closed, store_id, store_slug, wake}
-- With `seller_id` a seller gives up an order of his that he cannot send: all of it goes back. Without, an admin gives
-- `amount` of the goods' price back, or all that is left, never of an order of his own. All of an order that was not delivered ends it: the shipping
-- fee goes back too, unless a courier has earned it, and one who waits to fetch it is called back. A repeat with the
-- same key answers with the first refund. `tells_seller`: the caller knows the mail of a seller's own cancellation, which
-- the Worker of the release before does not.
create or replace function market_order_refund(input jsonb) returns jsonb language plpgsql as $$
declare
  order_key uuid := (input->>'order_id')::uuid;
  new_id uuid := uuidv7();
  earlier text;
  o market_orders;
  parcel market_shipments;
  part record;
  r market_refunds;
  whole boolean := input->>'amount' is null;
  wake jsonb;
begin
  earlier := http_claim((input->>'actor_id')::bigint, input->>'idempotency_key', 'market.refund',
    input->>'input_hash', new_id::text);
  perform from payments_intents i where i.id = (select payment_id from market_orders where id = order_key)
    for no key update;
  select o_.* into o from market_orders o_ join market_stores s on s.id = o_.store_id
    where o_.id = order_key and s.user_id = coalesce((input->>'seller_id')::bigint, s.user_id) for update of o_;
  if not found then
    perform app_error('not_found', 'Order not found');
  end if;
  if input->>'seller_id' is null then
    perform market_refuse_own(o, (input->>'actor_id')::bigint);
  end if;
  if earlier is not null then
    return market_refund_answer(earlier::uuid, '[]');
  end if;
  select * into parcel from market_shipments where order_id = o.id for update;
  perform market_refundable(o, parcel, input);
  part := market_refund_parts(o, parcel, (input->>'amount')::bigint);
  insert into market_refunds (id, order_id, goods_amount, shipping_amount, promo_amount, commission_amount,
      seller_amount, tax_amount, after_delivery, paid_to, reason, requested_by)
    values (new_id, o.id, part.goods, part.shipping, part.promo, part.commission, part.seller, part.tax,
      o.status = 'delivered', case when market_refund_charge(o) is null then 'wallet' else 'payment' end,
      input->>'reason', (input->>'actor_id')::bigint) returning * into r;
  if whole then
    perform market_refund_close(o, parcel, input);
  end if;
  if o.status = 'delivered' then
    update market_turnovers t set amount = greatest(0, t.amount - r.goods_amount - r.promo_amount), updated_at = now()
      from market_withholdings w where w.order_id = o.id and t.seller_id = w.seller_id and t.year = w.year;
  end if;
  wake := market_refund_book(o, parcel, r, whole);
  perform audit_write(input->'audit' || jsonb_build_object('subject_kind', 'market_order', 'subject_id', o.id,
    'action', 'market.order.' || case when input->>'seller_id' is null then 'refund' else 'cancel' end,
    'reason', r.reason, 'before', jsonb_build_object('status', o.status), 'after', to_jsonb(r)));
  return market_refund_answer(r.id, wake || jobs_wakes(market_order_news(o.id),
    market_mail_about('order_refunded', o.id, 'buyer', r.id::text, jsonb_build_object('reason', r.reason,
      'amount', r.goods_amount + r.shipping_amount, 'paid_to', r.paid_to, 'closed', whole)),
    case when input->>'seller_id' is null or (input->>'tells_seller')::boolean then
      market_mail_about(case when input->>'seller_id' is null then 'order_taken_back' else 'order_given_up' end, o.id,
        'seller', r.id::text, jsonb_build_object('reason', r.reason, 'amount', r.seller_amount,
          'commission_amount', r.commission_amount, 'held', not r.after_delivery, 'closed', whole)) end,
    case when whole and market_pickup_waits(parcel) then market_call_pickup_back(o.id) end));
end $$;

-- Refuses what cannot be refunded, with words.
create or replace function market_refundable(o market_orders, parcel market_shipments, input jsonb) returns void
language plpgsql as $$
declare
  left_over bigint := o.subtotal_amount - o.discount_amount - (select r.goods from market_refunded(o.id) r);
begin
  if o.source <> 'web' then
    perform app_error('conflict', 'Pesanan ini dibayar di marketplace lain dan dibatalkan di sana');
  elsif o.status not in ('paid', 'processing', 'shipped', 'delivered') then
    perform app_error('conflict', 'Pesanan ini tidak dapat dikembalikan dananya', jsonb_build_object('status', o.status));
  elsif input->>'seller_id' is not null and (o.status = 'delivered'
      or parcel.status not in ('pending', 'cancelled', 'returned') or (o.status = 'shipped' and parcel.status <> 'returned')) then
    perform app_error('conflict', 'Pesanan yang sudah dikirim tidak dapat dibatalkan',
      jsonb_build_object('status', o.status));
  elsif (input->>'amount')::bigint > left_over then
    perform app_error('invalid_input', 'amount: paling banyak Rp ' || left_over, jsonb_build_object('most', left_over));
  elsif o.status = 'delivered' and left_over = 0 then
    perform app_error('conflict', 'Dana pesanan ini sudah dikembalikan seluruhnya');
  end if;
end $$;

-- The shares of a refund of `amount` of the goods (null: all that is left). Each is what it was before less what is due
-- on the goods that are kept, so that any number of partial refunds adds up to the whole.
create or replace function market_refund_parts(o market_orders, parcel market_shipments, amount bigint,
  out goods bigint, out shipping bigint, out promo bigint, out commission bigint, out seller bigint, out tax bigint)
language plpgsql stable as $$
declare
  back record := market_refunded(o.id);
  bought bigint := o.subtotal_amount - o.discount_amount;
  base bigint := o.subtotal_amount - case o.discount_paid_by when 'store' then o.discount_amount else 0 end;
  kept bigint;
begin
  goods := coalesce(amount, bought - back.goods);
  kept := bought - back.goods - goods;
  promo := base - back.goods - back.promo - market_share(base, kept, bought) - goods;
  commission := o.commission_amount - back.commission - market_share(o.commission_amount, kept, bought);
  seller := goods + promo - commission;
  shipping := 0;
  tax := 0;
  if o.status = 'delivered' then
    select w.tax_amount - market_share(w.tax_amount, market_share(base, kept, bought), w.gross_amount) - back.tax
      into tax from market_withholdings w where w.order_id = o.id;
    tax := greatest(0, coalesce(tax, 0));
  elsif amount is null then
    shipping := o.shipping_amount - case when parcel.shipped_at is null then 0 else parcel.shipping_cost end;
  end if;
end $$;

create or replace function market_share(part bigint, kept bigint, whole bigint) returns bigint language sql immutable as $$
  select case when whole = 0 then 0 else div(part::numeric * kept, whole)::bigint end
$$;

-- The charge that the money can go back by: one goes back once; what comes later goes to the wallet.
create or replace function market_refund_charge(o market_orders) returns uuid language sql stable as $$
  select c.id from payments_charges c
  where c.intent_id = o.payment_id and c.settles_intent and c.state = 'paid'
$$;

-- Ends an order whose money goes back: nothing is to be fetched any more, a promo that brought the buyer nothing is not
-- used up, and with `restock` the goods are for sale.
create or replace function market_refund_close(o market_orders, parcel market_shipments, input jsonb) returns void
language plpgsql as $$
begin
  update market_orders set status = 'refunded', closed_at = now(), updated_at = now(), closed_reason =
      case when input->>'seller_id' is null then 'Dana dikembalikan: ' else 'Dibatalkan penjual: ' end || (input->>'reason')
    where id = o.id;
  if o.status <> 'delivered' and parcel.shipped_at is null then
    update market_shipments set status = 'cancelled', updated_at = now() where id = parcel.id;
    insert into market_shipment_events (shipment_id, status, description, occurred_at)
      values (parcel.id, 'cancelled', 'Pengiriman dibatalkan', now()) on conflict do nothing;
    perform jobs_cancel(j.id) from jobs j where j.dedupe_key = 'market.shipment/' || o.id;
  end if;
  if (input->>'restock')::boolean then
    perform market_store_hold(o.store_id);
    perform 1 from market_products p join market_order_items i on i.product_id = p.id
      where i.order_id = o.id order by p.id for no key update of p;
    update market_products p set stock = p.stock + i.quantity
      from market_order_items i where i.order_id = o.id and p.id = i.product_id;
  end if;
  if o.status <> 'delivered' then
    update market_promo_codes set used_count = used_count - 1 where id = o.promo_code_id and used_count > 0;
  end if;
end $$;

-- Moves a refund's money, all lines in one call; returns the wakes of what sends it on.
create or replace function market_refund_book(o market_orders, parcel market_shipments, r market_refunds, whole boolean)
returns jsonb language plpgsql as $$
declare
  shop text := o.store_id::text;
  seller text := (select user_id from market_stores where id = o.store_id)::text;
  charge uuid := market_refund_charge(o);
  provider text := (select provider from payments_intents where id = o.payment_id);
  to_kind text := case when charge is null then 'wallet' else 'refund_due' end;
  to_owner text := case when charge is null then o.buyer_id::text else provider end;
  fee bigint := case when whole and not r.after_delivery and parcel.shipped_at is not null
    then parcel.shipping_cost else 0 end;
  has bigint := 0;
  from_commission bigint := 0;
begin
  if r.after_delivery then
    select a.balance + r.tax_amount into has from ledger_hold('IDR',
      array['wallet', 'advance', 'commission', 'promo', 'tax', to_kind],
      array[seller, seller, 'market', 'market', 'pph22', to_owner]) a
      where a.kind = 'wallet' and a.owner_id = seller;
    from_commission := least(r.commission_amount, r.goods_amount);
  end if;
  perform ledger_post((select jsonb_agg(jsonb_build_object('reference', reference || r.id, 'amount', amount,
      'debit_kind', debit_kind, 'debit_owner', debit_owner, 'credit_kind', credit_kind, 'credit_owner', credit_owner,
      'reason', words || ' ' || o.number) order by step)
    from market_refund_lines(r, shop, seller, fee, has, from_commission, to_kind, to_owner) where amount > 0));
  if r.after_delivery then
    perform market_count(o.store_id, now(), 0, 0, -r.commission_amount, -r.promo_amount);
  end if;
  if charge is null or r.goods_amount + r.shipping_amount = 0 then
    return '[]';
  end if;
  return payments_refund_part(charge, r.goods_amount + r.shipping_amount, 'order_refunded');
end $$;

-- Before delivery everything lies in the store's escrow. After it the commission and the seller give their shares back;
-- `has` is what the seller's wallet can give, the rest is advanced for him.
create or replace function market_refund_lines(r market_refunds, shop text, seller text, fee bigint, has bigint,
  from_commission bigint, to_kind text, to_owner text)
returns table (step int, reference text, amount bigint, debit_kind text, debit_owner text, credit_kind text,
  credit_owner text, words text) language sql immutable as $$
  with due as (
    select r.goods_amount - from_commission as goods, r.promo_amount - (r.commission_amount - from_commission) as promo
  ), own as (
    select least(has, goods) as goods, least(has - least(has, goods), promo) as promo from due
  )
  select x.* from (values
    (1, 'order-refund/', r.goods_amount + r.shipping_amount, 'escrow', shop, to_kind, to_owner, 'Pengembalian dana'),
    (2, 'order-refund-promo/', r.promo_amount, 'escrow', shop, 'promo', 'market', 'Pengembalian promo'),
    (3, 'order-refund-courier/', fee, 'escrow', shop, 'courier', 'kiriminaja', 'Ongkir')
  ) x(step, reference, amount, debit_kind, debit_owner, credit_kind, credit_owner, words)
  where not r.after_delivery
  union all
  select x.* from due, own, lateral (values
    (1, 'order-refund-pph22/', r.tax_amount, 'tax', 'pph22', 'wallet', seller, 'Pengembalian PPh 22'),
    (2, 'order-refund-commission/', from_commission, 'commission', 'market', to_kind, to_owner, 'Pengembalian komisi'),
    (3, 'order-refund-commission-promo/', r.commission_amount - from_commission, 'commission', 'market', 'promo',
      'market', 'Pengembalian komisi'),
    (4, 'order-refund/', own.goods, 'wallet', seller, to_kind, to_owner, 'Pengembalian dana'),
    (5, 'order-refund-promo/', own.promo, 'wallet', seller, 'promo', 'market', 'Pengembalian promo'),
    (6, 'order-refund-advance/', due.goods - own.goods, 'advance', seller, to_kind, to_owner, 'Talangan pengembalian'),
    (7, 'order-refund-advance-promo/', due.promo - own.promo, 'advance', seller, 'promo', 'market',
      'Talangan pengembalian')
  ) x(step, reference, amount, debit_kind, debit_owner, credit_kind, credit_owner, words)
  where r.after_delivery
$$;

-- `call_back` is read by the Worker of the release before: who waits at a door is called back by a job now.
create or replace function market_refund_answer(refund uuid, wake jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('refund_id', r.id, 'order_id', o.id, 'amount', r.goods_amount + r.shipping_amount,
    'paid_to', r.paid_to, 'status', o.status, 'seller_amount', r.seller_amount,
    'commission_amount', r.commission_amount, 'tax_amount', r.tax_amount, 'store_id', s.id, 'store_slug', s.slug,
    'call_back', null, 'wake', wake)
  from market_refunds r join market_orders o on o.id = r.order_id join market_stores s on s.id = o.store_id
  where r.id = refund
$$;
