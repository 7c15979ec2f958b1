-- A refused call of the panel: audit_refused's input. Each is an entry of its own; beyond fifty a minute of the same
-- actor, action and reason (for callers whom nobody knows: of all of them) they are counted as `times` on the last
-- entry, of the same target where there is one, so that none is lost and hammering at a door fills no table.
create or replace function panel_refused(input jsonb) returns bigint language plpgsql as $$
declare
  who constant bigint := (input->>'actor_id')::bigint;
  recent bigint[];
begin
  perform pg_advisory_xact_lock(hashtextextended(
    concat_ws('/', 'panel_refused', coalesce(who, 0), input->>'action', input->>'reason'), 0));
  select array_agg(e.id order by e.subject_kind = input->>'subject_kind' and e.subject_id = input->>'subject_id' desc,
    e.id desc) into recent
  from (
    select x.id, x.actor_id, x.action, x.reason, x.outcome, x.subject_kind, x.subject_id, x.created_at
    from audit_entries x where left(x.subject_kind, 6) = 'panel_' order by x.id desc limit 2000
  ) e
  where e.outcome = 'refused' and e.action = input->>'action' and e.reason is not distinct from input->>'reason'
    and e.actor_id is not distinct from who and e.created_at > now() - interval '1 minute';
  if coalesce(cardinality(recent), 0) < 50 then return audit_write(input || '{"outcome": "refused"}'); end if;
  update audit_entries e set after = coalesce(e.after, '{}')
    || jsonb_build_object('times', coalesce((e.after->>'times')::int, 1) + 1)
  where e.id = recent[1];
  return recent[1];
end $$;
