-- What the end of a command about backups means to their rows, in the transaction that records it, once.

create or replace function panel_effect_backup(job jsonb, outcome jsonb) returns jsonb language plpgsql as $$
declare
  ok boolean := (outcome->>'ok')::bool;
begin
  case job->>'command'
    when 'backup.run' then return panel_backup_ran(job, outcome);
    when 'backup.prove' then perform panel_backup_proven(job, outcome);
    when 'backup.restore' then perform panel_backup_restored(job, outcome);
    when 'backup.upload' then
      -- Read back, it was not what was sent (the agent's own words): sent anew, it takes that one's place.
      if outcome->>'error_code' = 'integrity' and outcome->>'error' = 'what R2 holds differs from what was sent' then
        update panel_backups b set r2_state = 'none', r2_upload_id = null, r2_part_bytes = null, updated_at = now()
        where b.id = (job->'input'->>'backupId')::uuid and b.r2_state = 'complete';
      end if;
    when 'backup.remove' then
      if ok then
        delete from panel_backups b where b.server_id = job->>'server_id' and b.state = 'removing'
          and b.r2_state = 'none' and b.name in (select jsonb_array_elements_text(outcome->'value'->'removed'));
      end if;
    when 'backup.list' then
      if ok then perform panel_backups_told(job->>'server_id', panel_backups_left(job, outcome->'value')); end if;
    else null;
  end case;
  return null;
end $$;

-- A new backup is proven soon, and goes to R2 where the policy wants that. Both are commands of their own, so the caller
-- of the first does not wait for them.
create or replace function panel_backup_ran(job jsonb, outcome jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups;
  f jsonb := outcome->'value';
  wakes jsonb;
begin
  select * into b from panel_backups x where x.id = (job->'input'->>'backupId')::uuid for no key update;
  if not found or b.state <> 'making' then return null; end if;
  if not (outcome->>'ok')::bool then
    update panel_backups x set state = 'failed', error = outcome->>'error', updated_at = now() where x.id = b.id;
    return null;
  end if;
  update panel_backups x set state = 'stored', file = f->>'file', bytes = (f->>'bytes')::bigint,
    plain_bytes = (f->>'plainBytes')::bigint, sha256 = f->>'sha256', manifest_sha256 = f->>'manifestSha256',
    counts = f->'counts', notes = f->'notes', updated_at = now()
  where x.id = b.id returning * into b;
  wakes := jobs_wakes(panel_backup_prove_command(b, null)->'wake');
  if (panel_backup_policy(b.server_id)).to_r2 then
    wakes := wakes || jobs_wakes(panel_backup_upload_command(b)->'wake');
  end if;
  return wakes;
end $$;

-- What a proof found. Damage is told at once; a proof that could not be made (no space, a tool) is tried again. The moment
-- is the server's word as far as its clock can be right: not before the proof was asked for, and not in the future.
create or replace function panel_backup_proven(job jsonb, outcome jsonb) returns void language plpgsql as $$
begin
  if (outcome->>'ok')::bool then
    update panel_backups b set last_proven_at = least(now(), greatest((outcome->'value'->>'provenAt')::timestamptz,
        (select p.created_at from panel_jobs p where p.job_id = (job->>'job_id')::uuid))),
      restore_ms = (outcome->'value'->>'restoreMs')::bigint, prove_error = null, is_unproven = false,
      on_disk = true, updated_at = now()
    where b.id = (job->'input'->>'backupId')::uuid;
  else
    update panel_backups b set prove_error = outcome->>'error', updated_at = now(),
      is_unproven = b.is_unproven or outcome->>'error_code' in ('integrity', 'not_found', 'version'),
      on_disk = b.on_disk and outcome->>'error_code' <> 'not_found'
    where b.id = (job->'input'->>'backupId')::uuid;
  end if;
end $$;

-- Whether a restore that its agent calls done can be: the panel's own rows came back only if the panel put them back.
create or replace function panel_backup_is_restored(input jsonb) returns boolean language sql stable as $$
  select not exists (
    select from panel_backup_restores r join panel_backups b on b.id = r.backup_id
    where r.id = (input->>'restoreId')::uuid and b.kind = 'state' and r.applied_at is null)
$$;

-- A restore is kept in the trail with what it came to; one that found damage says so of its backup.
create or replace function panel_backup_restored(job jsonb, outcome jsonb) returns void language plpgsql as $$
declare
  ok boolean := (outcome->>'ok')::bool;
begin
  perform audit_write(jsonb_build_object('actor_kind', 'system', 'action', 'backup.restored',
    'subject_kind', 'panel_backup', 'subject_id', job->'payload'->>'file', 'outcome', case when ok then 'done' else 'refused' end,
    'reason', outcome->>'error_code', 'after', jsonb_build_object('job_id', job->>'id',
      'restore_ms', outcome->'value'->'restoreMs')));
  if not ok and outcome->>'error_code' in ('integrity', 'version') then
    update panel_backups b set prove_error = outcome->>'error', is_unproven = true, updated_at = now()
    where b.id = (job->'input'->>'backupId')::uuid and not exists (
      select from panel_backups x where x.id = b.id and x.last_proven_at > now() - interval '1 hour');
  end if;
end $$;

-- What a list holds without what was removed, and written down, since it was asked for: the server may have looked before.
create or replace function panel_backups_left(job jsonb, told jsonb) returns jsonb language sql stable as $$
  select told || jsonb_build_object('items', (
    select coalesce(jsonb_agg(i order by n), '[]') from jsonb_array_elements(told->'items') with ordinality u(i, n)
    where not exists (
      select from panel_jobs p, panel_jobs l
      where l.job_id = (job->>'job_id')::uuid and p.server_id = l.server_id and p.command = 'backup.remove'
        and p.finished_at >= l.created_at and p.value->'removed' ? (i->>'name'))))
$$;

-- {dir, items, unreadable}: what lies in a server's folder. What it has and nobody knows is taken up (a panel that was
-- made anew finds its backups); what is known and is not there says so, where an answer that left out the oldest
-- (`complete: false`, or as many as it may hold) reaches back as far. Rows of the panel are taken up as a claim, which
-- panel_backups_signed ends.
create or replace function panel_backups_told(server text, told jsonb) returns void language plpgsql as $$
declare
  f jsonb;
begin
  for f in select i from jsonb_array_elements(told->'items') i loop
    insert into panel_backups as b (id, server_id, name, kind, subject, state, origin, file, bytes, plain_bytes, sha256,
      manifest_sha256, counts, notes, state_claim, created_at)
    values ((f->>'backupId')::uuid, server, f->>'name', f->>'kind', f->>'subject', 'stored', 'found', f->>'file',
      (f->>'bytes')::bigint, (f->>'plainBytes')::bigint, f->>'sha256', f->>'manifestSha256', f->'counts', f->'notes',
      (f->>'plainSha256') || '.' || (f->>'stateSignature'), (f->>'createdAt')::timestamptz)
    on conflict do nothing;
  end loop;
  update panel_backups b set on_disk = known.is_there, updated_at = now()
  from (
    select x.id, exists (select from jsonb_array_elements(told->'items') i where i->>'name' = x.name) as is_there
    from panel_backups x where x.server_id = server and x.state = 'stored'
  ) known
  where b.id = known.id and b.on_disk <> known.is_there
    and (known.is_there
      or jsonb_array_length(told->'items') < 500 and told->>'complete' is distinct from 'false'
      or b.created_at > (select min((i->>'createdAt')::timestamptz) from jsonb_array_elements(told->'items') i));
end $$;

-- {server_id, backups: [{id, sha256}]}: of these the panel has checked its own signature.
create or replace function panel_backups_signed(input jsonb) returns jsonb language plpgsql as $$
begin
  update panel_backups b set state_sha256 = s->>'sha256', state_claim = null, updated_at = now()
  from jsonb_array_elements(input->'backups') s
  where b.id = (s->>'id')::uuid and b.server_id = input->>'server_id' and b.state_sha256 is null
    and starts_with(b.state_claim, (s->>'sha256') || '.');
  return '{}';
end $$;
