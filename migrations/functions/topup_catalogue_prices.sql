-- What we ask for a service. All prices of the domain come from here: the catalogue's (level 'member'), those of other
-- levels, and those that an order compares with.

-- The least that is earned on a unit (social: on 1,000), whatever the rules say.
create or replace function topup_min_margin() returns bigint language sql immutable parallel safe as $$
  select 25::bigint
$$;

-- Guarantee: the same for the same input, and always above the supplier's price.
-- `percent_bp` hundredths of a per cent, rounded up to the rupiah, and `fixed` rupiah on top.
create or replace function topup_priced(supplier_price bigint, percent_bp int, fixed bigint) returns bigint
language sql immutable parallel safe as $$
  select supplier_price + greatest((supplier_price * percent_bp + 9999) / 10000 + fixed, topup_min_margin())
$$;

-- The margin rule of a service and a member level: the most specific one that fits, brand before level before family;
-- no two rules have the same scope, so there is no tie. Null where none fits.
create or replace function topup_margin_rule(family text, brand text, level text) returns uuid language sql stable as $$
  select m.id from topup_margin_rules m
  where m.active
    and (m.family is null or m.family = topup_margin_rule.family)
    and (m.brand is null or m.brand = topup_margin_rule.brand)
    and (m.member_level is null or m.member_level = topup_margin_rule.level)
  order by m.brand is null, m.member_level is null, m.family is null
  limit 1
$$;

-- What that rule adds; where none fits: 5 per cent.
create or replace function topup_margin(family text, brand text, level text, out percent_bp int, out fixed bigint)
language sql stable as $$
  select coalesce(r.percent_bp, 500), coalesce(r.fixed, 0)
  from (select topup_margin_rule(family, brand, level) as id) one left join topup_margin_rules r on r.id = one.id
$$;

-- The price of a service for a member level, from what the supplier asks.
create or replace function topup_price(supplier_price bigint, family text, brand text, level text) returns bigint
language sql stable as $$
  select topup_priced(supplier_price, m.percent_bp, m.fixed) from topup_margin(family, brand, level) m
$$;

-- The level of a user; whoever has no row is a plain member.
create or replace function topup_level(person bigint) returns text language sql stable as $$
  select coalesce((select m.level from topup_members m where m.user_id = person), 'member')
$$;

-- Taken by whoever changes many services at once, so that two of them do not wait for each other's rows. Orders, which
-- change one service, do not take it.
create or replace function topup_catalogue_lock() returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('topup_services', 0))
$$;

-- {after?, limit} -> {last, changed}: puts the next services by id in line with the rules as they are now; `last`: the id
-- to go on after, null at the end. For after a change of a rule, in many short transactions: orders and syncs wait for one
-- of them at most. Each price that changes leaves a row in the history; running it again changes nothing.
create or replace function topup_reprice_some(input jsonb) returns jsonb language plpgsql as $$
declare
  first uuid := coalesce(input->>'after', '00000000-0000-0000-0000-000000000000')::uuid;
  size int := (input->>'limit')::int;
  final uuid;
  ids uuid[];
  changed int;
begin
  perform topup_catalogue_lock();
  select n.id into final from (
    select s.id from topup_services s where s.id > first order by s.id limit size) n
  order by n.id desc limit 1;
  with margins as materialized (
    select b.family, b.brand, m.percent_bp, m.fixed
    from (select distinct s.family, s.brand from topup_services s where s.id > first and s.id <= final) b,
      topup_margin(b.family, b.brand, 'member') m)
  select array_agg(s.id order by s.id) into ids
  from topup_services s join margins m on m.family = s.family and m.brand = s.brand
  where s.id > first and s.id <= final and s.status <> 'gone'
    and s.price <> topup_priced(s.supplier_price, m.percent_bp, m.fixed);
  -- In the order of ids, as all who change several services.
  perform from topup_services s where s.id = any (ids) order by s.id for no key update;
  with updated as (
    update topup_services s set price = topup_price(s.supplier_price, s.family, s.brand, 'member'), updated_at = now()
    where s.id = any (ids) and s.price <> topup_price(s.supplier_price, s.family, s.brand, 'member')
    returning s.id, old.price as old_price, new.price as price, new.supplier_price),
  noted as (
    insert into topup_price_history (service_id, old_supplier_price, supplier_price, old_price, price)
    select id, supplier_price, supplier_price, old_price, price from updated)
  select count(*) into changed from updated;
  return jsonb_build_object('changed', changed, 'last', case when (
    select count(*) from topup_services s where s.id > first and s.id <= final) = size then final end);
end $$;
