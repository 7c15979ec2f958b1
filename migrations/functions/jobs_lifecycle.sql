-- The life of a job: queued -> running -> success | failed, with running -> queued (again later) and
-- running -> unknown (may have acted; asked about later). Guarantees, from any number of connections at once:
-- one lease at a time; only its holder records; what has ended never runs again and never changes.

-- What the caller's `wake` sends to the queue after the commit; a job of the future is woken when it is due.
create or replace function jobs_wake(job jobs) returns jsonb language sql stable as $$
  select jsonb_build_object('id', job.id, 'queue', job.queue, 'kind', job.kind, 'delay_seconds',
    greatest(0, ceil(extract(epoch from job.run_at - now())))::int)
$$;

-- A wake list of what jobs_enqueue and mail_enqueue returned, without the nulls:
-- jsonb_build_object('wake', jobs_wakes(mail_enqueue(...), jobs_enqueue(...))).
create or replace function jobs_wakes(variadic wakes jsonb[]) returns jsonb language sql immutable as $$
  select coalesce(jsonb_agg(w order by n), '[]') from unnest(wakes) with ordinality u(w, n) where w is not null
$$;

-- A job once per dedupe_key (null: always), in the transaction of its cause. Null when the key exists.
create or replace function jobs_enqueue(
  kind text, queue text, dedupe_key text, payload jsonb,
  run_at timestamptz default now(), max_attempts int default 20
) returns jsonb language plpgsql as $$
declare
  job jobs;
begin
  insert into jobs (kind, queue, dedupe_key, payload, run_at, max_attempts)
  values (jobs_enqueue.kind, jobs_enqueue.queue, jobs_enqueue.dedupe_key, coalesce(jobs_enqueue.payload, '{}'),
    coalesce(jobs_enqueue.run_at, now()), jobs_enqueue.max_attempts)
  on conflict on constraint jobs_dedupe_key_key do nothing
  returning * into job;
  if not found then return null; end if;
  return jobs_wake(job);
end $$;

-- The job with a new lease, or null when it is not due, somebody else holds it, or it has ended.
-- `state` is what it was: 'unknown' also after a lease that ran out, because its holder may have acted.
create or replace function jobs_claim(job_id uuid, lease_seconds int) returns jsonb language plpgsql as $$
declare
  was text;
  job jobs;
begin
  select j.state into was from jobs j
  where j.id = job_id and j.attempts < j.max_attempts and (
    (j.state in ('queued', 'unknown') and j.run_at <= now()) or (j.state = 'running' and j.lease_until < now()))
  for no key update;
  if not found then return null; end if;

  update jobs j set state = 'running', attempts = j.attempts + 1, lease_id = gen_random_uuid(),
    lease_until = now() + make_interval(secs => lease_seconds), updated_at = now()
  where j.id = job_id
  returning * into job;
  return jsonb_build_object('id', job.id, 'kind', job.kind, 'payload', job.payload, 'attempts', job.attempts,
    'lease_id', job.lease_id, 'created_at', job.created_at,
    'state', case was when 'queued' then 'queued' else 'unknown' end);
end $$;

-- 5 s, 10 s, 20 s … up to an hour, of which a random quarter is left out so that a crowd spreads.
create or replace function jobs_backoff(attempts int) returns interval language sql volatile as $$
  select make_interval(secs => least(3600, 5 * 2 ^ least(attempts - 1, 20)) * (1 - random() / 4))
$$;

-- Records what an attempt came to: {state: success|retry|failed|unknown, result?, error?, after_ms?, uncounted?,
-- alert_to?}. A retry or an unknown after the last attempt is a failure; one that `alert_to` should hear of is mailed to
-- it in the same transaction. An `uncounted` retry tried nothing and is no attempt. Returns {state, wake}, or null when
-- the lease is no longer this one.
create or replace function jobs_finish(job_id uuid, lease uuid, outcome jsonb) returns jsonb language plpgsql as $$
declare
  job jobs;
  next text;
begin
  select * into job from jobs j
  where j.id = job_id and j.state = 'running' and j.lease_id = lease for no key update;
  if not found then return null; end if;
  if outcome->>'state' = 'retry' and (outcome->>'uncounted')::boolean then
    job.attempts := job.attempts - 1;
  end if;

  next := case outcome->>'state'
    when 'success' then 'success'
    when 'failed' then 'failed'
    when 'retry' then case when job.attempts < job.max_attempts then 'queued' else 'failed' end
    when 'unknown' then case when job.attempts < job.max_attempts then 'unknown' else 'failed' end
  end;
  update jobs j set state = next, attempts = job.attempts, lease_id = null, lease_until = null,
    run_at = case when next not in ('queued', 'unknown') then least(j.run_at, now())
      -- jobs_hurry came while this attempt was under way.
      when j.run_at = 'infinity' then now()
      else now() + coalesce(
        make_interval(secs => (outcome->>'after_ms')::float8 / 1000), jobs_backoff(j.attempts)) end,
    finished_at = case when next in ('success', 'failed') then now() end,
    progress = case next when 'success' then 100 else j.progress end,
    result = outcome->'result', error = outcome->>'error', updated_at = now()
  where j.id = job_id
  returning * into job;

  return jsonb_build_object('state', next, 'wake', case
    when next in ('queued', 'unknown') then jobs_wakes(jobs_wake(job))
    when next = 'failed' then jobs_wakes(jobs_alert(job, outcome->>'alert_to'))
    else '[]' end);
end $$;

-- Mails the operator once that a job has failed for good. Not about mails: what cannot be sent cannot tell.
create or replace function jobs_alert(job jobs, recipient text) returns jsonb language plpgsql as $$
begin
  if job.kind = 'mail.send' then return null; end if;
  return mail_enqueue('alert', recipient, 'alert/job/' || job.id, jsonb_build_object(
    'what', 'Pekerjaan gagal: ' || job.kind,
    'facts', jsonb_build_object('id', job.id, 'percobaan', job.attempts, 'sebab', coalesce(job.error, '-'))));
end $$;

-- More time for the holder of the lease; false when it is no longer theirs.
create or replace function jobs_extend(job_id uuid, lease uuid, lease_seconds int)
returns boolean language plpgsql as $$
begin
  update jobs j set lease_until = now() + make_interval(secs => lease_seconds), updated_at = now()
  where j.id = job_id and j.state = 'running' and j.lease_id = lease;
  return found;
end $$;

-- How far the work is, never backwards; false when the lease is no longer theirs.
create or replace function jobs_progress(job_id uuid, lease uuid, percent int)
returns boolean language plpgsql as $$
begin
  update jobs j set progress = greatest(j.progress, least(percent, 100)), updated_at = now()
  where j.id = job_id and j.state = 'running' and j.lease_id = lease;
  return found;
end $$;

-- Ends a job that has not begun; false when it has.
create or replace function jobs_cancel(job_id uuid) returns boolean language plpgsql as $$
begin
  update jobs j set state = 'cancelled', finished_at = now(), updated_at = now()
  where j.id = job_id and j.state = 'queued';
  return found;
end $$;

-- For the minute cron. What is due and was not touched for 50 s (its wake-up was lost) and what has an expired
-- lease is woken again; touching the row makes the next run take others. Who crashed in the last attempt fails.
-- Returns {wake, failed: [{id, kind}]}.
create or replace function jobs_due(max_rows int, alert_to text default null)
returns jsonb language plpgsql as $$
declare
  due jobs;
  wakes jsonb[] := '{}';
  failed jsonb := '[]';
begin
  for due in
    select * from jobs j
    where ((j.state in ('queued', 'unknown') and j.run_at <= now()) or (j.state = 'running' and j.lease_until < now()))
      and j.updated_at < now() - interval '50 seconds'
    order by coalesce(j.lease_until, j.run_at)
    limit max_rows
    for no key update skip locked
  loop
    if due.attempts < due.max_attempts then
      update jobs j set updated_at = now() where j.id = due.id;
      wakes := wakes || jobs_wake(due);
    else
      update jobs j set state = 'failed', error = 'lease expired in the last attempt', lease_id = null,
        lease_until = null, finished_at = now(), updated_at = now()
      where j.id = due.id
      returning * into due;
      failed := failed || jsonb_build_object('id', due.id, 'kind', due.kind);
      wakes := wakes || jobs_alert(due, alert_to);
    end if;
  end loop;
  return jsonb_build_object('wake', jobs_wakes(variadic wakes), 'failed', failed);
end $$;
