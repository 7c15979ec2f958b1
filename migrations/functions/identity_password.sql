-- {user_id, limits: [pair, account, address]} -> {retry_after, keys, password_hash}. Guarantee: the attempt is counted
-- and committed before anybody compares a password; while locked no hash is handed out.
create or replace function identity_password_begin(input jsonb)
returns jsonb language plpgsql as $$
declare
  wait constant integer := identity_count_attempts(input -> 'limits');
begin
  return jsonb_build_object('retry_after', wait, 'keys', jsonb_path_query_array(input -> 'limits', '$[*].key'),
    'password_hash', case when wait = 0 then (
      select password_hash from identity_users where id = (input ->> 'user_id')::bigint and deleted_at is null) end);
end $$;

-- {user_id, session_id, old_hash, new_hash, keys} -> {changed: true}. Guarantee: only an account that still has the
-- compared hash changes (of two changes at once one is refused with 'conflict'), and every other sign-in ends with it.
create or replace function identity_password_change(input jsonb)
returns jsonb language plpgsql as $$
declare
  person constant bigint := (input ->> 'user_id')::bigint;
begin
  update identity_users set password_hash = input ->> 'new_hash', updated_at = now()
  where id = person and password_hash = input ->> 'old_hash' and deleted_at is null;
  if not found then
    perform app_error('conflict', 'password was changed meanwhile');
  end if;
  update identity_sessions set revoked_at = now()
  where user_id = person and revoked_at is null and id <> (input ->> 'session_id')::uuid;
  delete from identity_attempts where key = input -> 'keys' ->> 0;
  update identity_attempts set failures = greatest(failures - 1, 0)
  where key in (select jsonb_array_elements_text(input -> 'keys') offset 1);
  return '{"changed": true}';
end $$;
