-- What is wrong with a server's backups now, one for each kind and subject: [{subject, facts}]. Wrong is a backup that is
-- unproven, one whose last two tries both failed, and (of what the schedule surely has: the state and the active sites)
-- one of which none that was made in the policy's `unproven_days` is proven.
create or replace function panel_backups_wrong(server text) returns jsonb language plpgsql stable as $$
declare
  p panel_backup_policies := panel_backup_policy(server);
  term interval := make_interval(days => p.unproven_days);
  since timestamptz;
begin
  select greatest(s.enrolled_at, p.updated_at) into since from panel_servers s where s.id = server;
  return coalesce((
    with ended as (
      select b.kind, b.subject, b.state, b.error,
        row_number() over (partition by b.kind, b.subject order by b.created_at desc, b.id desc) as n
      from panel_backups b where b.server_id = server and b.state <> 'making'
    ), wanted as (
      select 'state' as kind, '' as subject where p.enabled and p.state and since < now() - term
      union all
      select 'site', s.domain from panel_sites s
      where s.server_id = server and s.status = 'active' and p.enabled and p.sites
        and greatest(since, s.created_at) < now() - term
    ), wrong as (
      select b.kind, b.subject, null as error from panel_backups b where b.server_id = server and b.is_unproven
      union all
      select e.kind, e.subject, max(e.error) filter (where e.n = 1) from ended e
      where e.n <= 2 and e.state = 'failed' group by e.kind, e.subject having count(*) = 2
      union all
      select w.kind, w.subject, null from wanted w
      where not exists (
        select from panel_backups b where b.server_id = server and b.kind = w.kind and b.subject = w.subject
          and b.created_at > now() - term and b.last_proven_at is not null)
    )
    select jsonb_agg(jsonb_build_object('subject', x.kind || ' ' || x.subject, 'facts', jsonb_strip_nulls(
      jsonb_build_object('galat terakhir', x.error, 'terakhir terbukti', coalesce((
        select panel_time(max(b.last_proven_at)) from panel_backups b
        where b.server_id = server and b.kind = x.kind and b.subject = x.subject), 'belum pernah')))))
    from (select w.kind, w.subject, max(w.error) as error from wrong w group by w.kind, w.subject) x), '[]');
end $$;
