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
-- no two rules have the same scope, so there is no tie. Where none fits: 5 per cent.
create or replace function topup_margin(family text, brand text, level text, out percent_bp int, out fixed bigint)
language sql stable as $$
  select coalesce(r.percent_bp, 500), coalesce(r.fixed, 0)
  from (select) one
  left join lateral (
    select m.percent_bp, m.fixed from topup_margin_rules m
    where m.active
      and (m.family is null or m.family = topup_margin.family)
      and (m.brand is null or m.brand = topup_margin.brand)
      and (m.member_level is null or m.member_level = topup_margin.level)
    order by m.brand is null, m.member_level is null, m.family is null
    limit 1) r on true
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

-- Puts the catalogue's prices in line with the rules as they are now; for after a change of a rule.
-- Each price that changes leaves a row in the history. Returns how many did.
create or replace function topup_reprice() returns int language plpgsql as $$
declare
  changed int;
begin
  perform topup_catalogue_lock();
  with margins as materialized (
    select b.family, b.brand, m.percent_bp, m.fixed
    from (select distinct s.family, s.brand from topup_services s) b, topup_margin(b.family, b.brand, 'member') m),
  updated as (
    update topup_services s set price = topup_priced(s.supplier_price, m.percent_bp, m.fixed), updated_at = now()
    from margins m
    where m.family = s.family and m.brand = s.brand
      and s.price <> topup_priced(s.supplier_price, m.percent_bp, m.fixed)
    returning s.id, old.price as old_price, new.price as price, new.supplier_price),
  noted as (
    insert into topup_price_history (service_id, old_supplier_price, supplier_price, old_price, price)
    select id, supplier_price, supplier_price, old_price, price from updated)
  select count(*) into changed from updated;
  return changed;
end $$;
