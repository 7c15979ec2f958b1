-- Agencies of hosts. Guarantees: an agency is read and acted for by its owner alone, and only while it is approved;
-- an application is decided once; a host is in one agency at a time; leaving ends a membership and deletes nothing.

-- Returns only when the person owns the approved agency of this number. The words are the path's own.
create or replace function live_require_agency(owner bigint, agency bigint) returns void language plpgsql stable as $$
begin
  if not exists (select from live_agencies g where g.id = agency and g.user_id = owner and g.status = 'approved') then
    perform app_error('forbidden', '');
  end if;
end $$;

-- Whether a person may see what is a host's own (income, minutes): the host, the owner of his agency, an admin.
create or replace function live_may_see_host(viewer bigint, host bigint) returns boolean language sql stable as $$
  select viewer = host
    or exists (
      select from live_host_applications a join live_agencies g on g.id = a.agency_id
      where a.host_id = host and a.status = 'approved' and a.ended_at is null
        and g.user_id = viewer and g.status = 'approved')
    or exists (select from identity_users u where u.id = viewer and 'admin' = any (u.roles) and u.banned_at is null)
$$;

-- The public part of an agency's row: no identity number.
create or replace function live_agency_row(g live_agencies) returns jsonb language sql stable as $$
  select jsonb_build_object('id', g.id, 'user_id', g.user_id, 'family_name', g.family_name, 'region', g.region,
    'phone', g.phone, 'email', g.email, 'address', g.address, 'logo_url', g.logo_url, 'status', g.status,
    'created_at', g.created_at, 'approved_at', g.approved_at, 'updated_at', g.updated_at)
$$;

-- live_agency_apply({user_id, family_name, region, phone, email, address, sealed_id_number}) returns the row
-- Its number is random; a number that is taken is drawn again. One agency or open application per person.
create or replace function live_agency_apply(input jsonb) returns jsonb language plpgsql as $$
declare
  g live_agencies;
begin
  loop
    insert into live_agencies (id, user_id, family_name, region, phone, email, address, sealed_id_number)
    values (floor(100000 + random() * 9900000)::bigint, (input->>'user_id')::bigint, input->>'family_name',
      input->>'region', input->>'phone', input->>'email', input->>'address', input->>'sealed_id_number')
    on conflict on constraint live_agencies_pkey do nothing
    returning * into g;
    exit when g.id is not null;
  end loop;
  return live_agency_row(g);
end $$;

-- live_agency_decide({agency_id, admin_id, approve}) returns the row
create or replace function live_agency_decide(input jsonb) returns jsonb language plpgsql as $$
declare
  g live_agencies;
  approve boolean := (input->>'approve')::boolean;
begin
  select * into g from live_agencies where id = (input->>'agency_id')::bigint for update;
  if not found then
    perform app_error('not_found', 'Agency not found');
  elsif g.status <> 'pending' then
    perform app_error('conflict', 'Agency application already ' || g.status);
  end if;
  update live_agencies a set status = case when approve then 'approved' else 'rejected' end,
    approved_at = case when approve then now() end, decided_by = (input->>'admin_id')::bigint, updated_at = now()
  where a.id = g.id returning a.* into g;
  return live_agency_row(g);
end $$;
