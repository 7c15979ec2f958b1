-- market_storefront_add({user_id, product_id, quantity, max_lines}) returns jsonb {quantity}
-- Puts more of a product into a buyer's cart, on top of what lies there; additions of one buyer take turns, so none is
-- lost. Refused (`sold_out`, `not_found`) exactly as setting the line to the sum would be.
create or replace function market_storefront_add(input jsonb) returns jsonb language plpgsql as $$
declare
  buyer bigint := (input->>'user_id')::bigint;
  wanted int;
begin
  perform pg_advisory_xact_lock(hashtextextended('market_cart/' || buyer, 0));
  select least(999, (input->>'quantity')::int + coalesce((select c.quantity from market_cart_items c
    where c.user_id = buyer and c.product_id = (input->>'product_id')::uuid), 0)) into wanted;
  perform market_cart_set(input || jsonb_build_object('quantity', wanted));
  return jsonb_build_object('quantity', wanted);
end $$;
