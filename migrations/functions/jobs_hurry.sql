-- Makes a waiting job due now, because what it waits for is there. Returns its wake, or null: it has ended, or it is
-- being worked on by an attempt that may have looked too early; that one comes again at once (jobs_finish).
create or replace function jobs_hurry(job_id uuid) returns jsonb language plpgsql as $$
declare
  job jobs;
begin
  update jobs j set run_at = case when j.state = 'running' then 'infinity' else least(j.run_at, now()) end,
    updated_at = now()
  where j.id = job_id and j.state in ('queued', 'unknown', 'running')
  returning * into job;
  if not found or job.state = 'running' then return null; end if;
  return jobs_wake(job);
end $$;
