-- Outgoing webhooks. Guarantees, from any number of connections at once: an event of an order is one delivery per
-- endpoint, written in the transaction of the state change; a delivery that ended changes no more, but by a person.

-- What a state of an order is called outside; null: nobody is told of it.
create or replace function topup_event_type(state text) returns text language sql immutable as $$
  select case lower(state)
    when 'processing' then 'order.processing'
    when 'success' then 'order.success'
    when 'partial' then 'order.partial'
    when 'failed' then 'order.failed'
    when 'cancelled' then 'order.failed'
    when 'refunded' then 'order.refunded'
  end
$$;

-- What the receiver is sent. It says what became of the order up to now; `sequence` grows, so that a late event shows
-- itself as old. No serial number: its owner asks for that himself.
create or replace function topup_event_payload(o topup_orders, e topup_order_events, kind text)
returns jsonb language sql stable as $$
  select jsonb_build_object('type', kind, 'timestamp', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'data', jsonb_build_object('orderNumber', o.number, 'order', (select p.number from topup_panel_orders p
        where p.order_id = o.id),
      'externalId', o.trxid, 'status', upper(e.state), 'sequence', e.seq, 'service', o.code, 'serviceName', o.service_name,
      'target', o.target, 'zone', o.zone, 'quantity', o.quantity, 'amount', o.amount,
      'refundedAmount', o.refunded_amount, 'startCount', o.start_count, 'remains', o.remain, 'notes', o.notes))
$$;

-- The open events of one order, or (null) the oldest of all, as deliveries to those endpoints of the order's owner that
-- want them, with their jobs; then they are handled. Returns the wakes. Called where the state changes, in the same
-- transaction, and by the minute cron for what was not: running it again changes nothing, two at once share the work.
create or replace function topup_notify(order_key uuid, max_events int default 500) returns jsonb language plpgsql as $$
declare
  wakes jsonb;
begin
  -- What came through the panel dialect is told with its number there, also before its buyer heard it.
  insert into topup_panel_orders (order_id)
  select o.id from topup_orders o
  where o.id = order_key and o.reseller_key_id is not null
    and not exists (select from topup_panel_orders p where p.order_id = o.id)
  on conflict on constraint topup_panel_orders_order_key do nothing;

  with open as (
    select e.seq from topup_order_events e
    where e.handled_at is null and (order_key is null or e.order_id = order_key)
    order by e.seq limit max_events
    for no key update skip locked
  ), handled as (
    update topup_order_events e set handled_at = now() from open where e.seq = open.seq
    returning e
  ), made as (
    insert into topup_deliveries (endpoint_id, order_id, event_seq, type, payload, next_at)
    select w.id, o.id, (h.e).seq, t.type, topup_event_payload(o, h.e, t.type), now()
    from handled h
    join topup_orders o on o.id = (h.e).order_id
    join topup_webhook_endpoints w on w.user_id = o.user_id and w.deleted_at is null and w.disabled_at is null
      and w.created_at <= (h.e).at
    cross join lateral (select topup_event_type((h.e).state) as type) t
    where t.type = any (w.events)
    on conflict on constraint topup_deliveries_event_key do nothing
    returning id
  )
  select jsonb_agg(jobs_enqueue('topup.deliver', 'topup', 'topup.deliver/' || id || '/1',
    jsonb_build_object('delivery_id', id))) into wakes from made;
  return coalesce(wakes, '[]');
end $$;

-- What takes no longer than this is in nobody's way.
create or replace function topup_quick_ms() returns int language sql immutable as $$ select 2000 $$;

-- Whether as many attempts as its owner may have are under way before this delivery's: five of fifty places, because what
-- was quick may hang from now on, and one at a receiver of which nobody knows yet how long it takes. What was claimed just
-- now may be put off as well, so of a crowd that begins at one moment the older deliveries go on.
create or replace function topup_delivery_is_crowded(delivery uuid, endpoint uuid, owner bigint, is_new boolean)
returns boolean language sql stable as $$
  select count(*) >= 5 or is_new and count(*) filter (where x.endpoint_id = endpoint) > 0
  from jobs j join topup_deliveries x on x.id = (j.payload->>'delivery_id')::uuid
      and (x.id < delivery or x.id > delivery and j.updated_at < now() - interval '1 second')
    join topup_webhook_endpoints w on w.id = x.endpoint_id and w.user_id = owner
  where j.state = 'running' and j.lease_until > now() and j.kind = 'topup.deliver'
$$;

-- {id} -> what an attempt needs, or null when there is nothing left to do: ended, or its endpoint is gone. `rest_ms` above 0:
-- not now. A receiver that lets us wait holds a place that others' deliveries wait for, so one owner's slow ones are called
-- one at a time, and hold each other back for a while. By owner, because one person may have many receivers; those that are
-- known as quick are called meanwhile, a few at a time. The longer rest of one that fails is its own: his others, and
-- the one that he adds in its place, are called in it.
create or replace function topup_delivery_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  d record;
  rests timestamptz;
begin
  select x.id, x.state, x.payload, x.round, x.endpoint_id, w.user_id, w.took_ms, w.url, w.secret, w.disabled_at, w.deleted_at,
    case when w.old_secret_until > now() then w.old_secret end as old_secret into d
  from topup_deliveries x join topup_webhook_endpoints w on w.id = x.endpoint_id
  where x.id = (input->>'id')::uuid
  for no key update of x;
  if not found or d.state <> 'pending' then return null; end if;
  if d.disabled_at is not null or d.deleted_at is not null then
    update topup_deliveries x set state = 'dropped', next_at = null, finished_at = now() where x.id = d.id;
    return null;
  end if;
  if topup_delivery_is_crowded(d.id, d.endpoint_id, d.user_id, d.took_ms is null) then
    rests := now() + interval '1 second';
  elsif d.took_ms is null or d.took_ms > topup_quick_ms() then
    select max(greatest(l.holds_until, case when l.id = d.endpoint_id then l.rests_until end)) into rests from (
      select w.id, w.holds_until, w.rests_until from topup_webhook_endpoints w
      where w.user_id = d.user_id and w.disabled_at is null and w.deleted_at is null order by w.id for no key update) l;
    if rests is null or rests <= now() then
      rests := null;
      -- Longer than an attempt takes. Of a new one nobody knows yet how long it takes.
      update topup_webhook_endpoints w set holds_until = now() + interval '20 seconds'
      where w.id = d.endpoint_id and w.took_ms is not null;
    end if;
    -- So that the log tells when it is tried, and nobody has it tried anew meanwhile.
    update topup_deliveries x set next_at = rests where x.id = d.id and x.next_at < rests;
  end if;
  return jsonb_build_object('id', d.id, 'endpoint_id', d.endpoint_id, 'owner', d.user_id, 'payload', d.payload,
    'round', d.round, 'url', d.url, 'secret', d.secret, 'old_secret', d.old_secret,
    'rest_ms', coalesce(ceil(extract(epoch from rests - now()) * 1000)::int, 0));
end $$;

-- How long a receiver that took so long holds back its owner's that are not quick: four times as long; null: not at all.
create or replace function topup_delivery_hold(took_ms int) returns interval language sql immutable as $$
  select case when took_ms > topup_quick_ms() then make_interval(secs => took_ms / 250.0) end
$$;

-- How long it rests itself: no less, and the longer it has been failing the longer, up to half an hour.
create or replace function topup_delivery_rest(took_ms int, failing_since timestamptz) returns interval
language sql stable as $$
  select case when took_ms > topup_quick_ms() then greatest(topup_delivery_hold(took_ms),
    least((now() - coalesce(failing_since, now())) / 10, interval '30 minutes')) end
$$;

-- How long after attempt n the next one comes; null after the last: ten attempts in about 28 hours.
create or replace function topup_delivery_pause(n int) returns interval language sql immutable as $$
  select (array['5 seconds', '1 minute', '5 minutes', '30 minutes', '1 hour', '2 hours', '4 hours', '8 hours',
    '12 hours']::interval[])[n]
$$;

-- {id, round, ok, status?, error?, gone, duration_ms, patience_hours} -> {state, after_ms?, wake}. Notes one attempt.
-- An endpoint that accepted nothing for `patience_hours`, or said that it is gone (410), is switched off and its owner
-- gets a mail. One that was slow rests.
create or replace function topup_delivery_finish(input jsonb) returns jsonb language plpgsql as $$
declare
  accepted boolean := (input->>'ok')::boolean;
  took int := (input->>'duration_ms')::int;
  d topup_deliveries;
  w topup_webhook_endpoints;
  pause interval;
  mail jsonb;
begin
  select * into d from topup_deliveries x
  where x.id = (input->>'id')::uuid and x.round = (input->>'round')::int and x.state = 'pending' for no key update;
  if not found then
    return jsonb_build_object('state', 'ended', 'wake', '[]'::jsonb);
  end if;
  insert into topup_delivery_attempts (delivery_id, status, error, duration_ms)
  values (d.id, (input->>'status')::int, left(input->>'error', 100), (input->>'duration_ms')::int);
  pause := case when not accepted then topup_delivery_pause(d.attempts + 1) end;

  update topup_deliveries x set attempts = x.attempts + 1,
    state = case when accepted then 'delivered' when pause is null then 'failed' else 'pending' end,
    next_at = now() + pause, finished_at = case when pause is null then now() end
  where x.id = d.id
  returning * into d;
  update topup_webhook_endpoints e set failing_since = case when not accepted then now() end, updated_at = now()
  where e.id = d.endpoint_id and accepted = (e.failing_since is not null);
  update topup_webhook_endpoints e set took_ms = took, holds_until = now() + topup_delivery_hold(took),
    rests_until = now() + topup_delivery_rest(took, e.failing_since)
  where e.id = d.endpoint_id and (took > topup_quick_ms() or e.took_ms is null or e.took_ms > topup_quick_ms());

  if not accepted then
    update topup_webhook_endpoints e set disabled_at = now(), disabled_reason = 'failing', updated_at = now()
    where e.id = d.endpoint_id and e.disabled_at is null and ((input->>'gone')::boolean
      or e.failing_since <= now() - make_interval(hours => (input->>'patience_hours')::int))
    returning * into w;
    if found then
      mail := mail_enqueue('topup_endpoint_disabled', (select u.email from identity_users u where u.id = w.user_id),
        'topup-endpoint/' || w.id || '/' || extract(epoch from w.disabled_at),
        jsonb_build_object('url', w.url, 'since', coalesce(w.failing_since, now())));
      perform audit_write(jsonb_build_object('action', 'topup.endpoint.disable', 'subject_kind', 'webhook_endpoint',
        'subject_id', w.id, 'reason', 'failing'));
    end if;
  end if;
  return jsonb_build_object('state', d.state, 'after_ms', (extract(epoch from pause) * 1000)::int,
    'wake', jobs_wakes(mail));
end $$;

-- A delivery whose job failed for good (its sender died each time, its secret cannot be opened) has failed too, in the
-- same transaction: nobody works on it any more. The endpoint is not to blame. By hand it is sent again.
create or replace function topup_delivery_given_up() returns trigger language plpgsql as $$
begin
  update topup_deliveries d set state = 'failed', next_at = null, finished_at = now()
  where d.id = (new.payload->>'delivery_id')::uuid and d.state = 'pending'
    and new.dedupe_key = 'topup.deliver/' || d.id || '/' || d.round;
  if found then
    insert into topup_delivery_attempts (delivery_id, error, duration_ms)
    values ((new.payload->>'delivery_id')::uuid, 'internal', 0);
  end if;
  return null;
end $$;
create or replace trigger topup_deliveries_given_up after update of state on jobs
  for each row when (new.kind = 'topup.deliver' and new.state in ('failed', 'cancelled') and old.state <> new.state)
  execute function topup_delivery_given_up();

-- {user_id, id, audit} -> {wake}, or null when the user has no such delivery: one that ended, or
-- that is an hour overdue, is tried anew.
create or replace function topup_delivery_again(input jsonb) returns jsonb language plpgsql as $$
declare
  d topup_deliveries;
begin
  select x.* into d from topup_deliveries x
  join topup_webhook_endpoints w on w.id = x.endpoint_id
  where x.id = (input->>'id')::uuid and w.user_id = (input->>'user_id')::bigint and w.deleted_at is null
  for no key update of x;
  if not found then return null; end if;
  -- Nobody works on one that is so overdue: its job has failed for good.
  if d.state = 'pending' and d.next_at > now() - interval '1 hour' then
    perform app_error('in_progress', 'This delivery is still being tried');
  end if;
  if exists (select from topup_webhook_endpoints w where w.id = d.endpoint_id and w.disabled_at is not null) then
    perform app_error('conflict', 'Webhook address is switched off');
  end if;
  update topup_deliveries x set state = 'pending', attempts = 0, round = x.round + 1, next_at = now(), finished_at = null
  where x.id = d.id
  returning * into d;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.delivery.again',
    'subject_kind', 'webhook_delivery', 'subject_id', d.id));
  return jsonb_build_object('wake', jobs_wakes(jobs_enqueue('topup.deliver', 'topup',
    'topup.deliver/' || d.id || '/' || d.round, jsonb_build_object('delivery_id', d.id))));
end $$;

-- What its owner sees of an endpoint: everything but the secrets.
create or replace function topup_endpoint_view(w topup_webhook_endpoints) returns jsonb language sql stable as $$
  select jsonb_build_object('id', w.id, 'url', w.url, 'events', w.events, 'enabled', w.disabled_at is null,
    'disabled_reason', w.disabled_reason, 'failing_since', w.failing_since, 'created_at', w.created_at)
$$;

-- {id, user_id, url, events, secret (sealed), max_endpoints, audit} -> topup_endpoint_view.
create or replace function topup_endpoint_create(input jsonb) returns jsonb language plpgsql as $$
declare
  owner bigint := (input->>'user_id')::bigint;
  w topup_webhook_endpoints;
begin
  perform from identity_users u where u.id = owner for no key update;
  if (select count(*) from topup_webhook_endpoints e where e.user_id = owner and e.deleted_at is null)
    >= (input->>'max_endpoints')::int then
    perform app_error('conflict', 'There are too many webhook addresses already');
  end if;
  insert into topup_webhook_endpoints (id, user_id, url, events, secret)
  values ((input->>'id')::uuid, owner, input->>'url', topup_texts(input->'events'), input->>'secret')
  returning * into w;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.endpoint.create',
    'subject_kind', 'webhook_endpoint', 'subject_id', w.id, 'after', topup_endpoint_view(w)));
  return topup_endpoint_view(w);
end $$;

-- {user_id, id, changes: {url?, events?, enabled?, secret? (sealed), delete?}, old_secret_hours?, action, audit}
-- -> topup_endpoint_view, or null when the user has no such endpoint. A new secret leaves the old one to sign beside it
-- for a while; switching on again forgets the failures, and it or another address the rest.
create or replace function topup_endpoint_change(input jsonb) returns jsonb language plpgsql as $$
declare
  wanted jsonb := input->'changes';
  enable boolean := (wanted->>'enabled')::boolean;
  was topup_webhook_endpoints;
  w topup_webhook_endpoints;
begin
  select * into was from topup_webhook_endpoints e
  where e.id = (input->>'id')::uuid and e.user_id = (input->>'user_id')::bigint and e.deleted_at is null
  for no key update;
  if not found then return null; end if;
  update topup_webhook_endpoints e set
    url = coalesce(wanted->>'url', e.url),
    events = case when wanted ? 'events' then topup_texts(wanted->'events') else e.events end,
    secret = coalesce(wanted->>'secret', e.secret),
    old_secret = case when wanted ? 'secret' then e.secret else e.old_secret end,
    old_secret_until = case when wanted ? 'secret'
      then now() + make_interval(hours => (input->>'old_secret_hours')::int) else e.old_secret_until end,
    disabled_at = case when enable is null then e.disabled_at when enable then null else coalesce(e.disabled_at, now()) end,
    disabled_reason = case when enable is null then e.disabled_reason when enable then null
      else coalesce(e.disabled_reason, 'owner') end,
    failing_since = case when enable then null else e.failing_since end,
    -- Of another address nobody knows how long it takes.
    took_ms = case when wanted->>'url' <> e.url then null else e.took_ms end,
    rests_until = case when enable or wanted ? 'url' then null else e.rests_until end,
    holds_until = case when enable or wanted ? 'url' then null else e.holds_until end,
    deleted_at = case when (wanted->>'delete')::boolean then now() end,
    updated_at = now()
  where e.id = was.id
  returning * into w;
  perform audit_write(input->'audit' || jsonb_build_object('action', input->>'action', 'subject_kind', 'webhook_endpoint',
    'subject_id', w.id, 'before', topup_endpoint_view(was), 'after', topup_endpoint_view(w)));
  return topup_endpoint_view(w);
end $$;
