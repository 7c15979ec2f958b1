-- Callbacks of the supplier that were refused: anybody can send them, so what they take of the database is bounded.

-- {provider, most_bytes} -> {forgotten}. Deletes the oldest rows of that provider beyond so many bytes. Guarantee: each
-- callback that is forgotten so is counted once, in the row `forgotten/<day>`, from any number of connections at once.
create or replace function topup_callbacks_trim(input jsonb) returns jsonb language plpgsql as $$
declare
  lost bigint;
begin
  with sized as (
    select e.id, sum(octet_length(e.body) + 300) over (order by e.id desc) as bytes
    from inbox_events e where e.provider = input->>'provider' and e.event_key not like 'forgotten/%'
  ), surplus as (
    select e.id from inbox_events e join sized s on s.id = e.id
    where s.bytes > (input->>'most_bytes')::bigint
    for update of e skip locked
  ), gone as (
    delete from inbox_events e using surplus s where e.id = s.id
    returning (e.body::jsonb->>'count')::bigint as n
  )
  select coalesce(sum(n), 0) into lost from gone;
  if lost > 0 then
    insert into inbox_events as e (provider, event_key, body, state, received_at, finished_at)
    values (input->>'provider', 'forgotten/' || current_date,
      jsonb_build_object('verdict', 'forgotten', 'count', lost), 'applied', now(), now())
    on conflict on constraint inbox_events_event_key do update set body = jsonb_build_object('verdict', 'forgotten',
      'count', lost + (e.body::jsonb->>'count')::bigint);
  end if;
  return jsonb_build_object('forgotten', lost);
end $$;
