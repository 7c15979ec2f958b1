-- Plans and their slots. Guarantee, from any number of connections at once: never more slots are taken than a plan
-- has, and a slot that an order or a subscription holds is given back exactly once.

-- What is for sale at the start. Repeatable: what is there stays as an admin has changed it.
insert into hosting_plans (name, display_name, description, type, price, storage, bandwidth, websites, slots,
  is_popular, sort_order, features)
select p.name, p.display_name, p.description, p.type, p.price, p.storage, p.bandwidth, p.websites, p.slots,
  p.is_popular, p.sort_order,
  (select jsonb_agg(jsonb_build_object('name', f.name, 'description', null, 'isIncluded', true, 'sortOrder', f.n)
    order by f.n) from unnest(p.features) with ordinality f(name, n))
from (values
  ('starter', 'Starter', 'Untuk situs pertama Anda', 'HOSTING', 15000, '1 GB SSD', '10 GB', '1 website', 500, false, 1,
    array['SSL gratis', 'FTP', '1 database']),
  ('business', 'Business', 'Untuk toko dan perusahaan yang tumbuh', 'HOSTING', 30000, '5 GB SSD', '100 GB', '1 website',
    300, true, 2, array['SSL gratis', 'FTP', '5 database', 'Rilis dapat dikembalikan']),
  ('enterprise', 'Enterprise', 'Untuk situs yang ramai', 'HOSTING', 70000, '20 GB SSD', 'Tanpa batas', '1 website', 100,
    false, 3, array['SSL gratis', 'FTP', '20 database', 'Rilis dapat dikembalikan', 'Dukungan prioritas']),
  ('vps-basic', 'VPS Basic', 'Server sendiri untuk memulai', 'VPS', 50000, '20 GB SSD', '1 TB', '-', 60, false, 4,
    array['1 vCPU', '1 GB RAM', 'Akses root']),
  ('vps-standard', 'VPS Standard', 'Server sendiri untuk bekerja', 'VPS', 100000, '40 GB SSD', '2 TB', '-', 40, true, 5,
    array['2 vCPU', '2 GB RAM', 'Akses root']),
  ('vps-pro', 'VPS Pro', 'Server sendiri untuk beban berat', 'VPS', 200000, '80 GB SSD', '4 TB', '-', 20, false, 6,
    array['4 vCPU', '4 GB RAM', 'Akses root'])
) p(name, display_name, description, type, price, storage, bandwidth, websites, slots, is_popular, sort_order, features)
where not exists (select from hosting_plans known where known.name = p.name);

create or replace function hosting_rupiah(amount bigint) returns text language sql immutable as $$
  select 'Rp ' || replace(to_char(amount, 'FM999,999,999,999,999'), ',', '.')
$$;

-- {plan_id?, plan_name?, plan_type?} -> the plan that is meant, by its id, its name or its shown name in any case.
-- Whatever is told beside must fit it.
create or replace function hosting_plan_wanted(input jsonb) returns hosting_plans language plpgsql stable as $$
declare
  wanted text := lower(btrim(input->>'plan_name'));
  plan hosting_plans;
begin
  select * into plan from hosting_plans p
  where p.deleted_at is null
    and (input->>'plan_id' is null or p.id::text = lower(input->>'plan_id'))
    and (wanted is null or wanted in (p.name, lower(p.display_name)))
    and (input->>'plan_type' is null or p.type = upper(input->>'plan_type'))
  order by p.name = wanted desc nulls last
  limit 1;
  if not found then
    perform app_error('not_found', 'Paket tidak ditemukan');
  end if;
  return plan;
end $$;

-- Refuses what is not for sale, and takes a slot for an order otherwise; waits for rivals of the same plan.
create or replace function hosting_slot_take(plan hosting_plans) returns void language plpgsql as $$
begin
  if not plan.is_active then
    perform app_error('conflict', 'Paket ' || plan.display_name || ' tidak dijual lagi');
  end if;
  update hosting_plans p set slots_taken = p.slots_taken + 1
  where p.id = plan.id and p.deleted_at is null and p.is_active and not p.is_sold_out
    and (p.slots is null or p.slots_taken < p.slots);
  if not found then
    perform app_error('sold_out', 'Paket ' || plan.display_name || ' sedang habis');
  end if;
end $$;

create or replace function hosting_slot_free(plan_id uuid) returns void language sql as $$
  update hosting_plans p set slots_taken = p.slots_taken - 1 where p.id = hosting_slot_free.plan_id
$$;

-- Gives back many slots at once, one for each mention of a plan; nulls are left out. Locks the plans in the order of
-- their ids, so that two calls wait for each other and never in a circle: a transaction calls it once, and last.
create or replace function hosting_slots_free(plan_ids uuid[]) returns void language plpgsql as $$
begin
  perform from hosting_plans p where p.id = any(plan_ids) order by p.id for no key update;
  update hosting_plans p set slots_taken = p.slots_taken - f.slots
  from (select freed, count(*)::int as slots from unnest(plan_ids) freed group by freed) f
  where p.id = f.freed;
end $$;

-- {actor_id, request_id, id?, plan: {column: value, …}} -> the plan: a new one, or the named one with these columns
-- changed, with its entry in the audit. Missing columns keep what they hold, or their defaults.
create or replace function hosting_plan_write(input jsonb) returns jsonb language plpgsql as $$
declare
  change jsonb := input->'plan';
  was hosting_plans;
  plan hosting_plans;
begin
  if input->>'id' is null then
    was := jsonb_populate_record(null::hosting_plans, '{"description": "", "storage": "", "bandwidth": "",
      "websites": "", "features": [], "is_active": true, "is_popular": false, "is_sold_out": false, "sort_order": 0}');
    plan := jsonb_populate_record(was, change);
    insert into hosting_plans as p (name, display_name, description, type, price, storage, bandwidth, websites,
      features, slots, is_active, is_popular, is_sold_out, sort_order)
    values (plan.name, plan.display_name, plan.description, plan.type, plan.price, plan.storage, plan.bandwidth,
      plan.websites, plan.features, plan.slots, plan.is_active, plan.is_popular, plan.is_sold_out, plan.sort_order)
    returning p.* into plan;
  else
    select * into was from hosting_plans p
    where p.id = (input->>'id')::uuid and p.deleted_at is null for no key update;
    if not found then
      perform app_error('not_found', 'Paket tidak ditemukan');
    end if;
    plan := jsonb_populate_record(was, change);
    update hosting_plans p set name = plan.name, display_name = plan.display_name, description = plan.description,
      type = plan.type, price = plan.price, storage = plan.storage, bandwidth = plan.bandwidth,
      websites = plan.websites, features = plan.features, slots = plan.slots, is_active = plan.is_active,
      is_popular = plan.is_popular, is_sold_out = plan.is_sold_out, sort_order = plan.sort_order,
      deleted_at = plan.deleted_at, updated_at = now()
    where p.id = was.id
    returning p.* into plan;
  end if;
  perform audit_write(jsonb_build_object('actor_kind', 'user', 'actor_id', input->'actor_id',
    'action', 'hosting.plan.' || case when was.id is null then 'create' when plan.deleted_at is not null then 'delete'
      else 'change' end,
    'subject_kind', 'hosting_plan', 'subject_id', plan.id, 'request_id', input->'request_id',
    'before', case when was.id is not null then to_jsonb(was) end, 'after', to_jsonb(plan)));
  return to_jsonb(plan);
end $$;
