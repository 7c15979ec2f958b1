-- Invoices. Guarantees: one for an order, numbers of a year without gaps and without twins however many are issued at
-- once, and nothing that is written changes.

-- Issues the invoice of a paid order. To be called last in its transaction: it holds the year's counter until the
-- commit, so that a number is either issued or given to the next.
create or replace function hosting_invoice_issue(
  o hosting_orders, period_start timestamptz, period_end timestamptz, moment timestamptz
) returns hosting_invoices language plpgsql as $$
declare
  this_year int := extract(year from moment at time zone 'Asia/Jakarta');
  content jsonb := hosting_invoice_content(o, period_start, period_end, moment);
  serial int;
  invoice hosting_invoices;
begin
  insert into hosting_invoice_counters as c (year, last) values (this_year, 1)
  on conflict (year) do update set last = c.last + 1
  returning c.last into serial;
  insert into hosting_invoices (order_id, user_id, year, serial, number, content, issued_at)
  values (o.id, o.user_id, this_year, serial, 'INV/' || this_year || '/'
    || lpad(serial::text, greatest(6, length(serial::text)), '0'), content, moment)
  returning * into invoice;
  return invoice;
end $$;

-- Everything that an invoice shows, as it is on this day. Prices include PPN; its part is taken out of the total.
create or replace function hosting_invoice_content(
  o hosting_orders, period_start timestamptz, period_end timestamptz, moment timestamptz
) returns jsonb language sql stable as $$
  select jsonb_build_object('seller', o.terms->'seller',
    'buyer', jsonb_build_object('name', u.name, 'email', u.email, 'phone', u.phone),
    'lines', jsonb_build_array(jsonb_build_object('description',
      case when o.renews_subscription_id is null then 'Paket ' else 'Perpanjangan paket ' end || o.plan_name
        || case when o.domain = '' then '' else ' (' || o.domain || ')' end,
      'quantity', o.duration, 'unit_price', o.monthly_price, 'amount', o.price,
      'period_start', period_start, 'period_end', period_end)),
    'net', o.price - tax.ppn, 'ppn_percent', tax.percent, 'ppn', tax.ppn, 'total', o.price,
    'paid_at', moment, 'payment', jsonb_build_object('provider', i.provider, 'reference', c.provider_ref,
      'transaction_id', c.transaction_id))
  from identity_users u
  cross join lateral (select (o.terms->>'ppn_percent')::int as percent,
    round(o.price * (o.terms->>'ppn_percent')::numeric / (100 + (o.terms->>'ppn_percent')::numeric))::bigint as ppn) tax
  left join payments_intents i on i.id = o.intent_id
  left join payments_charges c on c.intent_id = i.id and c.settles_intent
  where u.id = o.user_id
$$;

create or replace function hosting_invoices_keep() returns trigger language plpgsql as $$
begin
  raise exception 'an invoice is never changed';
end $$;

create or replace trigger hosting_invoices_kept before update or delete on hosting_invoices
for each row execute function hosting_invoices_keep();
