-- Margin rules and member levels, as admins set them. Guarantees, from any number of connections at once: a scope has one
-- rule; what was changed, by whom and why is written down with it; a change of a rule leaves a job that re-prices.

create or replace function topup_margin_view(r topup_margin_rules) returns jsonb language sql stable as $$
  select jsonb_build_object('id', r.id, 'family', r.family, 'brand', r.brand, 'level', r.member_level,
    'percent', r.percent_bp / 100.0, 'fixed', r.fixed, 'active', r.active, 'updatedAt', r.updated_at)
$$;

-- {} -> all rules, the general ones first, each brand's together: topup_margin_view and `matches`, for how many services on sale a
-- rule was made, `decides`, how many of them have a price by it: the others' is a more specific rule's.
create or replace function topup_margin_list(input jsonb) returns jsonb language sql stable as $$
  with sold as materialized (
    select s.family, s.brand, count(*) as n from topup_services s where s.status <> 'gone' and s.active group by 1, 2),
  decided as materialized (
    select distinct b.family, b.brand, b.n, topup_margin_rule(b.family, b.brand, l.level) as id
    from sold b, unnest('{member,reseller,agent}'::text[]) l(level)),
  decides as (select d.id, sum(d.n) as n from decided d group by d.id)
  select coalesce(jsonb_agg(topup_margin_view(r) || jsonb_build_object(
      'matches', (select coalesce(sum(b.n), 0) from sold b
        where b.family = coalesce(r.family, b.family) and b.brand = coalesce(r.brand, b.brand)),
      'decides', coalesce(d.n, 0))
    order by r.brand nulls first, r.family nulls first, r.member_level nulls first), '[]')
  from topup_margin_rules r left join decides d on d.id = r.id
$$;

-- What its author should hear of a rule for no service that is listed: the brands whose spelling comes near, by the pieces
-- that both have among those of either. Null where there is nothing to say.
create or replace function topup_margin_warning(rule jsonb) returns text language sql stable as $$
  with listed as materialized (
    select distinct s.family, s.brand from topup_services s where s.status <> 'gone'),
  wanted as materialized (select topup_spelling_pieces(rule->>'brand') as pieces),
  near as (
    select b.brand, b.family, c.both::float8 / (cardinality(b.pieces) + cardinality(w.pieces) - c.both) as likeness
    from wanted w, (select l.*, topup_spelling_pieces(l.brand) as pieces from listed l offset 0) b,
      lateral (select count(*) as both from unnest(b.pieces) p where p = any (w.pieces)) c
    where c.both > 0
    order by likeness desc, b.family = rule->>'family' desc nulls last, b.brand limit 5)
  select 'No service matches this rule' || coalesce('. Did you mean: ' || (
      select string_agg(format('%s (%s)', n.brand, n.family), ', ') from near n where n.likeness > 0.3) || '?', '')
  where not exists (select from listed b where b.family = coalesce(rule->>'family', b.family)
    and b.brand = coalesce(rule->>'brand', b.brand))
$$;

-- The pieces of three letters that a name is made of; case, spaces and signs aside.
create or replace function topup_spelling_pieces(name text) returns text[] language sql immutable as $$
  select coalesce(array_agg(distinct substr(n.padded, at, 3)), '{}')
  from (select '  ' || lower(regexp_replace(name, '[^[:alnum:]]', '', 'g')) || ' ' as padded) n,
    generate_series(1, length(n.padded) - 2) at
$$;

-- {verb: create|change|delete, id?, rule: {family?, brand?, level?, percent_bp?, fixed?, active?}, most_rules} -> {was, is},
-- each a topup_margin_view or null. The change itself, for the two functions below.
create or replace function topup_margin_set(input jsonb) returns jsonb language plpgsql as $$
declare
  given jsonb := input->'rule';
  was topup_margin_rules;
  r topup_margin_rules;
begin
  perform topup_catalogue_lock();
  if input->>'verb' = 'create' then
    if (select count(*) from topup_margin_rules) >= (input->>'most_rules')::int then
      perform app_error('conflict', 'There are too many rules already');
    end if;
    insert into topup_margin_rules (family, brand, member_level, percent_bp, fixed, active)
    values (given->>'family', given->>'brand', given->>'level', (given->>'percent_bp')::int, (given->>'fixed')::bigint,
      (given->>'active')::boolean)
    on conflict on constraint topup_margin_rules_scope_key do nothing
    returning * into r;
    if not found then
      perform app_error('conflict', 'There is a rule for this scope already');
    end if;
    return jsonb_build_object('was', null, 'is', topup_margin_view(r));
  end if;
  select * into was from topup_margin_rules m where m.id = (input->>'id')::uuid for update;
  if not found then
    perform app_error('not_found', 'Rule not found');
  end if;
  if input->>'verb' = 'delete' then
    delete from topup_margin_rules m where m.id = was.id;
    return jsonb_build_object('was', topup_margin_view(was), 'is', null);
  end if;
  update topup_margin_rules m set percent_bp = coalesce((given->>'percent_bp')::int, m.percent_bp),
    fixed = coalesce((given->>'fixed')::bigint, m.fixed), active = coalesce((given->>'active')::boolean, m.active),
    updated_at = now()
  where m.id = was.id
  returning * into r;
  return jsonb_build_object('was', topup_margin_view(was), 'is', topup_margin_view(r));
end $$;

-- topup_margin_set's input, {reason, audit} -> {rule, warning, job, wake}. Member levels pay by the new rule from now on, the
-- catalogue's own prices follow with the job.
create or replace function topup_margin_write(input jsonb) returns jsonb language plpgsql as $$
declare
  made jsonb := topup_margin_set(input);
  rule jsonb := coalesce(nullif(made->'is', 'null'), made->'was');
  job jsonb := jobs_enqueue('topup.reprice', 'topup', null, '{}');
begin
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.margin.' || (input->>'verb'),
    'subject_kind', 'topup_margin', 'subject_id', rule->>'id', 'reason', input->>'reason',
    'before', made->'was', 'after', made->'is'));
  return jsonb_build_object('rule', rule, 'job', job->>'id', 'wake', jobs_wakes(job),
    'warning', case when input->>'verb' <> 'delete' then topup_margin_warning(rule) end);
end $$;

-- topup_margin_set's input, {examples} -> what would change, by level, the largest changes, and the warning. Nothing is changed: what
-- is done here is undone before it answers, the catalogue's version is not even touched.
create or replace function topup_margin_preview(input jsonb) returns jsonb language plpgsql as $$
declare
  before jsonb := topup_margins_now();
  made jsonb;
  effect jsonb;
begin
  begin
    perform set_config('topup.catalogue_changed', 'yes', true);
    made := topup_margin_set(input);
    effect := topup_margin_effect(before, (input->>'examples')::int) || jsonb_build_object('warning',
      case when input->>'verb' <> 'delete' then topup_margin_warning(made->'is') end);
    raise exception using errcode = 'LB002', message = 'a preview is undone';
  exception when sqlstate 'LB002' then
    return effect;
  end;
end $$;

-- The margins in force, of every brand that is on sale and every member level.
create or replace function topup_margins_now() returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('family', b.family, 'brand', b.brand, 'level', l.level,
    'percent_bp', m.percent_bp, 'fixed', m.fixed)), '[]')
  from (select distinct s.family, s.brand from topup_services s where s.status <> 'gone' and s.active) b,
    unnest('{member,reseller,agent}'::text[]) l(level), topup_margin(b.family, b.brand, l.level) m
$$;

-- What prices become under the rules as they are now, where the margins were `before`: {levels: {<level>: {services, raised,
-- lowered}}, examples: [the largest changes by share]}. A plain member's old price is the catalogue's.
create or replace function topup_margin_effect(before jsonb, most int) returns jsonb language sql stable as $$
  with margins as materialized (
    select b.family, b.brand, b.level, b.percent_bp as old_bp, b.fixed as old_fixed, m.percent_bp, m.fixed
    from jsonb_to_recordset(before) b(family text, brand text, level text, percent_bp int, fixed bigint),
      topup_margin(b.family, b.brand, b.level) m),
  priced as materialized (
    select m.level, s.family, s.code, s.name, s.brand, s.supplier_price,
      case m.level when 'member' then s.price else topup_priced(s.supplier_price, m.old_bp, m.old_fixed) end as old_price,
      topup_priced(s.supplier_price, m.percent_bp, m.fixed) as price
    from topup_services s join margins m on m.family = s.family and m.brand = s.brand
    where s.status <> 'gone' and s.active and (m.old_bp, m.old_fixed) <> (m.percent_bp, m.fixed))
  select jsonb_build_object(
    'levels', (select jsonb_object_agg(l.level, jsonb_build_object('services', c.services, 'raised', c.raised,
        'lowered', c.lowered))
      from unnest('{member,reseller,agent}'::text[]) l(level), lateral (
        select count(*) filter (where p.price <> p.old_price) as services,
          count(*) filter (where p.price > p.old_price) as raised,
          count(*) filter (where p.price < p.old_price) as lowered
        from priced p where p.level = l.level) c),
    'examples', (select coalesce(jsonb_agg(jsonb_build_object('level', e.level, 'family', e.family, 'service', e.code,
        'name', e.name, 'brand', e.brand, 'supplierPrice', e.supplier_price, 'price', e.old_price, 'newPrice', e.price)
        order by e.share desc, e.code, e.level), '[]')
      from (select p.*, abs(p.price - p.old_price)::numeric / p.old_price as share from priced p
        where p.price <> p.old_price order by share desc, p.code, p.level limit most) e))
$$;

-- {user_id, level, reason, audit} -> {userId, level, was}: which prices a user pays from his next order on. No admin gives
-- himself better ones.
create or replace function topup_member_set(input jsonb) returns jsonb language plpgsql as $$
declare
  person bigint := (input->>'user_id')::bigint;
  wanted text := input->>'level';
  was text;
begin
  if person = (input->'audit'->>'actor_id')::bigint and wanted <> 'member' then
    perform app_error('forbidden', 'Another admin must set your own level');
  end if;
  perform from identity_users u where u.id = person and u.deleted_at is null for no key update;
  if not found then
    perform app_error('not_found', 'User not found');
  end if;
  was := topup_level(person);
  if wanted = 'member' then
    delete from topup_members m where m.user_id = person;
  else
    insert into topup_members as m (user_id, level) values (person, wanted)
    on conflict (user_id) do update set level = excluded.level, updated_at = now() where m.level <> excluded.level;
  end if;
  perform audit_write(input->'audit' || jsonb_build_object('action', 'topup.member.level', 'subject_kind', 'user',
    'subject_id', person, 'reason', input->>'reason', 'before', jsonb_build_object('level', was),
    'after', jsonb_build_object('level', wanted)));
  return jsonb_build_object('userId', person, 'level', wanted, 'was', was);
end $$;
