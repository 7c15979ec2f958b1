-- The catalogue sync: begin -> (stage pieces -> apply) per family -> finish. Guarantees, from any number of connections:
-- one run at a time; a family's services change in one transaction and only when its whole list is here; a list that is
-- empty or lost more than half of the known services changes nothing; every step may be repeated after a crash.

-- Whether a run that has not ended is worked on by nobody any more: its job has ended, or gave no sign for 15 minutes, far
-- longer than the lease after which another worker goes on with it.
create or replace function topup_sync_is_abandoned(run topup_syncs) returns boolean language sql stable as $$
  select run.state = 'running' and (run.beat_at < now() - interval '15 minutes'
    or exists (select from jobs j where j.id = run.job_id and j.state in ('success', 'failed')))
$$;

-- A run as it stands. An abandoned one is told as the next sync will end it, with its last sign as its end; until then its
-- job may still come back to it.
create or replace function topup_sync_json(run topup_syncs) returns jsonb language sql stable as $$
  select jsonb_build_object('id', run.id, 'action', run.action, 'level', run.level,
    'state', case when a.abandoned then 'failed' else run.state end, 'families', run.families,
    'error', case when a.abandoned then 'abandoned' else run.error end, 'job_id', run.job_id,
    'started_at', run.started_at, 'finished_at', case when a.abandoned then run.beat_at else run.finished_at end,
    'counts', jsonb_build_object('servicesAdded', run.services_added, 'servicesUpdated', run.services_updated,
      'productsAdded', run.products_added, 'productsUpdated', run.products_updated,
      'stockUpdated', run.stock_updated))
  from (select topup_sync_is_abandoned(run) as abandoned) a
$$;

-- Starts a run and its job, or tells the one that is under way. An abandoned run is over.
-- {action, force, requested_by} -> {begun, sync, wake}
create or replace function topup_sync_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  run topup_syncs;
  job jsonb;
begin
  update topup_syncs s set state = 'failed', error = 'abandoned', finished_at = now()
  where s.state = 'running' and topup_sync_is_abandoned(s);

  delete from topup_syncs s where s.started_at < now() - interval '90 days' and s.state <> 'running';

  insert into topup_syncs (action, requested_by, level)
  values (input->>'action', (input->>'requested_by')::bigint,
    (select s.level from topup_syncs s order by s.started_at desc limit 1))
  on conflict (state) where state = 'running' do nothing
  returning * into run;
  if run.id is null then
    select * into run from topup_syncs s where s.state = 'running';
    return jsonb_build_object('begun', false, 'sync', case when run.id is not null then topup_sync_json(run) end,
      'wake', '[]'::jsonb);
  end if;

  job := jobs_enqueue('topup.sync', 'topup', 'topup.sync/' || run.id,
    jsonb_build_object('sync_id', run.id, 'force', coalesce((input->>'force')::boolean, false)));
  update topup_syncs s set job_id = (job->>'id')::uuid where s.id = run.id returning * into run;
  return jsonb_build_object('begun', true, 'sync', topup_sync_json(run), 'wake', jobs_wakes(job));
end $$;

-- {sync_id, level?, dearest?} -> the run as it stands, with its heart beaten if it still runs; null where there is none.
-- `level`: the account's, if it could be asked for; `dearest`: it is none that we know, so no price of a level is ours.
create or replace function topup_sync_beat(input jsonb) returns jsonb language plpgsql as $$
declare
  run topup_syncs;
begin
  update topup_syncs s set beat_at = now(),
    level = case when not coalesce((input->>'dearest')::boolean, false) then coalesce(input->>'level', s.level) end
  where s.id = (input->>'sync_id')::uuid and s.state = 'running' returning * into run;
  if not found then select * into run from topup_syncs s where s.id = (input->>'sync_id')::uuid; end if;
  return case when run.id is not null then topup_sync_json(run) end;
end $$;

-- Takes a piece of a family's list: {sync_id, family, piece, rows}. The first piece throws away what an earlier attempt
-- left. Answers whether the run is still under way.
create or replace function topup_sync_stage(input jsonb) returns boolean language plpgsql as $$
declare
  run uuid := (input->>'sync_id')::uuid;
begin
  update topup_syncs s set beat_at = now() where s.id = run and s.state = 'running';
  if not found then return false; end if;
  if (input->>'piece')::int = 0 then
    delete from topup_sync_pieces p where p.sync_id = run and p.family = input->>'family';
  end if;
  insert into topup_sync_pieces (sync_id, family, piece, rows)
  values (run, input->>'family', (input->>'piece')::int, input->'rows')
  on conflict on constraint topup_sync_pieces_pkey do update set rows = excluded.rows;
  return true;
end $$;

-- Puts a family's staged list in force, at once and as a whole: new services in, changed ones changed, re-priced ones
-- priced anew with a history row, vanished ones 'gone'. `active`, stock and what orders reserved stay as they are.
-- One that the list names at more than `most_drop` per cent below the known price is off sale at the old price until the
-- next list says so again, or an admin forces it: a slip of the supplier's list is sold to nobody, nor to those who wait.
-- `unpriced` rows of the list are not here, because nobody can tell which price they name: the operator hears of it once a
-- day, also where the list is refused for the lack of them. What was charged since the run began may
-- be newer than its lists: none makes a service cheaper again, or puts one on sale again, that an order has just shown to be
-- dearer.
-- {sync_id, family, pieces, force, most_drop, alert_to, unpriced?} ->
-- {state: applied|refused|stopped, reason?, rows, added, changed, priced, gone, held}
create or replace function topup_sync_apply(input jsonb) returns jsonb language plpgsql as $$
declare
  this_sync uuid := (input->>'sync_id')::uuid;
  this_family text := input->>'family';
  run topup_syncs;
  pieces int;
  listed int;
  known int;
  kept int;
  result jsonb;
begin
  select * into run from topup_syncs s where s.id = this_sync for no key update;
  if run.id is null or run.state <> 'running' then return jsonb_build_object('state', 'stopped'); end if;
  if run.families ? this_family then return run.families->this_family; end if;
  perform topup_catalogue_lock();

  select count(*), coalesce(sum(jsonb_array_length(p.rows)), 0) into pieces, listed
  from topup_sync_pieces p where p.sync_id = this_sync and p.family = this_family;
  select count(*) into known from topup_services s where s.family = this_family and s.status <> 'gone';
  select count(*) into kept from topup_services s
  where s.family = this_family and s.status <> 'gone' and s.code in (
    select r->>'code' from topup_sync_pieces p, jsonb_array_elements(p.rows) r
    where p.sync_id = this_sync and p.family = this_family);

  result := case
    when pieces <> (input->>'pieces')::int then jsonb_build_object('state', 'refused', 'reason', 'incomplete')
    when listed = 0 then jsonb_build_object('state', 'refused', 'reason', 'empty')
    when known >= 10 and kept * 2 < known and not coalesce((input->>'force')::boolean, false)
      then jsonb_build_object('state', 'refused', 'reason', 'shrunken', 'known', known, 'kept', kept)
    else topup_sync_enforce(this_sync, this_family,
      case when coalesce((input->>'force')::boolean, false) then 100 else (input->>'most_drop')::int end,
      run.started_at)
  end || jsonb_build_object('rows', listed);

  if (result->>'held')::int > 0 then
    perform mail_enqueue('alert', input->>'alert_to', 'alert/topup-held/' || this_sync || '/' || this_family,
      jsonb_build_object('what', 'Harga penyedia turun tajam: layanan ditahan sampai daftar berikutnya',
        'facts', jsonb_build_object('jenis', this_family, 'layanan', result->'held')));
  end if;
  if (input->>'unpriced')::int > 0 then
    perform mail_enqueue('alert', input->>'alert_to', 'alert/topup-unpriced/' || this_family || '/'
      || (now() at time zone 'Asia/Jakarta')::date,
      jsonb_build_object('what', 'Harga penyedia tidak terbaca: layanan tidak dijual',
        'facts', jsonb_build_object('jenis', this_family, 'layanan', input->'unpriced', 'hasil', result->>'state')));
  end if;

  delete from topup_sync_pieces p where p.sync_id = this_sync and p.family = this_family;
  update topup_syncs s set beat_at = now(),
    families = s.families || jsonb_build_object(this_family, result),
    services_added = s.services_added + coalesce((result->>'added')::int, 0),
    services_updated = s.services_updated + coalesce((result->>'changed')::int, 0) + coalesce((result->>'gone')::int, 0),
    products_added = s.products_added + coalesce((result->>'added')::int, 0),
    products_updated = s.products_updated + coalesce((result->>'priced')::int, 0)
  where s.id = this_sync;
  return result;
end $$;

-- The swap itself, for topup_sync_apply alone: its caller holds the run's row. One statement; rows that are as listed
-- are not written, so an hourly run costs what has changed. Rows are locked in the order of ids, as all who change
-- several services do.
create or replace function topup_sync_enforce(this_sync uuid, this_family text, most_drop int,
  begun_at timestamptz default 'infinity') returns jsonb language sql as $$
  with listed as materialized (
    select distinct on (r.code) r.*
    from topup_sync_pieces p, jsonb_to_recordset(p.rows) as r(
      code text, name text, brand text, category text, type text, note text, needs_zone boolean, target_kind text,
      min_quantity int, max_quantity int, maintenance text, multi_trx boolean, supplier_price bigint, status text,
      sellable boolean)
    where p.sync_id = this_sync and p.family = this_family
    -- Of a code that is listed twice the dearer row: nobody tells which of them an order will be charged as.
    order by r.code, r.supplier_price desc, p.piece),
  margins as materialized (
    select b.brand, m.percent_bp, m.fixed
    from (select distinct brand from listed) b, topup_margin(this_family, b.brand, 'member') m),
  believed as materialized (
    select l.code, l.supplier_price as listed_price, s.supplier_price as known_price,
      coalesce(l.supplier_price * 100 < s.supplier_price * (100 - most_drop)
        and not coalesce(l.supplier_price * 100 >= s.held_price * (100 - most_drop), false), false) as is_held
    from listed l left join topup_services s on s.family = this_family and s.code = l.code),
  priced as materialized (
    select l.code, l.name, l.brand, l.category, l.type, l.note, l.needs_zone, l.target_kind, l.min_quantity,
      l.max_quantity, l.maintenance, l.multi_trx, l.sellable, m.percent_bp, m.fixed, p.supplier_price,
      topup_priced(p.supplier_price, m.percent_bp, m.fixed) as price,
      -- What is known as something else may have become what our forms cannot order, or a bill, whose price is none.
      case when b.is_held or not l.sellable then 'empty' else l.status end as status,
      case when b.is_held then b.listed_price end as held_price
    from listed l join margins m on m.brand = l.brand join believed b on b.code = l.code,
      lateral (select case when b.is_held then b.known_price else l.supplier_price end as supplier_price) p),
  touched as materialized (
    select s.id from topup_services s left join priced p on p.code = s.code
    where s.family = this_family and case when p.code is null then s.status <> 'gone' else
      (s.name, s.brand, s.category, s.type, s.note, s.needs_zone, s.target_kind, s.min_quantity, s.max_quantity,
        s.maintenance, s.multi_trx, s.supplier_price, s.price, s.held_price, s.status)
      is distinct from (p.name, p.brand, p.category, p.type, p.note, p.needs_zone, p.target_kind, p.min_quantity,
        p.max_quantity, p.maintenance, p.multi_trx, p.supplier_price, p.price, p.held_price, p.status) end
    order by s.id for no key update of s),
  updated as (
    update topup_services s set name = p.name, brand = p.brand, category = p.category, type = p.type, note = p.note,
      needs_zone = p.needs_zone, target_kind = p.target_kind, min_quantity = p.min_quantity,
      max_quantity = p.max_quantity, maintenance = p.maintenance, multi_trx = p.multi_trx,
      -- By the row as it is under the lock: whoever changed it since the run began may know more than the list.
      supplier_price = case when s.updated_at < begun_at then p.supplier_price
        else greatest(s.supplier_price, p.supplier_price) end,
      price = case when s.updated_at < begun_at then p.price
        else topup_priced(greatest(s.supplier_price, p.supplier_price), p.percent_bp, p.fixed) end,
      status = case when s.updated_at >= begun_at and s.status = 'empty' then 'empty' else p.status end,
      held_price = p.held_price, gone_at = null, sync_id = this_sync, updated_at = now()
    from priced p, touched t
    where s.id = t.id and s.code = p.code
    returning s.id, old.supplier_price as old_supplier_price, new.supplier_price, old.price as old_price, new.price,
      (old.name, old.brand, old.category, old.type, old.note, old.needs_zone, old.target_kind, old.min_quantity,
        old.max_quantity, old.maintenance, old.multi_trx, old.status)
      is distinct from (new.name, new.brand, new.category, new.type, new.note, new.needs_zone, new.target_kind,
        new.min_quantity, new.max_quantity, new.maintenance, new.multi_trx, new.status) as redescribed),
  added as (
    insert into topup_services (family, code, name, brand, category, type, note, needs_zone, target_kind, min_quantity,
      max_quantity, maintenance, multi_trx, supplier_price, price, status, active, sync_id)
    select this_family, p.code, p.name, p.brand, p.category, p.type, p.note, p.needs_zone, p.target_kind,
      p.min_quantity, p.max_quantity, p.maintenance, p.multi_trx, p.supplier_price, p.price, p.status, p.sellable,
      this_sync
    from priced p
    where not exists (select from topup_services s where s.family = this_family and s.code = p.code)
    returning id),
  vanished as (
    update topup_services s set status = 'gone', gone_at = now(), held_price = null, sync_id = this_sync,
      updated_at = now()
    from touched t
    where s.id = t.id and not exists (select from listed l where l.code = s.code)
    returning s.id),
  noted as (
    insert into topup_price_history (service_id, old_supplier_price, supplier_price, old_price, price, sync_id)
    select id, old_supplier_price, supplier_price, old_price, price, this_sync from updated
    where old_price <> price or old_supplier_price <> supplier_price)
  select jsonb_build_object('state', 'applied',
    'added', (select count(*) from added),
    'changed', (select count(*) from updated where redescribed),
    'priced', (select count(*) from updated where old_price <> price or old_supplier_price <> supplier_price),
    'gone', (select count(*) from vanished),
    'held', (select count(*) from believed where is_held))
$$;

-- A family whose list could not be read: its services stay as they are. {sync_id, family, reason}
create or replace function topup_sync_skip(input jsonb) returns boolean language plpgsql as $$
begin
  delete from topup_sync_pieces p
  where p.sync_id = (input->>'sync_id')::uuid and p.family = input->>'family';
  update topup_syncs s set beat_at = now(), families = s.families || jsonb_build_object(input->>'family',
    jsonb_build_object('state', 'failed', 'reason', input->>'reason'))
  where s.id = (input->>'sync_id')::uuid and s.state = 'running' and not s.families ? (input->>'family');
  return found;
end $$;

-- Ends a run, once: {sync_id, error, stocks?}. It failed when no family's list was put in force though some were asked
-- for, or when `error` is all that came of it: no list, and none of the `stocks` read; what is left of its pieces goes.
create or replace function topup_sync_finish(input jsonb) returns jsonb language plpgsql as $$
declare
  run topup_syncs;
  applied int;
  asked int;
begin
  select * into run from topup_syncs s where s.id = (input->>'sync_id')::uuid for no key update;
  if run.id is null then return null; end if;
  delete from topup_sync_pieces p where p.sync_id = run.id;
  if run.state <> 'running' then return topup_sync_json(run); end if;
  select count(*), count(*) filter (where value->>'state' = 'applied') into asked, applied from jsonb_each(run.families);
  update topup_syncs s set finished_at = now(), error = input->>'error', state = case
      when input->>'error' is not null and applied = 0 and coalesce((input->>'stocks')::int, 0) = 0 then 'failed'
      when asked > 0 and applied = 0 then 'failed'
      when applied < asked or input->>'error' is not null then 'partial'
      else 'success' end
  where s.id = run.id returning * into run;
  return topup_sync_json(run);
end $$;
