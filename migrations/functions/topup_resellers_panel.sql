-- {user_id} -> the answer to `services` of the panel dialect, as text, because it may hold tens of thousands: what can be
-- bought now, at that user's prices (those of topup_order_cost), under the whole numbers of the dialect. A service
-- without a number gets one here, once, and keeps it for good. Social services are `Default`, with a rate per 1,000;
-- credit, tokens and game items are a `Package`, with the rate of one.
create or replace function topup_panel_services(input jsonb) returns text language plpgsql as $$
declare
  member_level text := topup_level((input->>'user_id')::bigint);
begin
  insert into topup_panel_services (service_id)
  select s.id from topup_services s
  where s.status = 'available' and s.active
    and not exists (select from topup_panel_services p where p.service_id = s.id)
  order by s.id
  on conflict on constraint topup_panel_services_service_key do nothing;

  return (
    with margins as materialized (
      select b.family, b.brand, m.percent_bp, m.fixed
      from (select distinct s.family, s.brand from topup_services s where s.status = 'available' and s.active) b,
        topup_margin(b.family, b.brand, member_level) m
    )
    select coalesce(json_agg(json_build_object('service', p.number, 'name', s.name,
      'type', case s.family when 'social' then 'Default' else 'Package' end,
      'category', coalesce(nullif(s.category, ''), nullif(s.brand, ''), s.family),
      'rate', (case member_level when 'member' then s.price
        else topup_priced(s.supplier_price, m.percent_bp, m.fixed) end)::text,
      'min', (case s.family when 'social' then s.min_quantity else 1 end)::text,
      'max', (case s.family when 'social' then s.max_quantity else 1 end)::text,
      'refill', false, 'cancel', false) order by p.number), '[]')::text
    from topup_services s
    join topup_panel_services p on p.service_id = s.id
    join margins m on m.family = s.family and m.brand = s.brand
    where s.status = 'available' and s.active and s.stock_type <> 'OUT_OF_STOCK'
  );
end $$;
