-- Follows and private chat. Guarantees: a person follows another once, never himself; a message that the app sends by
-- both of its ways is stored once; the messages of a talk are numbered in the order in which they were stored, and each
-- side's unread count is the number of messages that came after what he has read.

-- live_follow({follower_id, followed_id})
create or replace function live_follow(input jsonb) returns jsonb language plpgsql as $$
declare
  follower bigint := (input->>'follower_id')::bigint;
  followed bigint := (input->>'followed_id')::bigint;
begin
  if follower = followed then
    perform app_error('invalid_input', 'Tidak bisa mengikuti diri sendiri');
  elsif not exists (select from identity_users u where u.id = followed and u.banned_at is null and u.deleted_at is null) then
    perform app_error('not_found', 'User tidak ditemukan');
  end if;
  insert into live_follows (follower_id, followed_id) values (follower, followed) on conflict do nothing;
  if not found then
    perform app_error('invalid_input', 'Anda sudah mengikuti user ini');
  end if;
  return 'true';
end $$;

-- live_unfollow({follower_id, followed_id})
create or replace function live_unfollow(input jsonb) returns jsonb language plpgsql as $$
begin
  delete from live_follows
    where follower_id = (input->>'follower_id')::bigint and followed_id = (input->>'followed_id')::bigint;
  if not found then
    perform app_error('invalid_input', 'Anda belum mengikuti user ini');
  end if;
  return 'true';
end $$;

-- live_chat_send({sender_id, recipient_id, content, via}) returns {id, created_at, repeated, sender_name}
-- Everything happens under the lock of the two people's conversation. The same text by the other way is the copy of a
-- message that is stored, of several the oldest: it is answered with that one (`repeated`), each message having one copy
-- at most. An event is a copy for two minutes: so long the stock client keeps what is said without a connection, it tries
-- five times, each for 20 s. A request is one for ten seconds: no client keeps it, so a later one says it again.
create or replace function live_chat_send(input jsonb) returns jsonb language plpgsql as $$
declare
  sender bigint := (input->>'sender_id')::bigint;
  recipient bigint := (input->>'recipient_id')::bigint;
  talk bigint;
  since timestamptz;
  one live_private_messages;
  original bigint;
  m live_private_messages;
  is_copy boolean;
begin
  if sender = recipient then
    perform app_error('invalid_input', 'You cannot send a message to yourself');
  elsif not exists (select from identity_users u where u.id = recipient and u.banned_at is null and u.deleted_at is null) then
    perform app_error('not_found', 'User not found');
  end if;
  insert into live_conversations (low_user_id, high_user_id)
    values (least(sender, recipient), greatest(sender, recipient)) on conflict do nothing;
  select id into talk from live_conversations
    where low_user_id = least(sender, recipient) and high_user_id = greatest(sender, recipient) for no key update;

  -- From the newest back to the first that is too old, so that a long talk costs no more; a flood has an end.
  since := clock_timestamp() - case input->>'via' when 'socket' then interval '2 minutes' else interval '10 seconds' end;
  for one in select * from live_private_messages l where l.conversation_id = talk
    order by l.id desc limit 2000 loop
    exit when one.created_at <= since;
    if one.sender_id = sender and one.content = input->>'content' and one.via <> input->>'via' and not one.twin_seen then
      original := one.id;
    end if;
  end loop;
  update live_private_messages c set twin_seen = true where c.id = original returning c.* into m;
  is_copy := found;
  if not is_copy then
    insert into live_private_messages (conversation_id, sender_id, content, via, created_at)
      values (talk, sender, input->>'content', input->>'via', clock_timestamp()) returning * into m;
    insert into live_conversation_members as o
      (user_id, peer_id, conversation_id, last_message_id, last_message_at, unread)
    values (sender, recipient, talk, m.id, m.created_at, 0), (recipient, sender, talk, m.id, m.created_at, 1)
    on conflict on constraint live_conversation_members_pkey do update
      set last_message_id = excluded.last_message_id, last_message_at = excluded.last_message_at,
        unread = o.unread + excluded.unread;
  end if;
  return jsonb_build_object('id', m.id, 'created_at', m.created_at, 'repeated', is_copy,
    'sender_name', (select u.name from identity_users u where u.id = sender));
end $$;

-- live_chat_read({user_id, peer_id, limit, offset}) returns the page of messages, newest first
-- Who looks at the newest page has read it. Nothing is written, and nothing waits, when there was nothing new.
create or replace function live_chat_read(input jsonb) returns jsonb language plpgsql as $$
declare
  me bigint := (input->>'user_id')::bigint;
  peer bigint := (input->>'peer_id')::bigint;
  seat live_conversation_members;
  page jsonb;
  newest bigint;
begin
  select * into seat from live_conversation_members o where o.user_id = me and o.peer_id = peer;
  if not found then return '[]'; end if;
  if seat.unread > 0 and (input->>'offset')::int = 0 then
    perform from live_conversations where id = seat.conversation_id for no key update;
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'sender_id', m.sender_id, 'content', m.content,
      'created_at', m.created_at, 'sender_name', u.name, 'sender_avatar', u.avatar_url) order by m.id desc), '[]'),
    max(m.id) into page, newest
  from (select * from live_private_messages p where p.conversation_id = seat.conversation_id
    order by p.id desc limit (input->>'limit')::int offset (input->>'offset')::int) m
  join identity_users u on u.id = m.sender_id;
  if seat.unread > 0 and (input->>'offset')::int = 0 then
    update live_conversation_members o set unread = 0, read_up_to = newest where o.user_id = me and o.peer_id = peer;
  end if;
  return page;
end $$;
