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

-- What callbacks name is asked about once for all that name it. Guarantee, from any number of connections at once: between
-- two asks about a purchase lies what the first one's end says, or its lease.

-- {trxid, now, since, again_ms, lease_ms, at_once} -> {taken, asked_at, answered_at, answer: told|denied|null}. Takes the
-- turn to ask about a purchase, unless it is not time yet, or an ask that was begun since `since` was answered less than
-- `again_ms` ago; `at_once`: whatever was asked. A clock that was set back keeps nobody from asking.
create or replace function topup_ask_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  moment timestamptz := (input->>'now')::timestamptz;
  lease interval := make_interval(secs => (input->>'lease_ms')::float8 / 1000);
  again interval := make_interval(secs => (input->>'again_ms')::float8 / 1000);
  a topup_supplier_asks;
  taken boolean;
begin
  insert into topup_supplier_asks as x (trxid, asked_at, next_at)
  values (input->>'trxid', moment, moment + lease)
  on conflict on constraint topup_supplier_asks_pkey do update set asked_at = moment, next_at = moment + lease
    where (input->>'at_once')::boolean or x.asked_at > moment + interval '1 second'
      or x.next_at <= moment and (x.answered_at is null or x.answered_at < (input->>'since')::timestamptz
        or x.answered_at <= moment - again)
  returning * into a;
  taken := found;
  if not taken then
    select * into a from topup_supplier_asks x where x.trxid = input->>'trxid';
  end if;
  return jsonb_build_object('taken', taken, 'asked_at', a.asked_at, 'answered_at', a.answered_at, 'answer', a.answer);
end $$;

-- {trxid, asked_at, answer: told|denied|null, next_at}: what came of the turn that was taken then. Null: no answer. A turn
-- that is somebody else's by now changes nothing.
create or replace function topup_ask_end(input jsonb) returns jsonb language plpgsql as $$
begin
  update topup_supplier_asks x set next_at = (input->>'next_at')::timestamptz,
    answered_at = case when input->>'answer' is null then x.answered_at else x.asked_at end,
    answer = coalesce(input->>'answer', x.answer)
  where x.trxid = input->>'trxid' and x.asked_at = (input->>'asked_at')::timestamptz;
  return jsonb_build_object('noted', found);
end $$;
