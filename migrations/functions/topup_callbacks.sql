-- {provider, at_least, alert_to} -> {wake}: one mail a Jakarta day, once that many callbacks were refused within an hour:
-- how many, and the busiest of the addresses that each message of them names. From any number of connections one mail.
create or replace function topup_refused_flood(input jsonb) returns jsonb language plpgsql as $$
declare
  occasion text := concat_ws('/', 'alert/topup-refused', input->>'provider', (now() at time zone 'Asia/Jakarta')::date);
  refused bigint;
  busiest jsonb;
  mail jsonb;
begin
  -- What a flood keeps writing is read no more once it was told.
  if exists (select from jobs j where j.dedupe_key = 'mail/' || occasion) then
    return jsonb_build_object('wake', '[]'::jsonb);
  end if;
  with recent as materialized (
    select e.body::jsonb as kept from inbox_events e
    where e.id >= uuid_from(now() - interval '1 hour') and e.provider = input->>'provider'
  ), counted as (
    select a->>'address' as address, sum((a->>'count')::bigint) as n
    from recent r, jsonb_array_elements(case jsonb_typeof(r.kept->'from') when 'array' then r.kept->'from' else '[]' end) a
    group by 1 order by n desc, address limit 10
  )
  select (select coalesce(sum(coalesce((r.kept->>'count')::bigint, 1)), 0) from recent r),
    (select coalesce(jsonb_object_agg(c.address, c.n), '{}') from counted c)
  into refused, busiest;
  if refused >= (input->>'at_least')::bigint then
    mail := mail_enqueue('alert', input->>'alert_to', occasion, jsonb_build_object(
      'what', 'Banjir callback palsu dari luar: ' || refused || ' ditolak dalam satu jam',
      'facts', jsonb_build_object('ditolak', refused) || busiest,
      'next', 'Semuanya tersimpan dan tidak berpengaruh; yang asli tetap diterima. Hentikan alamat di atas dengan aturan '
        'di tepi jaringan. Hari ini tidak ada surat lagi tentang ini.'));
  end if;
  return jsonb_build_object('wake', jobs_wakes(mail));
end $$;
