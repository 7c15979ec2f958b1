-- How orders end, for the other functions of topup_orders*.sql.

-- Ends orders, with their money and stock, all in one transaction: `ends` is [{id, state}]. Only for callers that have
-- locked each of them and found it open. Returns {order (the last), orders, wake}.
create or replace function topup_orders_end(ends jsonb, input jsonb) returns jsonb language plpgsql as $$
declare
  e record;
  o topup_orders;
  lines jsonb := '[]';
  ended jsonb := '[]';
  wakes jsonb := '[]';
begin
  perform topup_stock_give_back(array(select (r->>'id')::uuid from jsonb_array_elements(ends) r
    where r->>'state' in ('failed', 'cancelled', 'refunded')));
  for e in select r.* from jsonb_to_recordset(ends) as r(id uuid, state text) order by r.id loop
    -- Ended at a person's word: nobody saw the purchase take what was reserved for it.
    perform topup_stock_take(x) from topup_orders x
    where x.id = e.id and e.state in ('success', 'partial') and x.stock_held = 'reserved';
    update topup_orders x set state = e.state, finished_at = (input->>'now')::timestamptz, updated_at = now(),
      -- When its serial number is asked for, where it ended without (topup_serial_due).
      ask_at = (input->>'now')::timestamptz + interval '30 seconds',
      stock_held = null, review_reason = null, remain = case e.state when 'success' then 0 else x.remain end,
      refunded_amount = case e.state when 'success' then 0
        when 'partial' then ceil(x.amount::numeric * least(x.remain, x.quantity) / x.quantity) else x.amount end
    where x.id = e.id
    returning * into o;
    lines := lines || topup_order_lines(o);
    perform topup_order_event(o);
    perform topup_order_rest(o);
    ended := ended || to_jsonb(o);
  end loop;
  if jsonb_array_length(lines) > 0 then
    perform ledger_post(lines);
  end if;
  for e in select r.* from jsonb_to_recordset(ends) as r(id uuid) loop
    wakes := wakes || topup_notify(e.id);
  end loop;
  return jsonb_build_object('order', to_jsonb(o), 'orders', ended, 'wake', wakes);
end $$;

-- Where an ended order's money goes from escrow: back to the wallet what is refunded, to the supplier what it charged,
-- the rest to us. Where the supplier charged more than the customer paid, the difference is taken from promo/topup,
-- whose (negative) balance is what such sales have cost us; commission/topup never pays for it.
create or replace function topup_order_lines(o topup_orders) returns jsonb language plpgsql as $$
declare
  escrow constant text := 'topup:' || o.user_id;
  asked bigint := coalesce(o.charged_amount, o.supplier_amount);
  kept bigint := o.amount - o.refunded_amount;
  delivered bigint := asked - floor(asked::numeric * least(o.remain, o.quantity) / o.quantity);
  cost bigint := case o.state
    when 'success' then asked
    -- Both shares are rounded away from us: of a sale without loss a part must not become one.
    when 'partial' then case when asked <= o.amount then least(delivered, kept) else delivered end
    else 0 end;
begin
  return (select coalesce(jsonb_agg(jsonb_build_object('reference', what || '/' || o.id, 'amount', amount,
      'debit_kind', debit_kind, 'debit_owner', debit_owner, 'credit_kind', credit_kind, 'credit_owner', credit_owner,
      'reason', words || o.number) order by n), '[]')
    from (values
      (1, 'topup-refund', 'escrow', escrow, 'wallet', o.user_id::text, o.refunded_amount,
        case o.state when 'partial' then 'Pengembalian sebagian dana pesanan ' else 'Pengembalian dana pesanan ' end),
      (2, 'topup-cost', 'escrow', escrow, 'gateway', 'vip-reseller', least(cost, kept), 'Biaya penyedia pesanan '),
      (3, 'topup-margin', 'escrow', escrow, 'commission', 'topup', kept - least(cost, kept), 'Keuntungan pesanan '),
      (4, 'topup-loss', 'promo', 'topup', 'gateway', 'vip-reseller', cost - least(cost, kept),
        'Selisih harga penyedia pesanan ')
    ) line(n, what, debit_kind, debit_owner, credit_kind, credit_owner, amount, words)
    where amount > 0);
end $$;

-- The purchase takes of the counted stock what was reserved for it.
create or replace function topup_stock_take(o topup_orders) returns void language plpgsql as $$
declare
  s record;
begin
  update topup_services x set reserved = greatest(x.reserved - o.quantity, 0),
    stock = case when x.stock_type = 'LIMITED' then greatest(x.stock - o.quantity, 0) else x.stock end
  where x.id = o.service_id
  returning x.id, x.stock_type, old.stock as was, new.stock into s;
  if s.stock_type = 'LIMITED' then
    -- A count that came between may have left less than was reserved.
    insert into topup_stock_history (service_id, type, quantity, old_stock, new_stock, reason, order_id, created_at)
    values (s.id, 'ORDER_REDUCTION', s.stock - s.was, s.was, s.stock, o.number, o.id, clock_timestamp());
  end if;
end $$;

-- Gives back what these orders hold of counted stocks: a reservation is let go, a taken piece is put back where the
-- service still counts. The services are locked in order first.
create or replace function topup_stock_give_back(order_ids uuid[]) returns void language plpgsql as $$
declare
  o record;
  s topup_services;
begin
  perform from topup_services x
  where x.id in (select y.service_id from topup_orders y where y.id = any (order_ids) and y.stock_held is not null)
  order by x.id for no key update;
  for o in select * from topup_orders x where x.id = any (order_ids) and x.stock_held is not null order by x.id loop
    update topup_services x set
      reserved = case o.stock_held when 'reserved' then greatest(x.reserved - o.quantity, 0) else x.reserved end,
      stock = case when o.stock_held = 'taken' and x.stock_type = 'LIMITED' then x.stock + o.quantity else x.stock end
    where x.id = o.service_id
    returning * into s;
    if o.stock_held = 'taken' and s.stock_type = 'LIMITED' then
      insert into topup_stock_history (service_id, type, quantity, old_stock, new_stock, reason, order_id, created_at)
      values (s.id, 'RESTOCK', o.quantity, s.stock - o.quantity, s.stock, o.number, o.id, clock_timestamp());
    end if;
  end loop;
end $$;
