-- Incidents of servers. Guarantee: one open incident for a server, kind and subject, however many tell of it at once;
-- a mail when it begins and one when it is over, each written in the transaction of the change itself.

-- Why an incident is over: 'well' only where that is seen, 'made' for a backup that was made again and is not proven yet,
-- 'gone' where what it was about is no longer watched: switched off, removed, or not on the server any more.
create or replace function panel_incident_over(i panel_incidents) returns text language plpgsql stable as $$
declare
  told jsonb;
  p panel_backup_policies;
begin
  if i.kind = 'silent' then return 'well'; end if;
  if i.kind = 'backup' then
    p := panel_backup_policy(i.server_id);
    return case
      when exists (select from panel_backups b where b.server_id = i.server_id and b.kind || ' ' || b.subject = i.subject
        and (b.last_proven_at >= i.opened_at
          or p.enabled and b.last_proven_at > now() - make_interval(days => p.unproven_days))) then 'well'
      when exists (select from panel_backups b where b.server_id = i.server_id and b.kind || ' ' || b.subject = i.subject
        and b.state = 'stored' and b.created_at >= i.opened_at) then 'made'
      else 'gone' end;
  end if;
  select r.report into told from panel_reports r where r.server_id = i.server_id;
  return case when case i.kind
    when 'service' then told->'services' @> jsonb_build_array(jsonb_build_object('name', i.subject))
    when 'disk' then told->'host'->'disks' @> jsonb_build_array(jsonb_build_object('mount', i.subject))
    else told->'certificates' @> jsonb_build_array(jsonb_build_object('domain', i.subject))
    end then 'well' else 'gone' end;
end $$;

create or replace function panel_incident_mail(incident uuid, alert_to text, state text) returns jsonb
language sql volatile as $$
  select mail_enqueue('panel_incident', alert_to, 'panel_incident/' || i.id || '/' || state, jsonb_build_object(
    'server', s.name, 'kind', i.kind, 'subject', i.subject, 'facts', i.facts, 'state', state,
    'opened_at', panel_time(i.opened_at), 'closed_at', panel_time(i.closed_at),
    'over', case when state = 'closed' then panel_incident_over(i) end))
  from panel_incidents i join panel_servers s on s.id = i.server_id where i.id = incident
$$;

-- The wake-up of the mail, or null when the incident is open already.
create or replace function panel_incident_open(server text, kind text, subject text, facts jsonb, alert_to text)
returns jsonb language plpgsql as $$
declare
  made uuid;
begin
  insert into panel_incidents (server_id, kind, subject, facts)
  values (panel_incident_open.server, panel_incident_open.kind, left(panel_incident_open.subject, 500),
    coalesce(panel_incident_open.facts, '{}'))
  on conflict do nothing
  returning id into made;
  if made is null then return null; end if;
  return panel_incident_mail(made, alert_to, 'open');
end $$;

-- Ends the open incidents of a kind whose subjects are not in `bad`: wake-ups of their mails.
create or replace function panel_incidents_close(server text, kind text, bad text[], alert_to text)
returns jsonb language plpgsql as $$
declare
  over uuid;
  wakes jsonb[] := '{}';
begin
  for over in
    update panel_incidents i set closed_at = now()
    where i.server_id = panel_incidents_close.server and i.kind = panel_incidents_close.kind
      and i.closed_at is null and not i.subject = any (bad)
    returning i.id
  loop
    wakes := wakes || panel_incident_mail(over, alert_to, 'closed');
  end loop;
  return jobs_wakes(variadic wakes);
end $$;

-- What is wrong now ([{subject, facts}], all of a kind) and what `stays` open without being told anew.
create or replace function panel_incidents_are(server text, kind text, wrong jsonb, stays text[], alert_to text)
returns jsonb language plpgsql as $$
declare
  item jsonb;
  bad text[] := stays;
  wakes jsonb[] := '{}';
begin
  for item in select * from jsonb_array_elements(wrong) loop
    bad := bad || left(item->>'subject', 500);
    wakes := wakes || panel_incident_open(server, kind, item->>'subject', item->'facts', alert_to);
  end loop;
  return jobs_wakes(variadic wakes) || panel_incidents_close(server, kind, bad, alert_to);
end $$;

-- For the minute cron: {alert_to, silent_seconds, watch} -> {wakes}. A server whose agent is silent for that long
-- (enrolling was its first word), and backups of those that have reported that are unproven, missing or failing. Servers
-- are taken one by one: a busy one holds up no other. While we were away ourselves (`watch` looked at nothing) nobody
-- could be heard: silence counts from when it looks again.
create or replace function panel_watch(input jsonb) returns jsonb language plpgsql as $$
declare
  alert_to constant text := input->>'alert_to';
  term constant interval := make_interval(secs => (input->>'silent_seconds')::int);
  looking timestamptz;
  server record;
  wakes jsonb := '[]';
begin
  insert into panel_watches as w (name, since, looked_at) values (input->>'watch', '-infinity', now())
  on conflict (name) do update set looked_at = now(),
    since = case when w.looked_at < now() - interval '90 seconds' then now() else w.since end
  returning w.since into looking;
  for server in
    select s.id, greatest(s.enrolled_at, s.seen_at, r.received_at) as heard_at,
      greatest(s.seen_at, r.received_at) is not null as has_reported
    from panel_servers s left join panel_reports r on r.server_id = s.id
    where s.enrolled_at is not null order by s.id
  loop
    if greatest(server.heard_at, looking) < now() - term then
      wakes := wakes || jobs_wakes(panel_incident_open(server.id, 'silent', '',
        jsonb_build_object('terakhir terdengar', panel_time(server.heard_at)), alert_to));
    end if;
    if server.has_reported then
      wakes := wakes || panel_incidents_are(server.id, 'backup', panel_backups_wrong(server.id), '{}', alert_to);
    end if;
  end loop;
  return jsonb_build_object('wakes', wakes);
end $$;
