-- A backup's way into R2, as its own server's agent asks for it step by step; every step may be repeated. `verified`
-- only after the agent has read back what it sent.

-- The backup of that server, or 404: an agent sees no other's.
create or replace function panel_backup_of_agent(input jsonb) returns panel_backups language plpgsql as $$
declare
  b panel_backups;
begin
  select * into b from panel_backups x
  where x.id = (input->>'id')::uuid and x.server_id = input->>'server_id' for no key update;
  if not found then perform app_error('not_found', 'backup not found'); end if;
  return b;
end $$;

create or replace function panel_backup_upload_view(b panel_backups) returns jsonb language plpgsql as $$
begin
  return jsonb_build_object('r2_state', b.r2_state, 'upload_id', b.r2_upload_id, 'part_bytes', b.r2_part_bytes,
    'bytes', b.bytes, 'parts', (
      select coalesce(jsonb_agg(jsonb_build_object('n', p.n, 'bytes', p.bytes, 'sha256', p.sha256, 'etag', p.etag)
        order by p.n), '[]')
      from panel_backup_parts p where p.backup_id = b.id));
end $$;

-- {id, server_id} -> what is there; {…, upload_id, part_bytes} too: an upload begins, unless one has meanwhile, which
-- is then answered (`upload_id` tells whose it is).
create or replace function panel_backup_upload(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_of_agent(input);
begin
  if b.state <> 'stored' then perform app_error('conflict', 'backup is ' || b.state); end if;
  if input->>'sha256' is not null and (b.bytes <> (input->>'bytes')::bigint or b.sha256 <> input->>'sha256') then
    perform app_error('conflict', 'that is not the backup that was made');
  end if;
  if input->>'upload_id' is not null and b.r2_state = 'none' then
    update panel_backups x set r2_state = 'receiving', r2_upload_id = input->>'upload_id',
      r2_part_bytes = (input->>'part_bytes')::int, updated_at = now()
    where x.id = b.id returning * into b;
  end if;
  return panel_backup_upload_view(b);
end $$;

-- {id, server_id, upload_id, n, bytes, sha256, etag}
create or replace function panel_backup_part(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_of_agent(input);
begin
  if b.r2_state <> 'receiving' or b.r2_upload_id <> input->>'upload_id' then
    perform app_error('conflict', 'the upload has ended');
  end if;
  insert into panel_backup_parts as p (backup_id, n, bytes, sha256, etag)
  values (b.id, (input->>'n')::int, (input->>'bytes')::bigint, input->>'sha256', input->>'etag')
  on conflict on constraint panel_backup_parts_pkey do update
    set bytes = excluded.bytes, sha256 = excluded.sha256, etag = excluded.etag;
  return '{}';
end $$;

-- {id, server_id, to: complete | verified, sha256?}
create or replace function panel_backup_stored(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_of_agent(input);
begin
  if b.state <> 'stored' or b.r2_state = 'none' then perform app_error('conflict', 'there is no upload'); end if;
  if input->>'to' = 'verified' then
    if b.r2_state = 'receiving' then perform app_error('conflict', 'the upload is not complete'); end if;
    if b.sha256 <> input->>'sha256' then perform app_error('conflict', 'that is not the backup that was made'); end if;
    update panel_backups x set r2_state = 'verified', updated_at = now() where x.id = b.id;
  elsif b.r2_state = 'receiving' then
    update panel_backups x set r2_state = 'complete', updated_at = now() where x.id = b.id;
    delete from panel_backup_parts p where p.backup_id = b.id;
  end if;
  return '{}';
end $$;

-- {id, server_id, upload_id}: R2 does not know that upload any more; the next one begins anew.
create or replace function panel_backup_upload_lost(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_of_agent(input);
begin
  if b.r2_state = 'receiving' and b.r2_upload_id = input->>'upload_id' then
    perform panel_backups_r2_gone(jsonb_build_object('ids', jsonb_build_array(b.id)));
  end if;
  return '{}';
end $$;

-- {ids}: their objects in R2 are gone.
create or replace function panel_backups_r2_gone(input jsonb) returns jsonb language plpgsql as $$
begin
  delete from panel_backup_parts p where p.backup_id in (select value::uuid from jsonb_array_elements_text(input->'ids'));
  update panel_backups b set r2_state = 'none', r2_upload_id = null, r2_part_bytes = null, updated_at = now()
  where b.id in (select value::uuid from jsonb_array_elements_text(input->'ids'));
  return '{}';
end $$;
