-- The catalogue's version: a list of services that was put together under it may be shown for as long as it stands.
-- Guarantee: whoever sees a change sees another version. One that reserves or sells some of a stock changes nothing here.

insert into topup_catalogue_version default values on conflict do nothing;

-- Once a transaction, however many rows it changes: the setting is undone with it, or with the part of it that is undone.
create or replace function topup_catalogue_changed() returns trigger language plpgsql as $$
begin
  if coalesce(current_setting('topup.catalogue_changed', true), '') <> 'yes' then
    update topup_catalogue_version set version = gen_random_uuid();
    perform set_config('topup.catalogue_changed', 'yes', true);
  end if;
  return null;
end $$;

create or replace trigger topup_services_added after insert on topup_services
  for each row execute function topup_catalogue_changed();

create or replace trigger topup_services_changed after update on topup_services
  for each row when (
    (new.family, new.name, new.brand, new.category, new.min_quantity, new.max_quantity, new.supplier_price, new.price,
      new.status, new.active, new.stock_type = 'OUT_OF_STOCK')
      is distinct from
    (old.family, old.name, old.brand, old.category, old.min_quantity, old.max_quantity, old.supplier_price, old.price,
      old.status, old.active, old.stock_type = 'OUT_OF_STOCK'))
  execute function topup_catalogue_changed();

create or replace trigger topup_services_removed after delete or truncate on topup_services
  for each statement execute function topup_catalogue_changed();

-- Whoever changes a rule will reprice: he takes his turn with the syncs before he holds the version, as they do.
create or replace function topup_margin_rules_turn() returns trigger language plpgsql as $$
begin
  perform topup_catalogue_lock();
  return null;
end $$;

create or replace trigger topup_margin_rules_turn before insert or update or delete or truncate on topup_margin_rules
  for each statement execute function topup_margin_rules_turn();

create or replace trigger topup_margin_rules_changed after insert or update or delete or truncate on topup_margin_rules
  for each statement execute function topup_catalogue_changed();

-- {user_id} -> {level, version}: which list of services is that user's, and as of when. The version tells the rules of
-- a price apart, too, which a deploy may change.
create or replace function topup_panel_version(input jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object('level', topup_level((input->>'user_id')::bigint), 'version', c.version || '/' || (
    select md5(string_agg(p.prosrc, '/' order by p.proname)) from pg_proc p
    where p.proname in ('topup_margin', 'topup_margin_rule', 'topup_min_margin', 'topup_panel_services', 'topup_priced')))
  from topup_catalogue_version c
$$;
