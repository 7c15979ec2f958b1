-- market_cart_set(input) returns jsonb {created}
-- Sets the quantity of one line of a buyer's cart. The buyer's writes take turns, so a cart never holds more than
-- `max_lines` lines. Nothing is reserved: stock is promised at checkout only.
-- input: {user_id, product_id, quantity, max_lines}
create or replace function market_cart_set(input jsonb) returns jsonb language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  wanted int := (input->>'quantity')::int;
  goods record;
  made boolean;
begin
  perform pg_advisory_xact_lock(hashtextextended('market_cart/' || buyer, 0));
  select p.id, p.price, p.stock - p.reserved as available into goods
    from market_products p join market_stores s on s.id = p.store_id
    where p.id = (input->>'product_id')::uuid and p.status = 'active' and p.deleted_at is null
      and s.status = 'active' and s.deleted_at is null;
  if not found then
    perform app_error('not_found', 'Produk tidak ditemukan');
  end if;
  if goods.available < wanted then
    perform app_error('sold_out', case goods.available when 0 then 'Stok habis'
      else format('Stok tersisa %s', goods.available) end, jsonb_build_object('available', goods.available));
  end if;
  insert into market_cart_items as c (user_id, product_id, quantity, seen_price)
    values (buyer, goods.id, wanted, goods.price)
    on conflict (user_id, product_id) do update
      set quantity = excluded.quantity, seen_price = excluded.seen_price, updated_at = now()
    returning c.created_at = now() into made;
  if made and (select count(*) from market_cart_items c where c.user_id = buyer) > (input->>'max_lines')::int then
    perform app_error('conflict', format('Keranjang penuh: maksimal %s produk', input->>'max_lines'));
  end if;
  return jsonb_build_object('created', made);
end $$;
