-- What was read of a provider's history, page by page, newest first (shared/payments/ipaymu-history.ts). Guarantees, from
-- any number of connections at once: the cursor only goes forward, and only over what was read without a gap; a charge
-- that is seen to be paid is asked about at once, also one that was closed.

-- {account, provider, at} -> {page, top, floor, began_at, since}: where the reading goes on; a new one begins where none is
-- under way. Null: nothing is open that it could tell of. With `opened_at` it is not that reading, but somebody's own from
-- the first page on.
create or replace function payments_history_begin(input jsonb) returns jsonb language plpgsql as $$
declare
  h payments_histories;
  oldest timestamptz;
begin
  select min(i.created_at) into oldest from payments_charges c join payments_intents i on i.id = c.intent_id
  where c.check_at is not null and i.provider = input->>'provider';
  oldest := least(oldest, (input->>'opened_at')::timestamptz);
  if oldest is null then return null; end if;
  insert into payments_histories as x (account, began_at) values (input->>'account',
    case when not input ? 'opened_at' then (input->>'at')::timestamptz end)
  on conflict (account) do update set updated_at = now(),
    began_at = case when input ? 'opened_at' then x.began_at else coalesce(x.began_at, (input->>'at')::timestamptz) end
  returning * into h;
  if input ? 'opened_at' then
    return jsonb_build_object('page', 1, 'top', null, 'floor', h.floor, 'began_at', input->'at', 'since', oldest);
  end if;
  return jsonb_build_object('page', h.page, 'top', h.top, 'floor', h.floor, 'began_at', h.began_at, 'since', oldest);
end $$;

-- {account, provider, is_kept, began_at, page, top, is_done, rows: [{id, ref, state}]}: a page was read. `is_kept`: of the
-- reading that goes on from run to run, not of one that somebody made from the first page on for himself. `is_done`: it
-- has come to what was read before, or to the end; `top` is the highest number that it began with.
create or replace function payments_history_page(input jsonb) returns void language plpgsql as $$
declare
  began constant timestamptz := (input->>'began_at')::timestamptz;
begin
  with seen as (
    insert into payments_sightings as s (charge_id, transaction_id, state)
    select distinct on (c.id, r.id) c.id, r.id, r.state
    from jsonb_to_recordset(input->'rows') r(id text, ref text, state text)
    join payments_charges c on c.provider_ref = r.ref
    join payments_intents i on i.id = c.intent_id and i.provider = input->>'provider'
    order by c.id, r.id
    on conflict (charge_id, transaction_id) do update set state = excluded.state, updated_at = now()
      where s.state <> excluded.state
    returning s.charge_id, s.state
  )
  update payments_charges c set check_at = least(c.check_at, now()), updated_at = now()
  where c.id in (select charge_id from seen where seen.state = 'paid')
    and c.state not in ('paid', 'refunding', 'refunded');

  if (input->>'is_done')::boolean then
    update payments_histories h set floor = greatest(h.floor, (input->>'top')::bigint),
      read_until = greatest(h.read_until, began), updated_at = now()
    where h.account = input->>'account';
  end if;
  if (input->>'is_kept')::boolean then
    update payments_histories h set updated_at = now(),
      page = case when (input->>'is_done')::boolean then 1 else h.page + 1 end,
      top = case when not (input->>'is_done')::boolean then (input->>'top')::bigint end,
      began_at = case when not (input->>'is_done')::boolean then h.began_at end
    where h.account = input->>'account' and h.began_at = began and h.page = (input->>'page')::int;
  end if;
end $$;

-- {account, provider_ref} -> {read_until, transactions: [id]}: what was read of a charge, paid ones first.
create or replace function payments_sightings_of(input jsonb) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'read_until', (select h.read_until from payments_histories h where h.account = input->>'account'),
    'transactions', (select coalesce(jsonb_agg(s.transaction_id), '[]') from (
      select s.transaction_id from payments_sightings s join payments_charges c on c.id = s.charge_id
      where c.provider_ref = input->>'provider_ref'
      order by s.state = 'paid' desc, s.created_at desc limit 10) s))
$$;
