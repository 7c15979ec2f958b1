-- A delivered order's money, all its accounts locked at once. Lock order: market_locks.sql.

-- What has been given back of an order so far, and by whom.
create or replace function market_refunded(order_key uuid, out goods bigint, out shipping bigint, out promo bigint,
  out commission bigint, out seller bigint, out tax bigint) language sql stable as $$
  select coalesce(sum(r.goods_amount), 0)::bigint, coalesce(sum(r.shipping_amount), 0)::bigint,
    coalesce(sum(r.promo_amount), 0)::bigint, coalesce(sum(r.commission_amount), 0)::bigint,
    coalesce(sum(r.seller_amount), 0)::bigint, coalesce(sum(r.tax_amount), 0)::bigint
  from market_refunds r where r.order_id = order_key
$$;

-- What a delivered order brings its seller: the sale less commission, and less what was given back of it. A promo of
-- the platform is not the seller's loss.
create or replace function market_seller_amount(o market_orders) returns bigint language sql stable as $$
  select o.subtotal_amount - case o.discount_paid_by when 'store' then o.discount_amount else 0 end
    - o.commission_amount - (select r.seller from market_refunded(o.id) r)
$$;

-- What of an order was sold at what price: the sum that commission and PPh 22 are counted from, less what went back.
create or replace function market_gross(o market_orders) returns bigint language sql stable as $$
  select o.subtotal_amount - case o.discount_paid_by when 'store' then o.discount_amount else 0 end
    - r.goods - r.promo from market_refunded(o.id) r
$$;

-- Shares a delivered order's escrow: the seller's part, the commission, the courier's fee, and to the seller what of
-- the fee is not the courier's; of the seller's part PPh 22 is withheld, and what he owes us is taken. A second
-- call changes nothing.
create or replace function market_pay_out(o market_orders) returns void language plpgsql as $$
declare
  seller text := (select user_id from market_stores where id = o.store_id)::text;
  shop text := o.store_id::text;
  fee bigint := (select shipping_cost from market_shipments where order_id = o.id);
  tax bigint;
  sale bigint := market_seller_amount(o);
  back record := market_refunded(o.id);
  kinds text[] := array['escrow', 'commission', 'courier', 'wallet'];
  owners text[] := array[shop, 'market', 'kiriminaja', seller];
  owed bigint;
begin
  if exists (select from market_withholdings w where w.order_id = o.id) then
    return;
  end if;
  tax := market_withhold(o, seller::bigint);
  if exists (select from ledger_accounts where kind = 'advance' and owner_id = seller) then
    kinds := kinds || 'advance'::text;
    owners := owners || seller;
  end if;
  if tax > 0 then
    kinds := kinds || 'tax'::text;
    owners := owners || 'pph22'::text;
  end if;
  select coalesce(-min(a.balance) filter (where a.kind = 'advance'), 0) into owed from ledger_hold('IDR', kinds, owners) a;
  perform ledger_post((select jsonb_agg(jsonb_build_object('reference', reference || o.id, 'amount', amount,
      'debit_kind', debit_kind, 'debit_owner', debit_owner, 'credit_kind', credit_kind, 'credit_owner', credit_owner,
      'reason', words || o.number) order by step)
    from (values
      (1, 'order-sale/', sale, 'escrow', shop, 'wallet', seller, 'Penjualan '),
      (2, 'order-commission/', o.commission_amount - back.commission, 'escrow', shop, 'commission', 'market', 'Komisi '),
      (3, 'order-courier/', fee, 'escrow', shop, 'courier', 'kiriminaja', 'Ongkir '),
      (4, 'order-shipping/', o.shipping_amount - back.shipping - fee, 'escrow', shop, 'wallet', seller, 'Ongkir '),
      (5, 'order-pph22/', tax, 'wallet', seller, 'tax', 'pph22', 'PPh 22 atas penjualan '),
      (6, 'order-debt/', least(owed, sale + o.shipping_amount - back.shipping - fee - tax), 'wallet', seller,
        'advance', seller, 'Pelunasan talangan dari penjualan ')
    ) part(step, reference, amount, debit_kind, debit_owner, credit_kind, credit_owner, words)
    where amount > 0));
  perform market_count(o.store_id, now(), 0, 0, o.commission_amount - back.commission,
    case o.discount_paid_by when 'platform' then o.discount_amount - back.promo else 0 end);
end $$;

-- Counts a delivered order into its seller's year and says how much PPh 22 to withhold of it: 0.5 % of
-- what was sold; of a seller who has stated that he sells for less than Rp 500 million in the year only of what
-- is above that. Phone credit is exempt (PMK 37/2025) as it was sold, and an order from when none was withheld.
create or replace function market_withhold(o market_orders, seller bigint) returns bigint language plpgsql as $$
declare
  free constant bigint := 500000000;
  the_year constant int := extract(year from now() at time zone 'Asia/Jakarta');
  gross constant bigint := market_gross(o);
  sold bigint;
  liable bigint;
  taxed bigint;
  tax bigint;
begin
  insert into market_turnovers as t (seller_id, year, amount) values (seller, the_year, gross)
    on conflict on constraint market_turnovers_pkey do update set amount = t.amount + gross, updated_at = now()
    returning t.amount into sold;
  liable := case when exists (select from market_tax_statements s where s.seller_id = seller and s.year = the_year)
    then least(gross, greatest(0, sold - free)) else gross end;
  taxed := case when o.tax_basis_points = 0 or o.subtotal_amount = 0 then 0
    else div(liable::numeric * (o.subtotal_amount - o.tax_exempt_amount), o.subtotal_amount) end;
  tax := div(taxed::numeric * o.tax_basis_points, 10000);
  insert into market_withholdings (order_id, seller_id, year, gross_amount, taxed_amount, tax_amount)
    values (o.id, seller, the_year, gross, taxed, tax);
  return tax;
end $$;

-- What of an order's goods bears no PPh 22: phone credit and SIM cards, by the category or one above it, as they are
-- now: asked at checkout and frozen with the order, for a seller may move his goods. `union` ends a circle of
-- categories.
create or replace function market_exempt(order_key uuid) returns bigint language sql stable as $$
  with recursive exempt as (
    select c.id from market_categories c where c.slug in ('pulsa', 'pulsa-paket-data', 'kartu-perdana')
    union
    select c.id from market_categories c join exempt e on c.parent_id = e.id
  )
  select coalesce(sum(i.subtotal), 0)::bigint from market_order_items i
  join market_products p on p.id = i.product_id join exempt e on e.id = p.category_id
  where i.order_id = order_key
$$;
