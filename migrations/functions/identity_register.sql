-- {limits, email, phone, password_hash, name, roles[]} -> {retry_after} | {taken: 'email' | 'phone'} | {user, wake}.
-- Guarantee: one row per e-mail and per phone, however many register at once, also where an older release kept the
-- phone in another spelling (no new one comes in it); the attempt is counted even when the
-- account exists already, so that addresses cannot be probed without limit.
create or replace function identity_register(input jsonb)
returns jsonb language plpgsql as $$
declare
  wait constant integer := identity_count_attempts(input -> 'limits');
  made identity_users;
begin
  if wait > 0 then
    return jsonb_build_object('retry_after', wait);
  end if;
  insert into identity_users (email, phone, password_hash, name, roles)
  select input ->> 'email', input ->> 'phone', input ->> 'password_hash', input ->> 'name',
    array(select jsonb_array_elements_text(input -> 'roles'))
  where not exists (select from identity_users u where u.phone = any (identity_phones(input ->> 'phone')))
  on conflict do nothing
  returning * into made;
  if made.id is null then
    return jsonb_build_object('taken', case
      when exists (select from identity_users where email = input ->> 'email') then 'email'
      else 'phone' end);
  end if;
  return jsonb_build_object('user', jsonb_build_object(
    'id', made.id, 'email', made.email, 'name', made.name, 'phone', made.phone,
    'created_at', made.created_at),
    'wake', jobs_wakes(mail_enqueue('identity_welcome', made.email, 'identity_welcome/' || made.id,
      jsonb_build_object('name', made.name, 'email', made.email))));
end $$;
