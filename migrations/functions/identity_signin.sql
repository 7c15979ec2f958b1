-- The spellings in which an account may have this number: its one spelling, and without the 0, with a second one or a
-- plus as releases before it kept what was typed as 8…, +62 0… or +08….
create or replace function identity_phones(phone text) returns text[] language sql immutable as $$
  select case when phone like '08%' then array[phone, substr(phone, 2), '0' || phone, '+' || phone] else array[phone] end
$$;

-- {limits: [pair, account, address], email, phone, name} -> {retry_after, user, keys}. Guarantee: the attempt is counted and
-- committed before anybody compares a password, so parallel guesses cannot exceed the limits; while locked no password
-- hash is handed out. A known account is counted by its user, so that its e-mail and its phone are one target.
-- Of two accounts with one number in two spellings, the one is meant whose spelling was typed (`name`).
-- The user is null when unknown or deleted; `keys` are what the attempt was counted under.
create or replace function identity_signin_begin(input jsonb)
returns jsonb language plpgsql as $$
declare
  person identity_users;
  limits jsonb := input -> 'limits';
  wait integer;
begin
  select u.* into person from identity_users u
  where (u.email = input ->> 'email' or u.phone = any (identity_phones(input ->> 'phone'))) and u.deleted_at is null
  order by u.phone is distinct from input ->> 'name', u.phone is distinct from input ->> 'phone'
  limit 1;
  if found then
    limits := jsonb_set(jsonb_set(limits,
      '{0,key}', to_jsonb('pair/' || person.id || '/' || (limits -> 2 ->> 'key'))),
      '{1,key}', to_jsonb('account/' || person.id));
  end if;
  wait := identity_count_attempts(limits);
  return jsonb_build_object('retry_after', wait, 'keys', jsonb_path_query_array(limits, '$[*].key'),
    'user', case when wait = 0 and person.id is not null then jsonb_build_object(
      'id', person.id, 'password_hash', person.password_hash, 'roles', person.roles,
      'banned', person.banned_at is not null) end);
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
