-- Applications of hosts and the memberships that come of them (see live_agencies.sql for what holds).

create or replace function live_application_row(a live_host_applications) returns jsonb language sql stable as $$
  select jsonb_build_object('id', a.id, 'host_id', a.host_id, 'agency_id', a.agency_id, 'name', a.name,
    'gender', a.gender, 'status', a.status, 'created_at', a.created_at, 'approved_at', a.approved_at,
    'ended_at', a.ended_at)
$$;

-- What a host has earned so far on this day of Jakarta.
create or replace function live_income_today(host bigint) returns bigint language sql stable as $$
  select coalesce(sum(d.income), 0)::bigint from live_host_days d
  where d.host_id = host and d.day = (now() at time zone 'Asia/Jakarta')::date
$$;

-- live_host_apply({host_id, agency_id, name, gender, sealed_id_number}) returns the row
create or replace function live_host_apply(input jsonb) returns jsonb language plpgsql as $$
declare
  host bigint := (input->>'host_id')::bigint;
  g live_agencies;
  a live_host_applications;
begin
  select * into g from live_agencies where id = (input->>'agency_id')::bigint and status = 'approved' for key share;
  if not found then
    perform app_error('not_found', 'Agency tidak ditemukan');
  elsif g.user_id = host then
    perform app_error('invalid_input', 'Tidak bisa mendaftar ke agency sendiri');
  end if;
  insert into live_host_applications (host_id, agency_id, name, gender, sealed_id_number)
  values (host, g.id, input->>'name', input->>'gender', input->>'sealed_id_number')
  on conflict (host_id) where status in ('pending', 'approved') and ended_at is null do nothing
  returning * into a;
  if a.id is null then
    perform app_error('conflict', 'Anda sudah terdaftar atau masih mengajukan ke sebuah agency');
  end if;
  return live_application_row(a);
end $$;

-- live_application_decide({application_id, owner_id, approve}) returns the row
create or replace function live_application_decide(input jsonb) returns jsonb language plpgsql as $$
declare
  a live_host_applications;
  approve boolean := (input->>'approve')::boolean;
begin
  select * into a from live_host_applications where id = (input->>'application_id')::bigint for update;
  if not found then
    perform live_require_agency_owner((input->>'owner_id')::bigint);
    perform app_error('not_found', 'Host application not found');
  end if;
  perform live_require_agency((input->>'owner_id')::bigint, a.agency_id);
  if a.ended_at is not null then
    perform app_error('conflict', 'Host application already withdrawn');
  elsif a.status <> 'pending' then
    perform app_error('conflict', 'Host application already ' || a.status);
  end if;
  update live_host_applications b set status = case when approve then 'approved' else 'rejected' end,
    decided_at = now(), approved_at = case when approve then now() end,
    income_before = case when approve then live_income_today(b.host_id) else 0 end
  where b.id = a.id returning b.* into a;
  return live_application_row(a);
end $$;

-- Returns only when the person owns some approved agency: others do not learn which numbers exist.
create or replace function live_require_agency_owner(owner bigint) returns void language plpgsql stable as $$
begin
  if not exists (select from live_agencies g where g.user_id = owner and g.status = 'approved') then
    perform app_error('forbidden', '');
  end if;
end $$;

-- live_membership_end({host_id, agency_id, reason}) returns the row or null
-- Ends what is open between a host and an agency (any agency when none is named): a membership with what he earned
-- until now, or an application that nobody has decided.
create or replace function live_membership_end(input jsonb) returns jsonb language plpgsql as $$
declare
  a live_host_applications;
begin
  update live_host_applications b set ended_at = now(), end_reason = input->>'reason',
    income_until_end = live_income_today(b.host_id)
  where b.host_id = (input->>'host_id')::bigint and b.status in ('pending', 'approved') and b.ended_at is null
    and (input->>'agency_id' is null or (b.agency_id = (input->>'agency_id')::bigint and b.status = 'approved'))
  returning b.* into a;
  if a.id is null then return null; end if;
  return live_application_row(a);
end $$;

-- What each host earned for an agency on the days from `since` on: his income of those days, without what he earned
-- before he joined on the first of them and after he left on the last. One line a host, however often he joined.
create or replace function live_agency_income(agency bigint, since date, until date)
returns table (host_id bigint, income bigint) language sql stable as $$
  with memberships as (
    select a.host_id, a.income_before, a.income_until_end, a.ended_at is not null as over,
      (a.approved_at at time zone 'Asia/Jakarta')::date as first_day,
      (a.ended_at at time zone 'Asia/Jakarta')::date as last_day
    from live_host_applications a
    where a.agency_id = agency and a.status = 'approved'
  ), days as (
    select m.host_id, d.day, m.over, m.first_day, m.last_day, m.income_before, m.income_until_end,
      sum(d.income) as earned
    from memberships m join live_host_days d on d.host_id = m.host_id
      and d.day between greatest(m.first_day, since) and least(m.last_day, until)
    group by m.host_id, d.day, m.over, m.first_day, m.last_day, m.income_before, m.income_until_end
  )
  select d.host_id, sum(case when d.over and d.day = d.last_day then least(d.income_until_end, d.earned) else d.earned end
    - case when d.day = d.first_day then d.income_before else 0 end)::bigint
  from days d group by d.host_id
$$;

-- The lives that count (`live_counts`) of an agency's hosts, which began while they were its members.
create or replace function live_agency_sessions(agency bigint, since timestamptz)
returns setof live_sessions language sql stable as $$
  select s.* from live_host_applications a
  join live_sessions s on s.host_id = a.host_id and s.start_time >= greatest(a.approved_at, since)
    and (a.ended_at is null or s.start_time < a.ended_at) and live_counts(s)
  where a.agency_id = agency and a.status = 'approved'
$$;
