-- Salaries. Guarantees: a host has one request a week that is open or paid; its lives and minutes are the server's; it is
-- decided once, by the owner of the agency that it was made to; an approval moves the coins in the same transaction,
-- from the owner's wallet to the host's, or changes nothing.

create or replace function live_salary_row(r live_salary_requests) returns jsonb language sql stable as $$
  select jsonb_build_object('id', r.id, 'host_id', r.host_id, 'agency_id', r.agency_id, 'year', r.iso_year,
    'week_number', r.week_number, 'salary_amount', r.salary_amount, 'total_lives', r.total_lives,
    'total_minutes', r.total_minutes, 'status', r.status, 'created_at', r.created_at, 'approved_at', r.approved_at)
$$;

-- live_salary_ask({host_id, year, week_number, salary_amount, claim}) returns the row
-- Without a week it is the current one. Lives and minutes are those of sessions that have ended and count (`live_counts`),
-- began in that week of Jakarta, and since the host is a member.
create or replace function live_salary_ask(input jsonb) returns jsonb language plpgsql as $$
declare
  today date := (now() at time zone 'Asia/Jakarta')::date;
  week int := coalesce((input->>'week_number')::int, extract(week from today)::int);
  year int := coalesce((input->>'year')::int, extract(isoyear from today)::int);
  monday date := to_date(year || '-' || week, 'IYYY-IW');
  since timestamptz := monday::timestamp at time zone 'Asia/Jakarta';
  earlier text := http_claim_of(input->'claim', 'live.salary', '');
  a live_host_applications;
  r live_salary_requests;
begin
  if earlier is not null then
    select * into r from live_salary_requests q where q.id = earlier::bigint;
    return live_salary_row(r);
  end if;
  if (extract(isoyear from monday), extract(week from monday)) is distinct from (year::numeric, week::numeric) then
    perform app_error('invalid_input', 'There is no such week in that year');
  elsif monday > today then
    perform app_error('invalid_input', 'The week has not begun');
  end if;
  select * into a from live_host_applications
    where host_id = (input->>'host_id')::bigint and status = 'approved' and ended_at is null for key share;
  if not found then
    perform app_error('forbidden', 'You are not a host of an agency');
  elsif a.approved_at >= since + interval '7 days' then
    perform app_error('invalid_input', 'You joined the agency after that week');
  end if;
  insert into live_salary_requests (host_id, agency_id, iso_year, week_number, salary_amount, total_lives, total_minutes)
  select a.host_id, a.agency_id, year, week, (input->>'salary_amount')::bigint,
    count(*), coalesce(sum(s.duration_seconds), 0) / 60
  from live_sessions s
  where s.host_id = a.host_id and s.end_time is not null and live_counts(s)
    and s.start_time >= greatest(since, a.approved_at) and s.start_time < since + interval '7 days'
  on conflict (host_id, iso_year, week_number) where status <> 'rejected' do nothing
  returning * into r;
  if r.id is null then
    perform app_error('conflict', 'Salary for that week has already been requested');
  end if;
  update http_idempotency_keys k set subject_id = r.id::text
  where k.user_id = a.host_id and k.key = input->'claim'->>'key';
  return live_salary_row(r);
end $$;

-- live_salary_decide({request_id, owner_id, approve, claim}) returns the row
-- Rivals wait for the request's row: the second finds it decided. Too few coins undo everything, so it stays pending.
create or replace function live_salary_decide(input jsonb) returns jsonb language plpgsql as $$
declare
  owner bigint := (input->>'owner_id')::bigint;
  approve boolean := (input->>'approve')::boolean;
  earlier text := http_claim_of(input->'claim', 'live.salary.decide', input->>'request_id');
  r live_salary_requests;
  moved bigint;
begin
  select * into r from live_salary_requests where id = (input->>'request_id')::bigint for update;
  if not found then
    perform live_require_agency_owner(owner);
    perform app_error('not_found', 'Salary request not found');
  end if;
  perform live_require_agency(owner, r.agency_id);
  if earlier is not null then
    return live_salary_row(r);
  elsif r.status <> 'pending' then
    perform app_error('conflict', 'Salary request already ' || r.status);
  end if;
  if approve then
    moved := ledger_transfer('live-salary/' || r.id, 'wallet', owner::text, 'wallet', r.host_id::text,
      r.salary_amount, 'Gaji minggu ' || r.week_number || '/' || r.iso_year, 'COIN');
  end if;
  update live_salary_requests q set status = case when approve then 'approved' else 'rejected' end,
    decided_at = now(), approved_at = now(), ledger_transfer_id = moved
  where q.id = r.id returning q.* into r;
  return live_salary_row(r);
end $$;
