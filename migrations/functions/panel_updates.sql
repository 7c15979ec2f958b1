-- Updates of agents. Guarantee: one at a time for a server, and a pause between two, whoever asks and however many at
-- once; the command carries the newest release there is, with its signature as it was made.

-- {version, rank, commit, manifest, signature, size, built_at, created_by} -> {made}. A version is given out once: the
-- same manifest again changes nothing, another one under its name is refused.
create or replace function panel_release_add(input jsonb) returns jsonb language plpgsql as $$
declare
  there text;
begin
  insert into panel_releases (version, rank, commit, manifest, signature, size, built_at, created_by)
  values (input->>'version', input->>'rank', input->>'commit', input->>'manifest', input->>'signature',
    (input->>'size')::int, (input->>'built_at')::timestamptz, (input->>'created_by')::bigint)
  on conflict (version) do nothing;
  if found then return '{"made": true}'; end if;
  select r.manifest into there from panel_releases r where r.version = input->>'version';
  if there <> input->>'manifest' then perform app_error('conflict', 'release already exists'); end if;
  return '{"made": false}';
end $$;

-- The last update of a server as `systemctl show` would tell of its unit, in the contract's words.
create or replace function panel_update_status(server text, unit text) returns jsonb language plpgsql stable as $$
declare
  u record;
begin
  select p.outcome, p.error, p.lines, p.created_at, p.started_at, p.finished_at, j.state, d.version into u
  from panel_updates d left join panel_jobs p on p.job_id = d.job_id left join jobs j on j.id = d.job_id
  where d.server_id = server order by d.started_at desc limit 1;
  if not found then
    return jsonb_build_object('unit', unit, 'exists', false, 'running', false, 'active_state', 'inactive',
      'sub_state', 'dead', 'result', 'success', 'exec_main_status', 0, 'state_change_timestamp', '',
      'success', false, 'failed', false, 'last_checked_at', panel_time(now()), 'logs', '[]'::jsonb);
  end if;
  u.outcome := case when u.outcome is not null then u.outcome
    when u.state is null or u.state in ('success', 'failed', 'cancelled') then 'failed' end;
  return jsonb_build_object('unit', unit, 'exists', true, 'version', u.version,
    'running', u.outcome is null, 'success', coalesce(u.outcome = 'success', false),
    'failed', coalesce(u.outcome = 'failed', false),
    'active_state', case when u.outcome is null then 'activating' when u.outcome = 'success' then 'inactive' else 'failed' end,
    'sub_state', case when u.outcome is null then 'start' when u.outcome = 'success' then 'dead' else 'failed' end,
    'result', case when u.outcome = 'failed' then 'exit-code' else 'success' end,
    'exec_main_status', case when u.outcome = 'failed' then 1 else 0 end,
    'state_change_timestamp', coalesce(panel_time(coalesce(u.finished_at, u.started_at, u.created_at)), ''),
    'last_checked_at', panel_time(now()),
    'logs', (select coalesce(jsonb_agg(l.line->>'text' order by l.n), '[]') from (
      select line, n from jsonb_array_elements(coalesce(u.lines, '[]')) with ordinality k(line, n)
      order by n desc limit 79) l)
      || case when u.error is null then '[]'::jsonb else jsonb_build_array(u.error) end);
end $$;

-- {server?, unit, cooldown_seconds, command, started_by} -> {job, started_at, release, server_id, status}. Refused with
-- `update_status` beside the words while one is running, too soon after the last, and where there is no release.
create or replace function panel_update_start(input jsonb) returns jsonb language plpgsql as $$
declare
  server constant text := (panel_server_of(input)).id;
  last timestamptz;
  release panel_releases;
  status jsonb;
  wait int;
  attempt constant uuid := gen_random_uuid();
  job jsonb;
begin
  perform from panel_servers s where s.id = server for no key update;
  status := panel_update_status(server, input->>'unit');
  if (status->>'running')::bool then
    perform app_error('conflict', 'panel update is already running', jsonb_build_object('update_status', status));
  end if;
  select max(d.started_at) into last from panel_updates d where d.server_id = server;
  wait := ceil(extract(epoch from last + make_interval(secs => (input->>'cooldown_seconds')::int) - now()));
  if wait > 0 then
    perform app_error('rate_limited', 'panel updater cooldown is active: wait ' || wait || 's',
      jsonb_build_object('update_status', status, 'retry_after', wait));
  end if;
  select * into release from panel_releases r order by r.rank desc limit 1;
  if not found then
    perform app_error('invalid_input', 'panel updater is disabled', jsonb_build_object('update_status', status));
  end if;
  job := panel_start_command(input->'command' || jsonb_build_object('server', server,
    'payload', jsonb_build_object('version', release.version, 'commit', release.commit),
    'input', jsonb_build_object('attempt', attempt,
      'release', jsonb_build_object('manifest', release.manifest, 'signature', release.signature))));
  insert into panel_updates (id, server_id, version, job_id, started_by)
  values (attempt, server, release.version, (job->>'job_id')::uuid, (input->>'started_by')::bigint);
  perform audit_write(input->'audit' || jsonb_build_object('action', 'panel.update.start',
    'subject_kind', 'panel_server', 'subject_id', server,
    'after', jsonb_build_object('version', release.version, 'commit', release.commit, 'job_id', job->>'id')));
  return jsonb_build_object('job', job, 'version', release.version, 'started_at', panel_time(now()));
end $$;

-- Called where an update's end is recorded: how it went is part of the trail, forged and withdrawn releases too.
create or replace function panel_effect_update(job jsonb, outcome jsonb) returns jsonb language plpgsql as $$
begin
  perform audit_write(jsonb_build_object('actor_kind', 'system',
    'action', case when (outcome->>'ok')::bool then 'panel.update.success' else 'panel.update.failed' end,
    'subject_kind', 'panel_server', 'subject_id', job->>'server_id',
    'after', (job->'payload') || jsonb_strip_nulls(jsonb_build_object('job_id', job->>'id',
      'code', outcome->>'error_code', 'error', outcome->>'error'))));
  return null;
end $$;
