-- market_marketplace_seen({connection_id, item_id, blocked, reason}) returns {listings}
-- What a shop says by itself of a listing. Its seller is told at once that buyers do not see it; one that waits to be
-- worked on, or is being worked on, is asked about then, and so is one that they see again, for what changed here
-- meanwhile was not taken there.
create or replace function market_marketplace_seen(input jsonb) returns jsonb language plpgsql as $$
declare
  blocked constant boolean := (input->>'blocked')::boolean;
  seen int;
begin
  update market_listings l set verify = l.verify or l.dirty or not blocked, dirty = l.dirty or not blocked,
      changes = l.changes + case when blocked and not l.dirty then 0 else 1 end, updated_at = now(),
      attempts = case when blocked then l.attempts else 0 end,
      retry_at = case when blocked then l.retry_at else market_marketplace_not_before(l.retry_at, l.doubt_at) end,
      sync_status = case when not blocked then 'pending' when l.dirty then l.sync_status else 'error' end,
      reason = case when not blocked then null when l.dirty then l.reason else input->>'reason' end
    where l.connection_id = (input->>'connection_id')::uuid and l.item_id = input->>'item_id' and l.wanted
      and (blocked or l.sync_status = 'error' and l.reason = input->>'reason');
  get diagnostics seen = row_count;
  return jsonb_build_object('listings', seen);
end $$;

-- market_marketplace_missed({connection_id, item_id}) returns {listings}
-- A shop's search does not know a listing any more. It may only be slow: so its stock is sent once more, whatever it is,
-- and the shop's answer to that tells whether the item is gone.
create or replace function market_marketplace_missed(input jsonb) returns jsonb language plpgsql as $$
declare
  missed int;
begin
  update market_listings l set pushed_stock = null, changes = l.changes + 1, dirty = true, sync_status = 'pending',
      attempts = 0, retry_at = null, updated_at = now()
    where l.connection_id = (input->>'connection_id')::uuid and l.item_id = input->>'item_id' and l.wanted
      and not l.dirty and l.sync_status = 'synced' and l.shown;
  get diagnostics missed = row_count;
  return jsonb_build_object('listings', missed);
end $$;

-- market_marketplace_looks({hour}) returns {wake}
-- Begins the daily look at what these shops show: each has an hour of its own, and one look a day.
create or replace function market_marketplace_looks(input jsonb) returns jsonb language plpgsql as $$
declare
  wakes jsonb[];
begin
  select array_agg(jobs_enqueue('market.look', 'marketplace-sync', format('market.look/%s/%s', d.id, d.day),
      jsonb_build_object('connection_id', d.id, 'day', d.day))) into wakes
    from (select c.id, to_char(now() at time zone 'utc', 'YYYY-MM-DD') as day from market_connections c
      where c.status = 'connected' and market_marketplace_pushes(c.store_id)
        and mod(abs(hashtext(c.id::text)::bigint), 24) = (input->>'hour')::int) d;
  return jsonb_build_object('wake', jobs_wakes(variadic coalesce(wakes, '{}')));
end $$;
