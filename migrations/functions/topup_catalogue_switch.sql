-- The operator's switch of a service. Guarantee: all of the named services are switched, each with its entry in the audit,
-- or none; what is off is neither listed nor sold to anybody, and no sync turns it on. Orders that were paid go on.

create or replace function topup_service_admin_view(s topup_services) returns jsonb language sql stable as $$
  select jsonb_build_object('id', s.id, 'family', s.family, 'code', s.code, 'name', s.name, 'brand', s.brand,
    'supplierPrice', s.supplier_price, 'price', s.price, 'status', s.status, 'active', s.active,
    'stock', case when s.stock_type <> 'UNLIMITED' then s.stock end, 'updatedAt', s.updated_at)
$$;

-- {services: [{id} | {family, code}], active, reason, audit} -> {changed, services: [topup_service_admin_view]}. `changed`:
-- how many were not as wanted before. Raises `not_found` {missing: […]} for what the catalogue does not have, naming the first.
create or replace function topup_services_switch(input jsonb) returns jsonb language plpgsql as $$
declare
  wanted boolean := (input->>'active')::boolean;
  ids uuid[];
  missing jsonb;
  changed uuid[];
  one uuid;
begin
  select array_agg(s.id), jsonb_agg(w.named) filter (where s.id is null) into ids, missing
  from jsonb_array_elements(input->'services') w(named)
  left join topup_services s on s.id = (w.named->>'id')::uuid
    or s.family = w.named->>'family' and s.code = w.named->>'code';
  if missing is not null then
    perform app_error('not_found', 'Service not found: ' || (
      select string_agg(coalesce(m->>'id', concat_ws(' ', m->>'family', m->>'code')), ', ')
      from (select m from jsonb_array_elements(missing) m limit 5) named), jsonb_build_object('missing', missing));
  end if;
  -- In the order of ids, as all who change several services.
  perform from topup_services s where s.id = any (ids) order by s.id for no key update;
  with switched as (
    update topup_services s set active = wanted, updated_at = now() where s.id = any (ids) and s.active <> wanted
    returning s.id)
  select coalesce(array_agg(id order by id), '{}') into changed from switched;
  foreach one in array changed loop
    perform audit_write(input->'audit' || jsonb_build_object('subject_kind', 'topup_service', 'subject_id', one,
      'action', case when wanted then 'topup.service.on' else 'topup.service.off' end, 'reason', input->>'reason',
      'before', jsonb_build_object('active', not wanted), 'after', jsonb_build_object('active', wanted)));
  end loop;
  return jsonb_build_object('changed', cardinality(changed), 'services', (
    select jsonb_agg(topup_service_admin_view(s) order by s.family, s.code) from topup_services s where s.id = any (ids)));
end $$;
