-- {limits, email, phone} -> {retry_after, user}. Guarantee: the attempt is counted and committed before anybody
-- compares a password, so parallel guesses cannot exceed the limits; while locked no password hash is handed out.
-- The user is null when unknown or deleted.
create or replace function identity_signin_begin(input jsonb)
returns jsonb language plpgsql as $$
declare
  wait constant integer := identity_count_attempts(input -> 'limits');
  found_user jsonb;
begin
  if wait = 0 then
    select jsonb_build_object(
        'id', u.id, 'password_hash', u.password_hash, 'roles', u.roles,
        'banned', u.banned_at is not null)
      into found_user
    from identity_users u
    where (u.email = input ->> 'email' or u.phone = input ->> 'phone') and u.deleted_at is null;
  end if;
  return jsonb_build_object('retry_after', wait, 'user', found_user);
end $$;

-- {user_id, password_hash, seconds, pair_key, other_keys[]} -> {session_id}. Called once the password has matched.
-- Guarantee: a session is made only if the account still has that very hash and is neither banned nor deleted (else
-- session_id is null); the pair starts from zero and this attempt is taken back from the account and the address.
create or replace function identity_signin_finish(input jsonb)
returns jsonb language plpgsql as $$
declare
  other_key text;
  new_session uuid;
begin
  delete from identity_attempts where key = input ->> 'pair_key';
  for other_key in select jsonb_array_elements_text(input -> 'other_keys') loop
    update identity_attempts set failures = greatest(failures - 1, 0) where key = other_key;
  end loop;
  insert into identity_sessions (user_id, expires_at)
  select u.id, now() + make_interval(secs => (input ->> 'seconds')::integer)
  from identity_users u
  where u.id = (input ->> 'user_id')::bigint
    and u.password_hash = input ->> 'password_hash'
    and u.banned_at is null and u.deleted_at is null
  for share
  returning id into new_session;
  return jsonb_build_object('session_id', new_session);
end $$;
