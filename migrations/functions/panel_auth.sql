-- {limits, name} -> what identity_signin_begin answers. The panel's people are found by their short name or by their
-- e-mail; everybody else, a customer with the right password too, is as unknown here as nobody. Guarantee: name and
-- e-mail of one person are one target for the limits.
create or replace function panel_signin_begin(input jsonb)
returns jsonb language plpgsql as $$
declare
  found_email text;
  found_phone text;
begin
  select u.email, u.phone into found_email, found_phone
  from identity_users u
  left join panel_operators o on o.user_id = u.id
  where (o.username = input ->> 'name' or u.email = input ->> 'name')
    and 'operator' = any (u.roles) and u.deleted_at is null
  order by o.username = input ->> 'name' desc nulls last
  limit 1;
  return identity_signin_begin(input || jsonb_build_object('email', found_email, 'phone',
    case when found_email is null then found_phone end));
end $$;

-- {email, username, password_hash, name} -> {user_id, made}. The panel's first operator (and any further one): an
-- account that stands already gets the role and the name, and keeps its password and its other roles.
create or replace function panel_operator_make(input jsonb)
returns jsonb language plpgsql as $$
declare
  person bigint;
  made boolean;
begin
  insert into identity_users (email, name, password_hash, roles)
  values (lower(input ->> 'email'), input ->> 'name', input ->> 'password_hash', '{operator}')
  on conflict on constraint identity_users_email_key do nothing
  returning id into person;
  made := person is not null;
  if not made then
    update identity_users set roles = roles || '{operator}'::text[], updated_at = now()
    where email = lower(input ->> 'email') and not 'operator' = any (roles);
    select id into person from identity_users where email = lower(input ->> 'email');
  end if;
  insert into panel_operators (user_id, username) values (person, lower(input ->> 'username'))
  on conflict (user_id) do update set username = excluded.username;
  perform audit_write(jsonb_build_object('actor_kind', 'system', 'action', 'auth.operator.create',
    'subject_kind', 'panel_user', 'subject_id', 'usr_' || person,
    'after', jsonb_build_object('username', lower(input ->> 'username'))));
  return jsonb_build_object('user_id', person, 'made', made);
end $$;
