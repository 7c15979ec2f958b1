/**
 * Plays a script (episode-script.ts) by the real functions and undoes it all; answers {ends: [{n, state, trxid, reason, note,
 * refunds, decided_at}], seen: {trxid: when a list first had it}, ended: {trxid: when one first had its end}}. One call, so that nothing is planned twice.
 */
export const PLAYER = `create or replace function topup_episode_play(script jsonb) returns jsonb language plpgsql as $$
declare
  s jsonb;
  told jsonb;
  silent jsonb;
  played jsonb;
begin
  perform set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true);
  insert into topup_services (family, code, name, target_kind, supplier_price, price)
  select r.family, r.code, r.name, r.target_kind, r.supplier_price, r.price
  from jsonb_populate_recordset(null::topup_services, script->'services') r;
  for s in select e from jsonb_array_elements(script->'steps') e loop
    case s->>'do'
      when 'look' then
        continue when not exists (select from topup_orders x where x.id = (s->>'id')::uuid and x.trxid is null
          and x.state in ('buying', 'unknown', 'review'));
        perform topup_order_take(s->'take');
        perform topup_sightings_note(s->'noted');
        select coalesce(jsonb_agg(t.row || jsonb_build_object('named_at', n.named_at)) filter (where t.row is not null), '[]'),
          coalesce(jsonb_agg(n.trxid) filter (where not (s->>'is_told')::boolean and not listed.is), '[]') into told, silent
        from (select n.trxid, n.named_at from topup_orders o, topup_named_around(o, (s->>'now')::timestamptz) n
          where o.id = (s->>'id')::uuid) n
        left join jsonb_array_elements(s->'told') t(row) on t.row->>'trxid' = n.trxid,
        lateral (select s->'noted'->'rows' @> jsonb_build_array(jsonb_build_object('trxid', n.trxid)) as is) listed;
        perform topup_order_match((s->'asked') || jsonb_build_object('rows', told || (s->'noted'->'rows'), 'silent', silent));
      when 'note' then
        perform topup_sightings_note(s->'noted');
      when 'place' then
        insert into topup_orders (id, number, user_id, service_id, family, code, service_name, brand, target, zone, quantity,
          target_kind, amount, supplier_amount, state, attempt_id, attempt_at, attempt_until, paid_at)
        select (s->>'id')::uuid, s->>'id', (s->>'user_id')::bigint, x.id, x.family, x.code, x.name, x.brand, s->>'target',
          s->>'zone', q.quantity, x.target_kind,
          topup_supplier_cost(x, q.quantity) + 1000, topup_supplier_cost(x, q.quantity), 'buying', (s->>'id')::uuid,
          (s->>'at')::timestamptz, (s->>'until')::timestamptz, (s->>'at')::timestamptz
        from topup_services x, (select (s->>'quantity')::int as quantity) q
        where x.family = s->>'family' and x.code = s->>'code';
      when 'accept' then
        perform topup_order_accepted(s->'input');
      when 'end' then
        perform topup_orders_end(jsonb_build_array(jsonb_build_object('id', s->>'id', 'state', s->>'state')), s->'input');
      when 'doubt' then
        perform topup_order_doubted(s->'input');
      when 'name' then
        insert into inbox_events (id, provider, event_key, body, state, received_at, retry_at)
        values (uuidv7((s->>'at')::timestamptz - clock_timestamp()), s->>'provider', s->>'event_key', '{}', 'parked', (s->>'at')::timestamptz, (s->>'retry_at')::timestamptz);
      when 'rest' then
        update inbox_events x set state = 'applied', retry_at = null where x.event_key like s->>'events';
      when 'sync' then
        with changed as (
          update topup_services x set name = r.name, supplier_price = r.supplier_price, price = r.price
          from jsonb_populate_recordset(null::topup_services, s->'services') r
          where x.family = r.family and x.code = r.code
          returning old.supplier_price as old_supplier_price, old.price as old_price, x.id, x.supplier_price, x.price)
        insert into topup_price_history (service_id, old_supplier_price, supplier_price, old_price, price, created_at)
        select c.id, c.old_supplier_price, c.supplier_price, c.old_price, c.price, (s->>'at')::timestamptz from changed c;
        insert into topup_syncs (action, state, families, started_at, finished_at)
        values ('full-sync', 'success', jsonb_build_object(s->>'family', '{"state": "applied"}'::jsonb),
          (s->>'at')::timestamptz, (s->>'at')::timestamptz);
      when 'decide' then
        if (s->>'is_over')::boolean and exists (select from topup_orders x where x.id = (s->>'id')::uuid and x.state = 'review')
          and not exists (select from topup_orders x where x.trxid = s->'input'->>'trxid') then
          perform topup_order_by_hand(s->'input');
        end if;
    end case;
  end loop;
  select jsonb_build_object(
    'ends', jsonb_agg(jsonb_build_object('n', e.n, 'state', o.state, 'trxid', o.trxid, 'reason', o.review_reason,
      'note', o.supplier_note, 'decided_at', coalesce(o.finished_at, o.bought_at), 'refunds',
      (select count(*) from ledger_transfers t where t.reference = 'topup-refund/' || o.id and t.amount = o.amount))),
    'seen', (select coalesce(jsonb_object_agg(w.trxid, w.seen_at), '{}') from topup_supplier_sightings w
      where w.trxid in (select jsonb_array_elements_text(script->'trxids'))),
    'ended', (select coalesce(jsonb_object_agg(w.trxid, w.ended_at), '{}') from topup_supplier_sightings w
      where w.ended_at is not null and w.trxid in (select jsonb_array_elements_text(script->'trxids'))))
  into played
  from jsonb_to_recordset(script->'orders') e(n int, id uuid) join topup_orders o on o.id = e.id;
  raise exception using errcode = 'LB0EP';
exception when sqlstate 'LB0EP' then
  return played;
end $$`;
