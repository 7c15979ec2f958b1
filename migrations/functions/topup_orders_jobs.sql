-- The jobs that look after orders. Guarantee: an order that is paid and neither bought nor over has a living job, or gets
-- one within minutes, whatever became of its first; also one that a person is asked about, for what he is asked may clear up.

-- The order's job, due in so long. It comes back as often as it takes: what ends it is the order's end, or a person.
create or replace function topup_order_watch(o topup_orders, after interval) returns jsonb language sql as $$
  select jobs_enqueue('topup.order', 'topup', 'topup.order/' || o.id, jsonb_build_object('order_id', o.id),
    now() + after, 1000000)
$$;

-- Nobody needs to look after this order's attempt any more.
create or replace function topup_order_rest(o topup_orders) returns void language sql as $$
  update jobs j set state = 'cancelled', finished_at = now(), updated_at = now()
  where j.dedupe_key = 'topup.order/' || o.id and j.state = 'queued'
$$;

-- Its job is due in so long, unless it is at work already. Returns the wakes.
create or replace function topup_order_wake(o topup_orders, after interval) returns jsonb language plpgsql as $$
declare
  job jobs;
begin
  update jobs j set run_at = now() + after, updated_at = now()
  where j.dedupe_key = 'topup.order/' || o.id and j.state = 'queued'
  returning * into job;
  return case when found then jobs_wakes(jobs_wake(job)) else '[]'::jsonb end;
end $$;

-- {limit, now} -> {orders: [number], wake}. Orders to be looked after whose job has ended or is gone get another one. A
-- few minutes are left between them, so that a job that always fails is no storm of alerts.
create or replace function topup_orders_revive(input jsonb) returns jsonb language plpgsql as $$
declare
  moment timestamptz := (input->>'now')::timestamptz;
  o topup_orders;
  numbers jsonb := '[]';
  wakes jsonb[] := '{}';
  made jsonb;
begin
  for o in
    select * from topup_orders x
    where (x.state in ('queued', 'buying', 'unknown') or (input->>'ties')::boolean and topup_is_tied(x))
      and x.updated_at < moment - interval '2 minutes'
      and not exists (select from jobs j where j.dedupe_key = 'topup.order/' || x.id
        and (j.finished_at is null or j.finished_at > moment - interval '5 minutes'))
    order by x.id limit (input->>'limit')::int
  loop
    -- What has ended stays as it ended; its key goes to the next.
    update jobs j set dedupe_key = j.dedupe_key || '/' || j.id
    where j.dedupe_key = 'topup.order/' || o.id and j.finished_at is not null;
    made := topup_order_watch(o, interval '0');
    if made is not null then
      wakes := wakes || made;
      numbers := numbers || to_jsonb(o.number);
    end if;
  end loop;
  return jsonb_build_object('orders', numbers, 'wake', jobs_wakes(variadic wakes));
end $$;

-- {order_id, told?, now, alert_to} -> {order, wake}. An order in doubt of which the history has told nothing for an hour
-- (`told`: what its last look was worth): the operator hears of it, and again every day that it lasts. After a day a person
-- is asked, too: it is in the list of reviews with the reason, and he may end it. It stays in doubt and is asked about as
-- before; as soon as the history tells, nobody is asked any more.
create or replace function topup_order_give_over(input jsonb) returns jsonb language plpgsql as $$
declare
  o topup_orders;
  days int;
  reason text;
begin
  select * into o from topup_orders x where x.id = (input->>'order_id')::uuid for no key update;
  if o.state <> 'unknown' then
    return jsonb_build_object('order', to_jsonb(o), 'wake', '[]'::jsonb);
  end if;
  days := floor(extract(epoch from (input->>'now')::timestamptz - o.attempt_until) / 86400);
  if (input->>'now')::timestamptz >= o.attempt_until + topup_doubt_patience() then
    reason := topup_doubt_reason(o, input->>'told');
    -- Of one that a person ends it is watched for long whether its purchase shows: it counts as looked for.
    update topup_orders x set absences = greatest(x.absences, 1), updated_at = now(),
      review_reason = concat_ws('; ', reason, topup_doubt_hint(x))
    -- While lists are whole again for less than the time that proves something, or are not told for a moment, it stays as
    -- it was asked.
    where x.id = o.id and (x.review_reason is null
      or coalesce(input->>'told', '') not in ('whole', 'untold') and not starts_with(x.review_reason, reason))
    returning * into o;
    if not found then
      select * into o from topup_orders x where x.id = (input->>'order_id')::uuid;
    end if;
  end if;
  -- One mail a day, however often the reason changes.
  return jsonb_build_object('order', to_jsonb(o), 'wake', jobs_wakes(mail_enqueue('alert', input->>'alert_to',
    'alert/topup-order/' || o.id || '/doubt/' || days, jsonb_build_object(
      'what', 'Riwayat penyedia diam selama ' || case when days > 0 then days || ' hari' else 'sejam' end,
      'facts', jsonb_build_object('pesanan', o.number, 'sebab',
        case when days > 0 then days || ' days in doubt: ' || o.review_reason
          else 'the supplier''s history has not told of it for an hour' end)))));
end $$;
