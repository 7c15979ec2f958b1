-- What the supplier says of purchases under way: how they move, what ends them, and what the operator should hear.

-- {updates: [{id, trxid, outcome: open|success|partial|failed|cancelled|refunded|unreadable|missing|untold, charged?,
--  remain?, start_count?, notes?, supplier_note?, sealed_serial?, strange?, target?, zone?, quantity?, service?, code?}],
-- now, alert_to} -> {orders, wake}. What the supplier says of purchases that are under way (`missing`: it does not know it;
-- `untold`: it did not answer), judged by topup_updates_judged. `service`: the name that it shows, where it tells no `code`.
-- Only a `processing` order with this trxid moves, one that is known again (topup_is_known_again), and one that a person is
-- asked about where the supplier gives our money back: whatever was bought there, its buyer gets his. Not where the answer to
-- the order named another service: that may be another's purchase, and the order's own be there beside it; where it named
-- something else, the history has told that it is not. All others stay as they are, but that one which was delivered gets
-- the serial number that it lacks; it is among `orders` then, and its end is told to resellers again.
create or replace function topup_orders_advance(input jsonb) returns jsonb language plpgsql as $$
declare
  moment timestamptz := (input->>'now')::timestamptz;
  u record;
  o topup_orders;
  doubt text;
  ends jsonb := '[]';
  wakes jsonb := '[]';
  served jsonb := '[]';
  strange jsonb := '{}';
  word record;
  ended jsonb;
begin
  -- Before any mail, whose key several orders may have: whoever waits for that must hold none that is still to come here.
  perform from topup_orders x
  where x.id in (select r.id from jsonb_to_recordset(input->'updates') as r(id uuid)) order by x.id for no key update;
  input := input || jsonb_build_object('updates', topup_updates_judged(input->'updates'));
  wakes := topup_orders_know_again(input);
  for u in
    select r.* from jsonb_to_recordset(input->'updates') as r(id uuid, trxid text, outcome text, charged bigint,
      remain int, start_count int, notes text, supplier_note text, sealed_serial text, strange text, service text)
    order by r.id
  loop
    update topup_orders x set asked_at = moment,
      ask_at = topup_next_ask(x, input, topup_serial_due(x, moment)),
      sealed_serial = case when u.outcome in ('success', 'partial') then u.sealed_serial end,
      updated_at = case when u.outcome in ('success', 'partial') and u.sealed_serial is not null then now()
        else x.updated_at end
    where x.id = u.id and x.trxid = u.trxid and topup_lacks_serial(x)
    returning * into o;
    if found and o.sealed_serial is not null then
      served := served || to_jsonb(o);
      -- Who was told that it is delivered asked then, and found no serial number.
      perform topup_order_event(o);
      wakes := wakes || topup_notify(o.id);
    end if;
    select * into o from topup_orders x
    where x.id = u.id and x.trxid = u.trxid and x.state in ('processing', 'review') for no key update;
    continue when not found;
    doubt := topup_name_doubt(o, u.service, u.charged);
    if doubt is not null and u.outcome in ('open', 'success', 'partial') then
      u.outcome := 'unreadable';
      u.supplier_note := doubt;
    end if;
    update topup_orders x set
      charged_amount = case when topup_is_absurd(x, u.charged) or x.state = 'review' and x.bought_at is null
        then x.charged_amount
        else coalesce(u.charged, x.charged_amount) end,
      remain = coalesce(u.remain, x.remain), start_count = coalesce(u.start_count, x.start_count),
      notes = coalesce(u.notes, x.notes), supplier_note = coalesce(u.supplier_note, x.supplier_note),
      -- Of what may be another's purchase the token is another's too.
      -- What stood there under a word that nobody knows was none, once it is delivered without: its own may come late.
      sealed_serial = case when x.state = 'review' and x.bought_at is null then x.sealed_serial
        when u.outcome in ('success', 'partial') then u.sealed_serial
        -- A note under a word that says that it is not there yet is none: it may be ended by hand, and its own come later.
        when u.outcome = 'open' and u.strange is null then null
        else coalesce(u.sealed_serial, x.sealed_serial) end, asked_at = moment,
      absences = case u.outcome when 'missing' then x.absences + 1 when 'untold' then x.absences else 0 end,
      absent_since = case u.outcome when 'missing' then coalesce(x.absent_since, moment)
        when 'untold' then x.absent_since end,
      -- An old purchase moves seldom: it is asked about after a tenth of its age, between half a minute and an hour.
      ask_at = topup_next_ask(x, input,
        moment + least(greatest((moment - x.paid_at) / 10, interval '30 seconds'), interval '1 hour'))
    where x.id = o.id
    returning * into o;
    if o.state = 'review' then
      if u.outcome in ('failed', 'cancelled', 'refunded') and (o.bought_at is not null or o.answered_trxid = o.trxid) then
        ends := ends || jsonb_build_object('id', o.id, 'state', u.outcome);
      end if;
      continue;
    end if;
    wakes := wakes || topup_order_point_out(o, topup_advance_worry(o, u.outcome, moment), input->>'alert_to');
    if u.strange is not null then
      strange := jsonb_build_object(u.strange, o.number) || strange;
    end if;
    -- What comes back to us costs nothing: its price does not matter.
    if u.outcome in ('open', 'success', 'partial') and topup_is_absurd(o, u.charged) then
      wakes := wakes || jobs_wakes(topup_absurd_alert(o, u.charged, input->>'alert_to'));
    end if;
    doubt := topup_advance_doubt(o, u.outcome, u.remain);
    if doubt is not null then
      wakes := wakes || (topup_order_review(o, doubt, input->>'alert_to')->'wake');
    elsif u.outcome not in ('open', 'missing', 'untold') then
      ends := ends || jsonb_build_object('id', o.id, 'state', u.outcome);
    end if;
  end loop;
  -- In one order: two such calls may tell the same words.
  for word in select e.key, e.value from jsonb_each_text(strange) e order by e.key collate "C" loop
    wakes := wakes || jobs_wakes(mail_enqueue('alert', input->>'alert_to', 'alert/topup-word/' || md5(word.key),
      jsonb_build_object('what', 'Status penyedia tidak dikenal',
        'facts', jsonb_build_object('pesanan', word.value, 'status', word.key))));
  end loop;
  ended := topup_orders_end(ends, input);
  return ended || jsonb_build_object('wake', wakes || (ended->'wake'), 'orders', (ended->'orders') || served);
end $$;

-- Whether it was delivered without the token or voucher that its kind may have: a supplier may tell it after the word of
-- success. It is looked for by itself and at its buyer's wish while topup_serial_patience() lasts, and taken from a callback
-- whenever. Index topup_orders_serial_idx says the same.
create or replace function topup_lacks_serial(o topup_orders) returns boolean language sql immutable as $$
  select o.state in ('success', 'partial') and o.family <> 'social' and o.sealed_serial is null and o.trxid is not null
$$;

-- For how long after an order ended its serial number is asked for.
create or replace function topup_serial_patience() returns interval language sql immutable as $$
  select interval '3 days'
$$;

-- When the supplier is asked again, who was due then: whoever wished for a look while it was being asked (clocks differ)
-- knows of something newer, so that look is still to come. The release before does not say since when it asked.
create or replace function topup_next_ask(x topup_orders, input jsonb, due timestamptz) returns timestamptz
language sql stable as $$
  select case when x.ask_at between (input->>'asked_from')::timestamptz
    and (input->>'now')::timestamptz + interval '1 second' then x.ask_at else due end
$$;

-- When the supplier is asked next for the serial number of an order that ended without; null: no more. After a quarter of
-- the time that it has been late, within three hours at the latest, and once more when the time is over.
create or replace function topup_serial_due(o topup_orders, moment timestamptz) returns timestamptz
language sql immutable as $$
  select case when moment < e.ends then least(e.ends,
    moment + least(greatest((moment - o.finished_at) / 4, interval '30 seconds'), interval '3 hours')) end
  from (select o.finished_at + topup_serial_patience() as ends) e
$$;

-- Why a person must look at what the supplier says of this purchase, or null. One that is plainly of other goods or for
-- somebody else: whether its buyer has what he paid for, no list tells; the supplier or he must be asked.
drop function if exists topup_advance_doubt(topup_orders, text);
-- Of a part the same word must tell the remainder: what stood there before may be what was still to come.
create or replace function topup_advance_doubt(o topup_orders, outcome text, remain int) returns text language sql stable as $$
  select case when outcome = 'partial' and coalesce(topup_advance_doubt.remain < 0, true) or outcome = 'unreadable'
    then 'supplier says ' || coalesce(o.supplier_note, outcome) end
$$;

-- What the operator should hear of a purchase under way, or null. It stays under way and is asked about as before: the
-- supplier may know it again, or end it. Social orders take days by nature.
create or replace function topup_advance_worry(o topup_orders, outcome text, moment timestamptz) returns text
language sql immutable as $$
  select case
    when outcome = 'missing' and o.absences >= 5 and o.absent_since <= moment - interval '15 minutes'
      then 'the supplier no longer knows the purchase'
    when outcome in ('open', 'untold', 'missing') and coalesce(o.bought_at, o.paid_at) <= moment
        - case o.family when 'social' then interval '3 days' else interval '1 day' end
      then 'the supplier has not delivered for ' || case o.family when 'social' then 'three days' else 'a day' end
  end
$$;

-- The order under way is in the list of reviews for this reason, of which the operator gets a mail, once; null: for none.
create or replace function topup_order_point_out(o topup_orders, reason text, alert_to text) returns jsonb
language plpgsql as $$
begin
  if reason is not distinct from o.review_reason then
    return '[]';
  end if;
  update topup_orders x set review_reason = reason, updated_at = now() where x.id = o.id;
  return jobs_wakes(case when reason is not null then
    topup_order_alert(o, 'Pesanan lama diproses penyedia', reason, alert_to) end);
end $$;
