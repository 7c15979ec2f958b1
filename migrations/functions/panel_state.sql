-- The panel's rows as a backup holds them. Guarantees: no session, password, key or token is among them, because what is
-- taken is named column by column; a restore is one transaction that replaces all of them or none, compares what it
-- wrote with what it was given, brings back no sign-in, and acts once however often it is asked for.

-- What is taken, in the order in which it can be put back. Format 1.
create or replace function panel_state_shape() returns table (part text, source text, columns text, sort text)
language sql immutable as $$
  values
    ('sites', 'panel_sites', 'id, server_id, domain, root_path, document_root, runtime, php_version, unix_user, status,
      suspended, error, created_by, created_at, updated_at', 'id'),
    ('site_names', 'panel_site_names', 'name, site_id', 'name'),
    ('operators', 'panel_operators', 'user_id, username, created_at', 'user_id'),
    ('certificates', 'panel_certificates', 'id, server_id, site_id, domain, names, issuer, serial, not_before,
      not_after, staging, created_at, updated_at', 'id'),
    ('policies', 'panel_backup_policies', 'server_id, enabled, state, sites, databases, hour, keep_daily, keep_weekly,
      keep_monthly, to_r2, prove_days, unproven_days, created_at, updated_at', 'server_id')
$$;

-- The rows of one part from a table of that shape. What is under way in a moment is not under way after a restore.
create or replace function panel_state_rows(source text, columns text, sort text) returns jsonb
language plpgsql as $$
declare
  found_rows jsonb;
begin
  execute format('select coalesce(jsonb_agg(to_jsonb(x) order by x.%I), ''[]'') from (select %s from %s) x',
    sort, columns, source::regclass) into found_rows;
  if columns like '%unix_user%' then
    select coalesce(jsonb_agg(case when r->>'status' in ('provisioning', 'deleting')
      then r || jsonb_build_object('status', 'failed', 'error', 'was ' || (r->>'status') || ' when it was backed up')
      else r end order by n), '[]')
    into found_rows from jsonb_array_elements(found_rows) with ordinality u(r, n);
  end if;
  return found_rows;
end $$;

-- {id, server_id}: the rows for a backup that is being made -> {schema, counts, text, sha256, name, created_at}: the last
-- two for the signature, by which the panel knows them again.
create or replace function panel_state_render(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_of_agent(input);
  parts jsonb := '{}';
  counts jsonb := '{}';
  s record;
  rows jsonb;
  rendered text;
  digest text;
begin
  if b.kind <> 'state' or b.state <> 'making' then perform app_error('conflict', 'backup is ' || b.state); end if;
  -- One moment for all of them.
  lock table panel_sites, panel_site_names, panel_operators, panel_certificates, panel_backup_policies in share mode;
  for s in select * from panel_state_shape() loop
    rows := panel_state_rows(s.source, s.columns, s.sort);
    parts := parts || jsonb_build_object(s.part, rows);
    counts := counts || jsonb_build_object(s.part, jsonb_array_length(rows));
  end loop;
  rendered := jsonb_build_object('schema', 1, 'rendered_at', panel_time(now()), 'counts', counts, 'servers', (
      select coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'name', v.name) order by v.id), '[]') from panel_servers v),
    'parts', parts)::text;
  digest := encode(sha256(convert_to(rendered, 'UTF8')), 'hex');
  update panel_backups x set state_sha256 = digest, updated_at = now() where x.id = b.id;
  return jsonb_build_object('schema', 1, 'counts', counts, 'text', rendered, 'sha256', digest,
    'name', b.name, 'created_at', b.created_at);
end $$;

-- {id, server_id, sha256, state}: the document of a backup whose digest the edge kept, read through -> its parts.
create or replace function panel_state_checked(input jsonb) returns jsonb language plpgsql as $$
declare
  b panel_backups := panel_backup_of_agent(input);
  state jsonb := input->'state';
  s record;
begin
  if b.kind <> 'state' or b.state <> 'stored' then perform app_error('conflict', 'backup is ' || b.state); end if;
  if b.state_sha256 is distinct from input->>'sha256' then
    perform app_error('conflict', 'that is not the state that was backed up');
  end if;
  if (state->>'schema')::int is distinct from 1 then
    perform app_error('conflict', 'the state has format ' || coalesce(state->>'schema', '?') || ', this panel reads 1');
  end if;
  for s in select * from panel_state_shape() loop
    if jsonb_typeof(state->'parts'->s.part) is distinct from 'array'
      or jsonb_array_length(state->'parts'->s.part) is distinct from (state->'counts'->>s.part)::int
    then
      perform app_error('conflict', 'the state does not count what it holds');
    end if;
  end loop;
  return state->'parts';
end $$;

create or replace function panel_state_insert(target text, source text, columns text, rows jsonb) returns void
language plpgsql as $$
begin
  execute format('insert into %s (%s) select %s from jsonb_populate_recordset(null::%s, $1)', target::regclass, columns,
    columns, source::regclass) using rows;
end $$;

-- Puts the rows into tables of the same shape beside the live ones, and reads them back -> {counts}
create or replace function panel_state_prove(input jsonb) returns jsonb language plpgsql as $$
declare
  parts jsonb := panel_state_checked(input);
  s record;
begin
  for s in select * from panel_state_shape() loop
    execute format('create temporary table %I (like %s including all) on commit drop', 'scratch_' || s.source,
      s.source::regclass);
    perform panel_state_insert('pg_temp.scratch_' || s.source, s.source, s.columns, parts->s.part);
    if panel_state_rows('pg_temp.scratch_' || s.source, s.columns, s.sort) <> parts->s.part then
      perform app_error('conflict', 'what was restored differs: ' || s.part);
    end if;
  end loop;
  return jsonb_build_object('counts', input->'state'->'counts');
end $$;

-- {id, server_id, sha256, state, restore_id} -> {counts}. Servers keep their keys and stay; one that is not known any
-- more comes back without an agent. Every sign-in of an operator ends, but that of who asked for it.
create or replace function panel_state_restore(input jsonb) returns jsonb language plpgsql as $$
declare
  parts jsonb := panel_state_checked(input);
  asked panel_backup_restores;
  s record;
begin
  select * into asked from panel_backup_restores r
  where r.id = (input->>'restore_id')::uuid and r.backup_id = (input->>'id')::uuid for update;
  if not found then perform app_error('not_found', 'restore not found'); end if;
  if asked.applied_at is not null then return jsonb_build_object('counts', asked.counts); end if;

  lock table panel_sites, panel_site_names, panel_operators, panel_certificates, panel_backup_policies in exclusive mode;
  if exists (select from panel_jobs j where j.outcome is null and starts_with(j.subject, 'site/')) then
    perform app_error('conflict', 'jobs of sites are under way');
  end if;
  insert into panel_servers (id, name, is_default)
  select v->>'id', case when exists (select from panel_servers w where lower(w.name) = lower(v->>'name'))
    then v->>'id' else v->>'name' end, false
  from jsonb_array_elements(input->'state'->'servers') v on conflict (id) do nothing;

  for s in select * from panel_state_shape() loop
    if s.part <> 'site_names' and s.part <> 'certificates' then execute format('delete from %s', s.source::regclass); end if;
  end loop;
  delete from panel_certificates;
  for s in select * from panel_state_shape() loop
    perform panel_state_insert(s.source, s.source, s.columns, parts->s.part);
    if panel_state_rows(s.source, s.columns, s.sort) <> parts->s.part then
      perform app_error('conflict', 'what was restored differs: ' || s.part);
    end if;
  end loop;
  update identity_sessions i set revoked_at = now()
  from identity_users u
  where u.id = i.user_id and 'operator' = any (u.roles) and i.revoked_at is null
    and i.id is distinct from asked.session_id;
  update panel_backup_restores r set applied_at = now(), counts = input->'state'->'counts' where r.id = asked.id;
  return jsonb_build_object('counts', input->'state'->'counts');
exception
  when foreign_key_violation then perform app_error('conflict', 'the state names somebody who is not there');
end $$;
