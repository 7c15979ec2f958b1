-- {actor_kind, actor_id?, action, subject_kind, subject_id, outcome, reason?, before?, after?, request_id?, address?}
-- Writes one entry in the transaction of what it tells about: both are there or neither is.
create or replace function audit_write(input jsonb) returns bigint language plpgsql as $$
declare
  entry bigint;
begin
  insert into audit_entries (actor_kind, actor_id, action, subject_kind, subject_id, outcome, reason, before, after,
    request_id, address)
  values (coalesce(input->>'actor_kind', 'system'), (input->>'actor_id')::bigint, input->>'action',
    input->>'subject_kind', input->>'subject_id', coalesce(input->>'outcome', 'done'), left(input->>'reason', 500),
    nullif(input->'before', 'null'), nullif(input->'after', 'null'), (input->>'request_id')::uuid, input->>'address')
  returning id into entry;
  return entry;
end $$;

-- The same for a refusal, which undoes the transaction that it happened in and is therefore told about by itself:
-- the same refusal of the same actor counts once a minute, so that hammering at a door fills no table.
create or replace function audit_refused(input jsonb) returns bigint language plpgsql as $$
begin
  if exists (
    select from audit_entries e
    where e.subject_kind = input->>'subject_kind' and e.subject_id = input->>'subject_id'
      and e.action = input->>'action' and e.outcome = 'refused' and e.reason is not distinct from input->>'reason'
      and e.actor_id is not distinct from (input->>'actor_id')::bigint
      and e.created_at > now() - interval '1 minute'
  ) then
    return null;
  end if;
  return audit_write(input || '{"outcome": "refused"}');
end $$;
