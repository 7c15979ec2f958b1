-- Guarantee: returns only while the sign-in is alive: not ended, not expired, its user neither banned nor deleted,
-- and (when a role is named) still holding it. It reads the rows as they are now, so a ban, a log-out or a lost role
-- stops every transaction that starts with this call. Otherwise raises 'bad_token' or 'forbidden'.
create or replace function identity_require_session(session uuid, person bigint, needed_role text)
returns void language plpgsql stable as $$
declare
  held_roles text[];
begin
  select u.roles into held_roles
  from identity_sessions s
  join identity_users u on u.id = s.user_id
  where s.id = session and s.user_id = person
    and s.revoked_at is null and s.expires_at > now()
    and u.banned_at is null and u.deleted_at is null;
  if held_roles is null then
    perform app_error('bad_token', 'Token tidak valid');
  end if;
  if needed_role is not null and not needed_role = any (held_roles) then
    perform app_error('forbidden', '');
  end if;
end $$;
