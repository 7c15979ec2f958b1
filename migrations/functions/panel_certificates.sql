-- {server?, domain, command, email, audit} -> {job}. Certificates are asked for names of sites that are served, never
-- for a name that somebody happens to type.
create or replace function panel_issue_certificate(input jsonb) returns jsonb language plpgsql as $$
declare
  site panel_sites;
  job jsonb;
begin
  select s.* into site from panel_sites s join panel_site_names n on n.site_id = s.id
  where n.name = input->>'domain' and (input->>'server' is null or s.server_id = input->>'server')
  for no key update of s;
  if not found then perform app_error('not_found', 'site not found'); end if;
  if site.status <> 'active' then perform app_error('conflict', 'site is ' || site.status); end if;

  job := panel_start_command(input->'command' || jsonb_build_object('server', site.server_id,
    'input', input->'command'->'input' || jsonb_build_object('siteId', site.id, 'domain', site.domain,
      'aliases', panel_site_shape(site)->'aliases')));
  perform audit_write(input->'audit' || jsonb_build_object('action', 'ssl.issue', 'subject_kind', 'panel_ssl',
    'subject_id', input->>'domain', 'after', jsonb_build_object('email', input->>'email', 'job_id', job->>'id')));
  return jsonb_build_object('job', job);
end $$;

-- What a certificate's command came to: the agent tells of the certificates that are in use now.
create or replace function panel_effect_certificate(job jsonb, outcome jsonb) returns jsonb language plpgsql as $$
begin
  if not (outcome->>'ok')::bool then return null; end if;
  perform panel_keep_certificate(job->>'server_id', c)
  from jsonb_array_elements(coalesce(outcome->'value'->'certificates',
    jsonb_build_array(outcome->'value'->'certificate'))) c
  where jsonb_typeof(c) = 'object';
  return null;
end $$;

-- The latest of a domain is kept; one that ends earlier than what is known (told late) changes nothing unless it is
-- of the authority's other system.
create or replace function panel_keep_certificate(server text, c jsonb) returns void language sql as $$
  insert into panel_certificates as k (server_id, site_id, domain, names, issuer, serial, not_before, not_after, staging)
  select server, (select n.site_id from panel_site_names n where n.name = c->>'domain'), c->>'domain',
    array(select jsonb_array_elements_text(c->'names')), c->>'issuer', c->>'serial',
    (c->>'notBefore')::timestamptz, (c->>'notAfter')::timestamptz, (c->>'staging')::bool
  on conflict on constraint panel_certificates_domain_key do update set site_id = excluded.site_id,
    names = excluded.names, issuer = excluded.issuer, serial = excluded.serial, not_before = excluded.not_before,
    not_after = excluded.not_after, staging = excluded.staging, updated_at = now()
  where excluded.not_before >= k.not_before
$$;
