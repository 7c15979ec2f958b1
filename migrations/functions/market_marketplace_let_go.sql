-- market_marketplace_let_go({alert_to}) returns {wake}
-- A store that is gone keeps no access to its shops elsewhere once its listings are off their shelves and the orders that
-- were placed until then have ended. A shop that refuses to take one off is asked again every hour for three days; then,
-- or where only its seller could still open it, the operator is told what is left there, in the transaction that
-- forgets the tokens.
create or replace function market_marketplace_let_go(input jsonb) returns jsonb language plpgsql as $$
declare
  patience constant interval := interval '3 days';
  c record;
  wakes jsonb[] := '{}';
begin
  for c in
    select k.id, k.platform, k.shop_name, k.status, s.name,
      (select count(*) from market_listings l where l.connection_id = k.id and l.item_id is not null and l.shown) as live
    from market_connections k join market_stores s on s.id = k.store_id
    where s.deleted_at is not null and k.status <> 'disconnected' and (k.status = 'error'
      or market_open_orders(s.id) = 0 and (s.deleted_at <= now() - patience
        or not exists (select from market_listings l
          where l.connection_id = k.id and (l.dirty or l.item_id is not null and l.shown))))
    order by k.id for no key update of k
  loop
    update market_connections k set status = 'disconnected', status_reason = null, access_token_enc = null,
        refresh_token_enc = null, generation = k.generation + 1, updated_at = now()
      where k.id = c.id;
    if c.live > 0 then
      wakes := array_append(wakes, mail_enqueue('alert', input->>'alert_to', 'alert/marketplace-left/' || c.id,
        jsonb_build_object('what', 'Produk toko yang dihapus masih tayang di ' || initcap(c.platform),
          'facts', jsonb_build_object('toko', c.name, 'toko di sana', coalesce(c.shop_name, '-'),
            'produk', c.live::text))));
    end if;
  end loop;
  with refused as (
    select l.id from market_listings l join market_connections k on k.id = l.connection_id
    join market_stores s on s.id = k.store_id
    where s.deleted_at > now() - patience and k.status = 'connected' and l.item_id is not null and l.shown
      and not l.dirty
    order by l.product_id, l.id for no key update of l
  )
  update market_listings l set changes = l.changes + 1, dirty = true, sync_status = 'pending', attempts = 0,
      retry_at = null, updated_at = now()
    from refused where l.id = refused.id;
  return jsonb_build_object('wake', jobs_wakes(variadic wakes));
end $$;
