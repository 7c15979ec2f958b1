-- How old each family's price list is. A list that fails or is refused leaves the old one on sale, at its prices: that is
-- right for an hour and a risk for a day, so the operator hears of it. Of a family that never had a service nothing is sold
-- at old prices: an installation that sells no top-ups, or none of that kind, is left in peace.

-- {stale_hours} -> [{family, read_at, stale, reason}], one of each family. `read_at`: when the run began that last put its
-- list in force; null: none of the last 90 days did. `stale`: that is longer ago than so many hours, or as long as runs are
-- known, and the family has services. `reason`: why the newest list was not put in force; null: it was, or no run has come to it since.
create or replace function topup_lists_told(input jsonb) returns jsonb language sql stable as $$
  with runs as materialized (
    select s.started_at, s.families from topup_syncs s where s.action <> 'sync-stock'),
  told as (
    select f.family,
      (select max(r.started_at) from runs r where r.families->f.family->>'state' = 'applied') as read_at,
      (select min(r.started_at) from runs r) as first_at,
      (select coalesce(r.families->f.family->>'reason', r.families->f.family->>'state')
        from runs r where r.families ? f.family order by r.started_at desc limit 1) as word
    from unnest('{prepaid,game,social}'::text[]) f(family))
  select jsonb_agg(jsonb_build_object('family', t.family, 'read_at', t.read_at,
    'stale', coalesce(coalesce(t.read_at, t.first_at) < now() - make_interval(hours => (input->>'stale_hours')::int), false)
      and exists (select from topup_services s where s.family = t.family),
    'reason', nullif(t.word, 'applied')))
  from told t
$$;

-- {stale_hours, alert_to} -> {wake}: a mail about each family whose list is stale, once a Jakarta day.
create or replace function topup_lists_alert(input jsonb) returns jsonb language plpgsql as $$
declare
  l record;
  wakes jsonb[] := '{}';
begin
  for l in select x.* from jsonb_to_recordset(topup_lists_told(input)) as x(family text, read_at timestamptz, stale boolean,
    reason text) where x.stale loop
    wakes := wakes || mail_enqueue('alert', input->>'alert_to', 'alert/topup-list/' || l.family || '/'
      || (now() at time zone 'Asia/Jakarta')::date,
      jsonb_build_object('what', 'Daftar harga penyedia tidak terbarui: layanan dijual dengan harga lama',
        'facts', jsonb_build_object('jenis', l.family,
          'terakhir', coalesce(to_char(l.read_at at time zone 'Asia/Jakarta', 'YYYY-MM-DD HH24:MI'), 'belum pernah'),
          'sebab', coalesce(l.reason, 'tidak ada sinkronisasi'))));
  end loop;
  return jsonb_build_object('wake', jobs_wakes(variadic wakes));
end $$;
