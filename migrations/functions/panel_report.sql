-- A server's report, once a minute: {server_id, report, alert_to} -> {wakes}. In one transaction it becomes the last
-- report, its minute of history (the mean of all reports of that minute), and what it says of incidents.
-- Guarantee: reports of one server take turns; a report of a server that is gone changes nothing.
create or replace function panel_report(input jsonb) returns jsonb language plpgsql as $$
declare
  server constant text := input->>'server_id';
  told jsonb := input->'report';
  alert_to constant text := input->>'alert_to';
  was jsonb;
begin
  update panel_servers s set seen_at = now() where s.id = server;
  if not found then return '{"wakes": []}'; end if;
  select r.report into was from panel_reports r where r.server_id = server;
  told := told || jsonb_build_object('services', panel_report_known(told->'services', was->'services'));
  insert into panel_reports as r (server_id, report, received_at) values (server, told, now())
  on conflict (server_id) do update set report = excluded.report, received_at = excluded.received_at;
  perform panel_report_minute(server, told);
  return jsonb_build_object('wakes', panel_incidents_close(server, 'silent', '{}', alert_to)
    || panel_report_services(server, told->'services', coalesce(was->'services', '[]'), alert_to)
    || panel_report_disks(server, told->'host'->'disks', alert_to)
    || panel_report_certificates(server, told->'certificates', alert_to));
end $$;

create or replace function panel_report_minute(server text, told jsonb) returns void language sql as $$
  insert into panel_minutes as m (server_id, minute, cpu_percent, memory_percent, disk_percent, load_1,
    received_bytes_per_second, sent_bytes_per_second, failed_services)
  select server, date_trunc('minute', now()), (h->>'cpuPercent')::float8,
    coalesce(100 * (1 - (h->'memory'->>'availableBytes')::float8 / nullif((h->'memory'->>'totalBytes')::float8, 0)), 0),
    coalesce((select max((d->>'usedPercent')::float8) from jsonb_array_elements(h->'disks') d), 0),
    (h->'load'->>0)::float8, (h->'network'->>'receivedBytesPerSecond')::float8,
    (h->'network'->>'sentBytesPerSecond')::float8,
    (select count(*) from jsonb_array_elements(told->'services') s where s->>'status' = 'failed')
  from (values (told->'host')) v(h)
  on conflict (server_id, minute) do update set reports = m.reports + 1,
    cpu_percent = case when m.cpu_percent is null then excluded.cpu_percent when excluded.cpu_percent is null
      then m.cpu_percent else (m.cpu_percent * m.reports + excluded.cpu_percent) / (m.reports + 1) end,
    memory_percent = (m.memory_percent * m.reports + excluded.memory_percent) / (m.reports + 1),
    disk_percent = greatest(m.disk_percent, excluded.disk_percent),
    load_1 = (m.load_1 * m.reports + excluded.load_1) / (m.reports + 1),
    received_bytes_per_second = coalesce(excluded.received_bytes_per_second, m.received_bytes_per_second),
    sent_bytes_per_second = coalesce(excluded.sent_bytes_per_second, m.sent_bytes_per_second),
    failed_services = greatest(m.failed_services, excluded.failed_services)
$$;

-- A service that could not be asked keeps beside its `unknown` what was last known of it, its count of restarts too.
create or replace function panel_report_known(services jsonb, were jsonb) returns jsonb language sql immutable as $$
  select coalesce(jsonb_agg(case when s->>'status' = 'unknown' then coalesce((
    select jsonb_strip_nulls(jsonb_build_object('known', coalesce(w->>'known', w->>'status'), 'restarts', w->'restarts'))
    from jsonb_array_elements(coalesce(were, '[]')) w where w->>'name' = s->>'name' limit 1), '{}') || s else s end order by n), '[]')
  from jsonb_array_elements(services) with ordinality u(s, n)
$$;

-- A service is down when it failed, when it ran or was being started a minute ago and does not now, when it is still
-- being started a minute later (one that falls over and over again is mostly nothing else), and when it has fallen and
-- come back since the report before. One that was never started on purpose alarms nobody. It is down until it is active
-- and did not fall again, or is no longer watched.
create or replace function panel_report_services(server text, services jsonb, were jsonb, alert_to text)
returns jsonb language sql as $$
  select panel_incidents_are(server, 'service', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('subject', n.name,
      'facts', jsonb_build_object('status', n.status, 'jatuh dan hidup lagi', case when n.fell > 0 then n.fell || ' kali' end))))
      filter (where n.status = 'failed' or n.fell > 0
        or (n.status in ('inactive', 'deactivating') and n.before in ('active', 'reloading', 'activating'))
        or (n.status = 'activating' and n.before = 'activating')), '[]'),
    coalesce(array_agg(n.name) filter (where n.status not in ('active', 'reloading')), '{}'), alert_to)
  from (
    select s->>'name' as name, s->>'status' as status, coalesce(w->>'known', w->>'status') as before,
      (s->>'restarts')::int - (w->>'restarts')::int as fell
    from jsonb_array_elements(services) s
    left join lateral (select x from jsonb_array_elements(were) x where x->>'name' = s->>'name' limit 1) y(w) on true) n
$$;

-- Full from 90 %, and well again below 88 %, so that one at the brink is told about once.
create or replace function panel_report_disks(server text, disks jsonb, alert_to text)
returns jsonb language sql as $$
  select panel_incidents_are(server, 'disk', coalesce(jsonb_agg(jsonb_build_object('subject', d->>'mount', 'facts',
      jsonb_build_object('terpakai', (d->>'usedPercent') || ' %'))) filter (where (d->>'usedPercent')::float8 >= 90), '[]'),
    coalesce(array_agg(d->>'mount') filter (where (d->>'usedPercent')::float8 >= 88), '{}'), alert_to)
  from jsonb_array_elements(disks) d
$$;

create or replace function panel_report_certificates(server text, certificates jsonb, alert_to text)
returns jsonb language sql as $$
  select panel_incidents_are(server, 'certificate', coalesce(jsonb_agg(jsonb_build_object('subject', c->>'domain',
      'facts', jsonb_build_object('berakhir', c->>'notAfter')))
      filter (where (c->>'notAfter')::timestamptz < now() + interval '14 days'), '[]'), '{}', alert_to)
  from jsonb_array_elements(certificates) c
$$;
