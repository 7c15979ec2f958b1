-- Which backups are made, proven, sent and let go, by each server's policy. Run every minute; runs may overlap.

-- Whether its agent is there to do it. Of one that is away the operator has been told once; orders that nobody takes would
-- only end one by one and be mailed one by one. What is due is ordered when it comes back.
create or replace function panel_backups_can(server text) returns boolean language sql stable as $$
  select exists (select from panel_servers s where s.id = server and s.seen_at > now() - interval '5 minutes')
$$;

create or replace function panel_backup_policy_view(server text) returns jsonb language plpgsql stable as $$
declare
  p panel_backup_policies := panel_backup_policy(server);
begin
  return jsonb_build_object('server_id', server, 'enabled', p.enabled, 'state', p.state, 'sites', p.sites,
    'databases', p.databases, 'hour', p.hour, 'keep_daily', p.keep_daily, 'keep_weekly', p.keep_weekly,
    'keep_monthly', p.keep_monthly, 'to_r2', p.to_r2, 'prove_days', p.prove_days, 'unproven_days', p.unproven_days);
end $$;

-- {server?} -> the policy
create or replace function panel_backup_policy_get(input jsonb) returns jsonb language plpgsql as $$
begin
  return panel_backup_policy_view((panel_server_of(input)).id);
end $$;

-- {server?, policy: {…}, audit} -> the policy. What is not given stays as it is.
create or replace function panel_backup_policy_put(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers := panel_server_of(input);
  p panel_backup_policies;
begin
  perform from panel_servers s where s.id = server.id for no key update;
  p := panel_backup_policy(server.id);
  p := jsonb_populate_record(p, input->'policy');
  if p.unproven_days <= p.prove_days then
    perform app_error('invalid_input', 'unproven_days must be more than prove_days');
  end if;
  insert into panel_backup_policies values (p.*)
  on conflict (server_id) do update set enabled = excluded.enabled, state = excluded.state, sites = excluded.sites,
    databases = excluded.databases, hour = excluded.hour, keep_daily = excluded.keep_daily,
    keep_weekly = excluded.keep_weekly, keep_monthly = excluded.keep_monthly, to_r2 = excluded.to_r2,
    prove_days = excluded.prove_days, unproven_days = excluded.unproven_days, updated_at = now();
  perform audit_write(input->'audit' || jsonb_build_object('action', 'backup.policy', 'subject_kind', 'panel_backup',
    'subject_id', server.id, 'after', input->'policy'));
  return panel_backup_policy_view(server.id);
end $$;

-- Servers whose daily backups are due, with what is left of today's: [{server_id, state, databases}].
create or replace function panel_backups_due(at timestamptz) returns jsonb language plpgsql stable as $$
declare
  today date := (at at time zone 'Asia/Jakarta')::date;
  this_hour int := extract(hour from at at time zone 'Asia/Jakarta');
begin
  return coalesce((
    select jsonb_agg(jsonb_build_object('server_id', s.id, 'databases', (panel_backup_policy(s.id)).databases
      and (panel_backup_policy(s.id)).databases_ran_on is distinct from today))
    from panel_servers s
    where panel_backups_can(s.id) and (panel_backup_policy(s.id)).enabled and this_hour >= (panel_backup_policy(s.id)).hour
      and ((panel_backup_policy(s.id)).ran_on is distinct from today
        or (panel_backup_policy(s.id)).databases and (panel_backup_policy(s.id)).databases_ran_on is distinct from today)
  ), '[]');
end $$;

-- {server_id, at, databases: [name] | null when its agent could not be asked} -> wakes. Each day's backups are ordered
-- once; databases as soon as the agent has named them.
create or replace function panel_backups_order(input jsonb) returns jsonb language plpgsql as $$
declare
  server text := input->>'server_id';
  today date := ((input->>'at')::timestamptz at time zone 'Asia/Jakarta')::date;
  p panel_backup_policies;
  wanted record;
  wakes jsonb := '[]';
begin
  perform from panel_servers s where s.id = server for no key update;
  p := panel_backup_policy(server);
  insert into panel_backup_policies values (p.*) on conflict do nothing;
  for wanted in
    select 'state' as kind, null as site, null as name where p.state and p.ran_on is distinct from today
    union all
    select 'site', s.id, null from panel_sites s
    where s.server_id = server and s.status = 'active' and p.sites and p.ran_on is distinct from today
    union all
    select 'database', null, d.value from jsonb_array_elements_text(
      case when jsonb_typeof(input->'databases') = 'array' then input->'databases' else '[]' end) d
    where p.databases and p.databases_ran_on is distinct from today
  loop
    wakes := wakes || jobs_wakes(panel_backup_start(jsonb_build_object('server', server, 'kind', wanted.kind,
      'site', wanted.site, 'database', wanted.name, 'origin', 'schedule'))->'job'->'wake');
  end loop;
  update panel_backup_policies x set ran_on = today, databases_ran_on =
    case when jsonb_typeof(input->'databases') = 'array' then today else x.databases_ran_on end
  where x.server_id = server;
  return wakes;
end $$;

-- Proofs and uploads that are due and not under way, some at a time a server -> wakes. Also keeps `is_unproven`.
create or replace function panel_backups_follow(at timestamptz, most int) returns jsonb language plpgsql as $$
declare
  b panel_backups;
  wakes jsonb := '[]';
begin
  for b in
    select x.* from panel_backups x
    where x.state = 'stored' and panel_backup_is_ours(x) and coalesce(x.last_proven_at, '-infinity') < at - make_interval(
        days => (panel_backup_policy(x.server_id)).prove_days)
      and panel_backups_can(x.server_id) and not panel_backup_is_tried(x.id, x.server_id, 'backup.prove', at)
    order by x.last_proven_at nulls first, x.created_at limit most
  loop
    wakes := wakes || jobs_wakes(panel_backup_prove_command(b, null)->'wake');
  end loop;
  for b in
    select x.* from panel_backups x
    where x.state = 'stored' and x.on_disk and x.r2_state <> 'verified' and panel_backup_is_ours(x) and (panel_backup_policy(x.server_id)).to_r2
      and panel_backups_can(x.server_id) and not panel_backup_is_tried(x.id, x.server_id, 'backup.upload', at)
    order by x.created_at limit most
  loop
    wakes := wakes || jobs_wakes(panel_backup_upload_command(b)->'wake');
  end loop;
  update panel_backups x set is_unproven = true, updated_at = now()
  where x.state = 'stored' and not x.is_unproven and panel_backup_is_ours(x) and coalesce(x.last_proven_at, x.created_at)
    < at - make_interval(days => (panel_backup_policy(x.server_id)).unproven_days);
  return wakes;
end $$;

-- Whether such a command about it is open, or ended less than an hour ago, or the server has enough of them open.
create or replace function panel_backup_is_tried(backup uuid, server text, command text, at timestamptz)
returns boolean language plpgsql stable as $$
begin
  return exists (
    select from panel_jobs p where p.server_id = server and p.command = panel_backup_is_tried.command
      and p.subject = 'backup-copies' and (p.outcome is null or p.finished_at > at - interval '1 hour')
      and p.input->>'backupId' = backup::text
  ) or 3 <= (
    select count(*) from panel_jobs p where p.server_id = server and p.subject = 'backup-copies' and p.outcome is null
      and p.command = panel_backup_is_tried.command);
end $$;

-- Which of a server's backups its policy lets go: of each kind and subject stay the newest of the last days, weeks and
-- months that have any, the newest of all, and the last one that was proven.
create or replace function panel_backups_to_let_go(server text) returns setof uuid language plpgsql stable as $$
declare
  p panel_backup_policies := panel_backup_policy(server);
begin
  return query
  with b as (
    select x.id, x.kind, x.subject, x.created_at, x.created_at at time zone 'Asia/Jakarta' as local,
      x.last_proven_at is not null and x.prove_error is null as proven
    from panel_backups x where x.server_id = server and x.state = 'stored' and panel_backup_is_ours(x)
  ), ranked as (
    select b.id,
      row_number() over (partition by b.kind, b.subject order by b.created_at desc) as newest,
      row_number() over (partition by b.kind, b.subject, b.proven order by b.created_at desc) as newest_alike, b.proven,
      row_number() over (partition by b.kind, b.subject, date_trunc('day', b.local) order by b.created_at desc) as in_day,
      dense_rank() over (partition by b.kind, b.subject order by date_trunc('day', b.local) desc) as day,
      row_number() over (partition by b.kind, b.subject, date_trunc('week', b.local) order by b.created_at desc) as in_week,
      dense_rank() over (partition by b.kind, b.subject order by date_trunc('week', b.local) desc) as week,
      row_number() over (partition by b.kind, b.subject, date_trunc('month', b.local) order by b.created_at desc) as in_month,
      dense_rank() over (partition by b.kind, b.subject order by date_trunc('month', b.local) desc) as month
    from b
  )
  select r.id from ranked r
  where not (r.newest = 1 or r.proven and r.newest_alike = 1 or r.in_day = 1 and r.day <= p.keep_daily
    or r.in_week = 1 and r.week <= p.keep_weekly or r.in_month = 1 and r.month <= p.keep_monthly);
end $$;

-- Marks what is to go, and answers what still lies in R2: [{id, upload_id}]. A backup that a command is about stays.
create or replace function panel_backups_mark(at timestamptz) returns jsonb language plpgsql as $$
begin
  update panel_backups b set state = 'removing', is_unproven = false, updated_at = now()
  where b.state = 'stored' and b.id in (
      select g from panel_servers s cross join lateral panel_backups_to_let_go(s.id) g)
    and not exists (select from panel_jobs p where p.server_id = b.server_id and p.outcome is null
      and p.effect = 'backup' and p.input->>'backupId' = b.id::text);
  delete from panel_backups b where b.state = 'failed' and b.updated_at < at - interval '7 days';
  return coalesce((
    select jsonb_agg(jsonb_build_object('id', b.id, 'server_id', b.server_id, 'upload_id', b.r2_upload_id))
    from panel_backups b where b.state = 'removing' and b.r2_state <> 'none'), '[]');
end $$;

-- Has each server remove what is left of marked ones on its disk -> wakes.
create or replace function panel_backups_remove(at timestamptz) returns jsonb language plpgsql as $$
declare
  gone record;
  wakes jsonb := '[]';
begin
  for gone in
    select b.server_id, (jsonb_agg(b.name order by b.created_at)) as names from (
      select x.*, row_number() over (partition by x.server_id order by x.created_at) as n
      from panel_backups x where x.state = 'removing' and x.r2_state = 'none') b
    where b.n <= 200 and panel_backups_can(b.server_id) and not exists (
      select from panel_jobs p where p.server_id = b.server_id and p.command = 'backup.remove'
        and (p.outcome is null or p.outcome = 'failed' and p.finished_at > at - interval '1 hour'))
    group by b.server_id
  loop
    wakes := wakes || jobs_wakes(panel_backup_command(jsonb_build_object('server', gone.server_id,
      'subject', 'backups', 'type', 'remove_backups', 'command', 'backup.remove', 'hours', 6,
      'payload', jsonb_build_object('files', jsonb_array_length(gone.names)),
      'input', jsonb_build_object('names', gone.names)))->'wake');
  end loop;
  return wakes;
end $$;
