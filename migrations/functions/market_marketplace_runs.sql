-- Runs: what a seller asked to be in step, and how far that is. They only watch; the pump works.

-- How far a run is, or was when its listings went.
create or replace function market_marketplace_run(run uuid) returns jsonb language sql stable as $$
  select jsonb_build_object('job_id', r.id, 'platform', c.platform, 'total', n.total, 'synced', n.synced,
    'failed', n.failed, 'pending', n.total - n.synced - n.failed, 'started_at', market_iso(r.created_at),
    'finished_at', case when n.total = n.synced + n.failed then market_iso(n.finished_at) end, 'reason', r.ended_reason)
  from market_sync_runs r
  join market_connections c on c.id = r.connection_id
  cross join lateral (select coalesce(r.ended_total, count(*)) as total,
    coalesce(r.ended_synced, count(*) filter (where i.outcome = 'synced')) as synced,
    coalesce(r.ended_total - r.ended_synced, count(*) filter (where i.outcome = 'failed')) as failed,
    coalesce(r.ended_at, max(i.finished_at)) as finished_at
    from market_sync_items i where i.run_id = r.id) n
  where r.id = run
$$;

-- What runs watched is about to go, because another shop takes the place of this one: they end, and tell how far they
-- were from then on.
create or replace function market_marketplace_end_runs(connection uuid) returns void language sql as $$
  update market_sync_runs r set ended_total = n.total, ended_synced = n.synced,
      ended_at = case when n.is_open then now() else n.finished_at end,
      ended_reason = case when n.is_open
        then format('Digantikan: %s dari %s produk terkirim sebelum toko lain dihubungkan', n.synced, n.total) end
    from (select i.run_id, count(*) as total, count(*) filter (where i.outcome = 'synced') as synced,
        max(i.finished_at) as finished_at, bool_or(i.outcome is null) as is_open
      from market_sync_items i join market_sync_runs o on o.id = i.run_id
      where o.connection_id = connection group by i.run_id) n
    where r.id = n.run_id and r.ended_at is null
$$;
