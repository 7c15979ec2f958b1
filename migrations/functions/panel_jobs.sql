-- Commands for servers. Guarantees, from any number of connections at once: commands of one subject have their order
-- from the moment they are made and begin in it; a command ends once, and what its end means to its subject is written
-- in the same transaction; nothing that was heard later changes it.

-- The server that a call means: {server?}; without it the default one.
create or replace function panel_server_of(input jsonb) returns panel_servers language plpgsql stable as $$
declare
  server panel_servers;
begin
  select * into server from panel_servers s
  where case when input->>'server' is null then s.is_default else s.id = input->>'server' end;
  if not found then perform app_error('not_found', 'server not found'); end if;
  return server;
end $$;

-- The same, which nobody forgets until this transaction has ended: one that is being forgotten is not found.
create or replace function panel_server_held(input jsonb) returns panel_servers language plpgsql as $$
declare
  server panel_servers := panel_server_of(input);
begin
  perform from panel_servers s where s.id = server.id for key share;
  if not found then perform app_error('not_found', 'server not found'); end if;
  return server;
end $$;

-- {id, server?, subject, type, command, payload, input, sealed?, effect?, triggered_by?, deadline_ms}
-- -> {job_id, id, server_id, wake}. In the transaction of its cause.
create or replace function panel_start_command(input jsonb) returns jsonb language plpgsql as $$
declare
  server panel_servers := panel_server_held(input);
  wake jsonb;
begin
  -- Makers of one subject's commands come one after another, so that none commits behind a later one.
  perform pg_advisory_xact_lock(hashtextextended('panel_command/' || server.id || '/' || (input->>'subject'), 0));
  wake := jobs_enqueue('panel.command', 'provisioning', null, jsonb_build_object('panel_job', input->>'id'),
    null, 5000);
  insert into panel_jobs (job_id, id, server_id, subject, type, command, payload, input, sealed_input, effect,
    triggered_by, deadline_at)
  values ((wake->>'id')::uuid, input->>'id', server.id, input->>'subject', input->>'type', input->>'command',
    coalesce(input->'payload', '{}'), coalesce(input->'input', '{}'), input->>'sealed', input->>'effect',
    (input->>'triggered_by')::bigint, now() + make_interval(secs => (input->>'deadline_ms')::float8 / 1000));
  return jsonb_build_object('job_id', wake->>'id', 'id', input->>'id', 'server_id', server.id, 'wake', wake);
end $$;

-- The command, locked behind its site: whoever locks both takes them in this order.
create or replace function panel_locked_command(job uuid) returns panel_jobs language plpgsql as $$
declare
  j panel_jobs;
begin
  perform from panel_sites s
  where s.id = (select substr(p.subject, 6) from panel_jobs p where p.job_id = job and starts_with(p.subject, 'site/'))
  for no key update;
  select * into j from panel_jobs p where p.job_id = job for no key update;
  return j;
end $$;

-- What the holder of a job's lease is to do: {state: yours, …the command, late} | {state: behind} an earlier one of its
-- subject | {state: ended, outcome, error_code}. `late`: its time is up, whoever still has it.
create or replace function panel_command_begin(job uuid) returns jsonb language plpgsql as $$
declare
  j panel_jobs;
begin
  select * into j from panel_jobs p where p.job_id = job for no key update;
  if not found then return '{"state": "gone"}'; end if;
  if j.outcome is not null then
    return jsonb_build_object('state', 'ended', 'server_id', j.server_id, 'outcome', j.outcome,
      'error_code', j.error_code, 'error', j.error);
  end if;
  if exists (
    select from panel_jobs p
    where p.server_id = j.server_id and p.subject = j.subject and p.outcome is null and p.seq < j.seq
  ) then
    return '{"state": "behind"}';
  end if;
  if j.submitted_at is null and now() <= j.deadline_at then
    update panel_jobs p set submitted_at = now() where p.job_id = job;
  end if;
  return jsonb_build_object('state', 'yours', 'id', j.id, 'server_id', j.server_id, 'seq', j.seq, 'subject', j.subject,
    'command', j.command, 'input', j.input, 'sealed', j.sealed_input, 'deadline_at', j.deadline_at,
    'never_sent', j.submitted_at is null and now() > j.deadline_at,
    'late', now() > j.deadline_at + interval '2 minutes');
end $$;

-- The agent works on it: percent and lines as it tells them. Progress never goes back, the last 200 lines are kept,
-- and a job that has ended stays as it ended.
create or replace function panel_job_progress(job uuid, percent float8, told jsonb) returns void
language sql as $$
  update panel_jobs p set started_at = coalesce(p.started_at, now()),
    progress = greatest(p.progress, least(round(percent)::int, 99)),
    lines = case when jsonb_array_length(coalesce(told, '[]')) = 0 then p.lines else (
      select jsonb_agg(l.line order by l.n) from (
        select line, n from jsonb_array_elements(p.lines || (
          select jsonb_agg(jsonb_build_object('at', panel_time(now()), 'text', left(t.line, 300)) order by t.n)
          from jsonb_array_elements_text(told) with ordinality t(line, n))) with ordinality k(line, n)
        order by n desc limit 200) l) end
  where p.job_id = job and p.outcome is null
$$;

-- {job_id, ok, value?, error_code?, error?} -> {state: success | failed, wakes}. The first end that is told counts;
-- told again it is answered with what it was. Wakes the command behind it.
create or replace function panel_record_command(input jsonb) returns jsonb language plpgsql as $$
declare
  j panel_jobs;
  ok boolean;
  told jsonb;
  next uuid;
  wakes jsonb := '[]';
  woken jsonb;
begin
  j := panel_locked_command((input->>'job_id')::uuid);
  if j.job_id is null then return '{"state": "gone", "wakes": []}'; end if;
  if j.outcome is not null then return jsonb_build_object('state', j.outcome, 'wakes', wakes); end if;

  ok := (input->>'ok')::bool;
  told := input;
  if ok and j.command = 'backup.restore' and not panel_backup_is_restored(j.input) then
    ok := false;
    told := '{"error_code": "tool_failed", "error": "the server did not put the state back"}';
  end if;
  update panel_jobs p set outcome = case when ok then 'success' else 'failed' end,
    value = nullif(told->'value', 'null'), error_code = told->>'error_code',
    error = case when not ok then coalesce(left(told->>'error', 500), 'failed') end,
    progress = case when ok then 100 else p.progress end,
    started_at = coalesce(p.started_at, case when ok then now() end),
    finished_at = now(), sealed_input = null
  where p.job_id = j.job_id
  returning * into j;

  if j.effect is not null then
    execute format('select %I($1, $2)', 'panel_effect_' || j.effect) into woken using
      jsonb_build_object('job_id', j.job_id, 'id', j.id, 'server_id', j.server_id, 'subject', j.subject,
        'command', j.command, 'payload', j.payload, 'input', j.input, 'triggered_by', j.triggered_by),
      jsonb_build_object('ok', j.outcome = 'success', 'value', j.value, 'error_code', j.error_code, 'error', j.error);
    wakes := wakes || coalesce(nullif(woken, 'null'), '[]');
  end if;
  if j.outcome = 'failed' then
    perform audit_write(jsonb_build_object('actor_kind', 'system', 'action', 'job.failed',
      'subject_kind', 'panel_job', 'subject_id', j.id,
      'after', jsonb_build_object('type', j.type, 'code', j.error_code, 'subject', j.subject)));
  end if;

  select p.job_id into next from panel_jobs p
  where p.server_id = j.server_id and p.subject = j.subject and p.outcome is null order by p.seq limit 1;
  return jsonb_build_object('state', j.outcome, 'wakes', wakes || jobs_wakes(jobs_hurry(next)));
end $$;

-- Ends a job that no server has begun: {id, sure, audit} -> {state: cancelled, wakes} | {state: ask, server_id,
-- job_id} when its server's link has it, which alone knows whether it was sent; `sure` says that the link let it go.
create or replace function panel_cancel_command(input jsonb) returns jsonb language plpgsql as $$
declare
  j panel_jobs;
begin
  j := panel_locked_command((select p.job_id from panel_jobs p where p.id = panel_cancel_command.input->>'id'));
  if j.job_id is null then perform app_error('not_found', 'job not found'); end if;
  if j.outcome is not null and not ((input->>'sure')::bool and j.error_code = 'cancelled') then
    perform app_error('conflict', 'job is already finished');
  end if;
  if j.started_at is not null then perform app_error('conflict', 'job is already running'); end if;
  if j.submitted_at is not null and not (input->>'sure')::bool then
    return jsonb_build_object('state', 'ask', 'server_id', j.server_id, 'job_id', j.job_id);
  end if;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'job.cancel', 'subject_kind', 'panel_job',
    'subject_id', j.id, 'after', jsonb_build_object('type', j.type, 'subject', j.subject)));
  return panel_end_cancelled(j.job_id);
end $$;

create or replace function panel_end_cancelled(job uuid) returns jsonb language plpgsql as $$
declare
  recorded jsonb;
begin
  recorded := panel_record_command(jsonb_build_object('job_id', job, 'ok', false, 'error_code', 'cancelled',
    'error', 'cancelled'));
  perform jobs_cancel(job);
  return jsonb_build_object('state', 'cancelled', 'wakes', recorded->'wakes');
end $$;

-- For the minute cron: ends what no attempt will end any more, because its time is long up or its job has ended
-- without it. -> {wakes, ended: [{server_id, job_id}]}
create or replace function panel_end_overdue(max_rows int) returns jsonb language plpgsql as $$
declare
  lost record;
  wakes jsonb := '[]';
  ended jsonb := '[]';
begin
  for lost in
    select p.job_id, p.server_id from panel_jobs p join jobs j on j.id = p.job_id
    where p.outcome is null and (p.deadline_at < now() - interval '5 minutes'
      or j.state in ('failed', 'cancelled', 'success') and j.finished_at < now() - interval '1 minute')
    order by p.deadline_at limit max_rows
  loop
    wakes := wakes || (panel_record_command(jsonb_build_object('job_id', lost.job_id, 'ok', false,
      'error_code', 'timeout', 'error', 'the server did not answer in time'))->'wakes');
    ended := ended || jsonb_build_object('server_id', lost.server_id, 'job_id', lost.job_id);
  end loop;
  return jsonb_build_object('wakes', wakes, 'ended', ended);
end $$;
