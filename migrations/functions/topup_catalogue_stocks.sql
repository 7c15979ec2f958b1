-- Counted stocks in the catalogue sync, for a run that topup_sync_begin began.

-- Which game services' stock is asked about next: by turns one that is counted and one that is not yet, of each kind whose
-- turn was the longest ago. A run asks about few: were the counted ones always first, no others would ever be counted.
-- {sync_id, limit, before} -> [{id, code}]
create or replace function topup_sync_stock_due(input jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'code', d.code) order by d.place, d.uncounted), '[]') from (
    select s.id, s.code, s.stock_type = 'UNLIMITED' as uncounted,
      row_number() over (partition by s.stock_type = 'UNLIMITED' order by s.stock_checked_at nulls first, s.code) as place
    from topup_services s
    where s.family = 'game' and s.status <> 'gone' and s.active
      and (s.stock_checked_at is null or s.stock_checked_at < (input->>'before')::timestamptz)
    order by place, uncounted
    limit (input->>'limit')::int) d
$$;

-- Counted stocks as the supplier tells them: {sync_id, stocks: [{id, stock, asked_at?}]}; stock null: it does not tell, so
-- what we know stays. A count is as of when it was asked for: what orders have taken since, or may have, is taken from it.
-- Open orders keep what they reserved. What others had taken is theirs to give back until more is told than was left: that
-- may be the very piece, of a purchase that failed and of which nobody heard yet. A change leaves a row in the history.
create or replace function topup_sync_stock(input jsonb) returns boolean language plpgsql as $$
declare
  changed int;
  takers uuid[];
begin
  perform from topup_syncs s where s.id = (input->>'sync_id')::uuid and s.state = 'running' for no key update;
  if not found then return false; end if;
  -- Orders before services, as whoever ends an order locks them; with those that may take before the services are locked.
  takers := array(select o.id from topup_orders o
    where o.stock_held in ('reserved', 'taken') and o.state in ('queued', 'buying', 'unknown', 'review', 'processing')
      and o.service_id in (select t.id from jsonb_to_recordset(input->'stocks') as t(id uuid))
    order by o.id for no key update);
  perform from topup_services s
  where s.id in (select t.id from jsonb_to_recordset(input->'stocks') as t(id uuid))
  order by s.id for no key update;
  with asked as materialized (
    select distinct on (t.id) t.* from jsonb_to_recordset(input->'stocks') as t(id uuid, stock int, asked_at timestamptz)
    order by t.id),
  -- The rows' own clock is the database's, the others are the Worker's: the hour only bounds what is read.
  taken_since as materialized (
    select o.id, o.service_id, o.quantity
    from asked t join topup_stock_history h on h.service_id = t.id and h.type = 'ORDER_REDUCTION'
        and h.created_at > t.asked_at - interval '1 hour'
      join topup_orders o on o.id = h.order_id
    where o.state not in ('failed', 'cancelled', 'refunded') and least(o.bought_at, o.attempt_until) >= t.asked_at),
  told as (
    select t.id, greatest(t.stock - coalesce(
      (select sum(x.quantity)::int from taken_since x where x.service_id = t.id), 0), 0) as stock
    from asked t where t.stock is not null
    union all select t.id, null from asked t where t.stock is null),
  updated as (
    update topup_services s set stock_checked_at = now(), stock = coalesce(t.stock, s.stock),
      stock_type = case when t.stock is null then s.stock_type else 'LIMITED' end,
      updated_at = case when t.stock <> coalesce(s.stock, -1) then now() else s.updated_at end
    from told t where s.id = t.id
    returning s.id, old.stock as old_stock, new.stock),
  given_back as (
    update topup_orders o set stock_held = null from updated u
    where u.stock > u.old_stock and o.service_id = u.id and o.id = any (takers) and o.stock_held = 'taken'
      and not exists (select from taken_since x where x.id = o.id)),
  noted as (
    insert into topup_stock_history (service_id, type, quantity, old_stock, new_stock, reason, created_at)
    select id, 'SYNC_UPDATE', coalesce(stock, 0) - coalesce(old_stock, 0), old_stock, stock, 'sync', clock_timestamp()
    from updated where old_stock is distinct from stock)
  select count(*) into changed from updated where old_stock is distinct from stock;
  update topup_syncs s set beat_at = now(), stock_updated = s.stock_updated + changed
  where s.id = (input->>'sync_id')::uuid;
  return true;
end $$;
