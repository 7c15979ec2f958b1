-- {level} -> the answer to `services` of the panel dialect, as text, because it may hold tens of thousands: what is for
-- sale, at that level's prices (those of topup_order_cost), under the whole numbers of the dialect. What is counted and
-- has no more at the moment stays: panels switch off what vanishes, for good, and each last piece would make the list
-- anew. A service without a number gets one here, once, and keeps it for good. Social services are `Default`, with a rate per 1,000;
-- credit, tokens and game items are a `Package`, with the rate of one.
create or replace function topup_panel_services(input jsonb) returns text language plpgsql as $$
declare
  member_level constant text := input->>'level';
begin
  insert into topup_panel_services (service_id)
  select s.id from topup_services s
  where s.status = 'available' and s.active
    and not exists (select from topup_panel_services p where p.service_id = s.id)
  order by s.id
  on conflict on constraint topup_panel_services_service_key do nothing;

  -- Put together as text: for 50,000 services json_build_object takes five times as long.
  return (
    with margins as materialized (
      select b.family, b.brand, m.percent_bp, m.fixed
      from (select distinct s.family, s.brand from topup_services s
          where s.status = 'available' and s.active and member_level <> 'member') b,
        topup_margin(b.family, b.brand, member_level) m
    )
    select '[' || coalesce(string_agg(concat(
      '{"service":', p.number, ',"name":', to_json(s.name),
      case s.family when 'social' then ',"type":"Default","category":' else ',"type":"Package","category":' end,
      to_json(coalesce(nullif(s.category, ''), nullif(s.brand, ''), s.family)),
      ',"rate":"', case when m.family is null then s.price
        else topup_priced(s.supplier_price, m.percent_bp, m.fixed) end,
      '","min":"', case s.family when 'social' then s.min_quantity else 1 end,
      '","max":"', case s.family when 'social' then s.max_quantity else 1 end,
      '","refill":false,"cancel":false}'), ',' order by p.number), '') || ']'
    from topup_services s
    join topup_panel_services p on p.service_id = s.id
    left join margins m on m.family = s.family and m.brand = s.brand
    where s.status = 'available' and s.active and s.stock_type <> 'OUT_OF_STOCK'
  );
end $$;

-- topup_order_place's input without family, code, target and zone, but {service, quantity?, goods: {<family>: {target,
-- zone?}}, numbers: {<family>: […]}} -> {refused: service|minimum|maximum} (`service`: none that the list has), or what topup_order_place answers and the
-- order's whole `number`, given at its first mention. A package is one piece, whether its panel says so or not. A repeat
-- with its key is the first order, whatever has become of the service since; a refused call leaves its key free.
create or replace function topup_panel_add(input jsonb) returns jsonb language plpgsql as $$
declare
  wanted bigint := (input->>'quantity')::bigint;
  s record;
  earlier text;
  refused text;
  placed jsonb;
  given bigint;
begin
  earlier := http_claim((input->>'user_id')::bigint, input->>'idempotency_key', 'topup.order', input->>'input_hash',
    input->>'order_id');
  if earlier is not null then
    return topup_order_again(earlier::uuid) || jsonb_build_object('number',
      (select p.number from topup_panel_orders p where p.order_id = earlier::uuid));
  end if;
  select x.family, x.code, x.min_quantity as least_wanted,
    case x.family when 'social' then x.max_quantity else 1 end as most_wanted into s
  from topup_panel_services p join topup_services x on x.id = p.service_id
  where p.number = (input->>'service')::bigint and x.status = 'available' and x.active
    and x.stock_type <> 'OUT_OF_STOCK';
  wanted := case s.family when 'social' then wanted else coalesce(wanted, 1) end;
  refused := case when s.family is null then 'service'
    when wanted is null or wanted < s.least_wanted then 'minimum'
    when wanted > s.most_wanted then 'maximum' end;
  if refused is not null then
    delete from http_idempotency_keys k
    where k.user_id = (input->>'user_id')::bigint and k.key = input->>'idempotency_key';
    return jsonb_build_object('refused', refused);
  end if;
  placed := topup_order_place(input || (input->'goods'->s.family) || jsonb_build_object('family', s.family,
    'idempotency_key', null, 'code', s.code, 'quantity', wanted, 'numbers', input->'numbers'->s.family));
  insert into topup_panel_orders as p (order_id) values ((placed->'order'->>'id')::uuid)
  on conflict on constraint topup_panel_orders_order_key do update set order_id = excluded.order_id
  returning p.number into given;
  return placed || jsonb_build_object('number', given);
end $$;
