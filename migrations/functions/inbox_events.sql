-- The inbox. Guarantees: an event key is one row whatever is delivered; an applied event stays applied; a dead
-- message is stored, and told about, once.

-- {provider, event_key, body, received_at} -> {id, state}. A known event that never finished counts one more
-- attempt and is to be processed again; `state` 'applied' means that there is nothing left to do.
-- `retry_at` is the cron's net under a consumer that dies before inbox_finish.
create or replace function inbox_receive(input jsonb) returns jsonb language plpgsql as $$
declare
  event inbox_events;
begin
  insert into inbox_events as e (provider, event_key, body, received_at, retry_at)
  values (input->>'provider', input->>'event_key', input->>'body', (input->>'received_at')::timestamptz,
    now() + interval '10 minutes')
  on conflict on constraint inbox_events_event_key do update
    set attempts = e.attempts + case e.state when 'applied' then 0 else 1 end
  returning * into event;
  return jsonb_build_object('id', event.id, 'state', event.state);
end $$;

-- {id, state: applied|parked, note?}. A parked event is tried again after 10 s, 20 s … an hour, for a day; later
-- only by a person.
create or replace function inbox_finish(input jsonb) returns jsonb language plpgsql as $$
begin
  update inbox_events e set
    state = input->>'state',
    note = input->>'note',
    finished_at = case input->>'state' when 'applied' then now() end,
    retry_at = case when input->>'state' = 'parked' and e.created_at > now() - interval '1 day'
      then now() + make_interval(secs => least(3600, 5 * 2 ^ least(e.attempts, 20))) end
  where e.id = (input->>'id')::uuid and e.state <> 'applied';
  return jsonb_build_object('changed', found);
end $$;

-- {provider, key_start, received_until, note} -> {finished}: what was learnt of one event ends all that are parked with it:
-- those whose key begins so, as far as they came by then.
create or replace function inbox_finish_alike(input jsonb) returns jsonb language plpgsql as $$
declare
  finished int;
begin
  update inbox_events e set state = 'applied', note = input->>'note', finished_at = now(), retry_at = null
  where e.retry_at is not null and e.provider = input->>'provider' and e.state = 'parked'
    and starts_with(e.event_key, input->>'key_start') and e.received_at <= (input->>'received_until')::timestamptz;
  get diagnostics finished = row_count;
  return jsonb_build_object('finished', finished);
end $$;

-- {limit} -> [{id, provider, body}]: unfinished events whose time has come, so many of each provider: ten thousand of one
-- keep none of another waiting. Each is counted and moved ahead so that no second cron run takes it meanwhile.
create or replace function inbox_due(input jsonb) returns jsonb language plpgsql as $$
declare
  taken jsonb;
begin
  with due as (
    select d.id from (select distinct x.provider from inbox_events x where x.retry_at <= now()) p
    cross join lateral (
      select e.id from inbox_events e
      where e.retry_at <= now() and e.provider = p.provider
      order by e.retry_at
      limit (input->>'limit')::int
      for no key update skip locked
    ) d
  ), counted as (
    update inbox_events e set attempts = e.attempts + 1, retry_at = case
      when e.created_at > now() - interval '1 day'
      then now() + make_interval(secs => least(3600, 60 * 2 ^ least(e.attempts, 20))) end
    from due where e.id = due.id
    returning e.id, e.provider, e.body
  )
  select jsonb_agg(to_jsonb(counted)) into taken from counted;
  return coalesce(taken, '[]');
end $$;

-- {queue, message_id, message, alert_to} -> {stored, wake}: keeps what no retry could do, and mails the operator
-- once per message. Not about mails: what cannot be sent cannot tell; nor about what only wakes a job (see below).
create or replace function inbox_dead_letter(input jsonb) returns jsonb language plpgsql as $$
declare
  letter inbox_dead_letters;
  alert jsonb;
begin
  insert into inbox_dead_letters (queue, message_id, message)
  values (input->>'queue', input->>'message_id', input->>'message')
  on conflict on constraint inbox_dead_letters_message_key do nothing
  returning * into letter;
  if not found then return jsonb_build_object('stored', false, 'wake', '[]'::jsonb); end if;

  -- What is of a job wakes it only: of one that fails for good jobs_alert tells. A Worker of before has no consumer for
  -- deliveries, and each that waits would be a mail.
  if letter.queue not in ('mail', 'topup-deliveries') then
    alert := mail_enqueue('alert', input->>'alert_to', 'alert/dead-letter/' || letter.id, jsonb_build_object(
      'what', 'Pesan antrean tidak dapat diproses: ' || letter.queue,
      'facts', jsonb_build_object('id', letter.id, 'pesan', letter.message_id)));
  end if;
  return jsonb_build_object('stored', true, 'wake', jobs_wakes(alert));
end $$;
