-- Who stands behind sign-ins, for many sockets at once. Guarantee: an element is null when the sign-in has ended or
-- expired, or its user is banned or deleted, as the rows are now; else it is what rooms may show of the user.
-- {people: [{user_id, session_id}]} -> in the same order [{name, avatar, level, vip} | null]
create or replace function live_socket_people(input jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(
    case when u.id is not null then jsonb_build_object(
      'name', u.name, 'avatar', u.avatar_url, 'level', u.level, 'vip', u.vip_level) end
    order by a.n), '[]')
  from rows from (jsonb_to_recordset(input->'people') as (user_id bigint, session_id uuid))
    with ordinality as a(user_id, session_id, n)
  left join identity_sessions s on s.id = a.session_id and s.user_id = a.user_id
    and s.revoked_at is null and s.expires_at > now()
  left join identity_users u on u.id = s.user_id and u.banned_at is null and u.deleted_at is null
$$;

-- Guarantee: returns only while all of these sign-ins are alive; otherwise raises 'bad_token' and names those that are
-- not (`ended`). It stands before a call that moves money of many people, in the same transaction.
create or replace function live_require_sign_ins(input jsonb) returns void language plpgsql stable as $$
declare
  ended jsonb;
begin
  select jsonb_agg(input->'people'->(known.n::int - 1)->>'session_id') into ended
  from jsonb_array_elements(live_socket_people(input)) with ordinality as known(person, n)
  where known.person = 'null';
  if ended is not null then
    perform app_error('bad_token', 'Token tidak valid', jsonb_build_object('ended', ended));
  end if;
end $$;
