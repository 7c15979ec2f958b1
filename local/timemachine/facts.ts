import type pg from "pg";

/** What really happened, as the model writes it: a line for each fact (model.ts). */
const LINES = [
  `select concat_ws('|', 'step', p.person, t.step, timemachine_ms(t.period_end), timemachine_ms(t.done_at)) as line
   from hosting_renewal_steps t join timemachine_people p on p.subscription_id = t.subscription_id`,
  `select concat_ws('|', 'order', p.person, timemachine_ms(o.renews_period), o.price, timemachine_ms(o.created_at)) as line
   from hosting_orders o join timemachine_people p on p.subscription_id = o.renews_subscription_id`,
  // What the invoice says, since that is what a customer is charged by.
  `select concat_ws('|', 'charge', p.person, timemachine_ms(o.renews_period), (i.content->>'total')::bigint,
     timemachine_ms(i.issued_at), timemachine_ms((i.content->'lines'->0->>'period_end')::timestamptz)) as line
   from hosting_invoices i join hosting_orders o on o.id = i.order_id
   join timemachine_people p on p.subscription_id = o.renews_subscription_id`,
  `select concat_ws('|', 'refund', p.person) as line
   from payments_refunds r join payments_charges c on c.id = r.charge_id
   join payments_intents i on i.id = c.intent_id and i.purpose = 'hosting'
   join hosting_orders o on o.id = i.purpose_id::uuid
   join timemachine_people p on p.subscription_id = o.renews_subscription_id`,
  `select concat_ws('|', 'mail', substring(j.payload->>'to' from '^orang-(\\d+)@waktu'), j.payload->>'template',
     case when j.dedupe_key like 'mail/hosting/%' then split_part(j.dedupe_key, '/', 3) end,
     timemachine_ms((j.payload->'data'->>'end_date')::timestamptz), j.payload->'data'->>'amount')
     || case when j.dedupe_key like 'mail/hosting/%' then '|'
       || case when j.payload->'data'->>'payment_url' is null then '' else 'link' end || '|'
       || coalesce(j.payload->'data'->>'days_left', '') else '' end as line
   from jobs j where j.kind = 'mail.send'`,
  `select concat_ws('|', 'site', p.person, substring(j.kind from '^hosting\\.(.*)-site$')) as line
   from jobs j join timemachine_people p on p.website_id = (j.payload->>'website_id')::uuid`,
  `select concat_ws('|', 'end', p.person, s.status, timemachine_ms(s.end_date), s.anchor_day) as line
   from hosting_subscriptions s join timemachine_people p on p.subscription_id = s.id`,
];

export async function factsOf(client: pg.Client): Promise<string[]> {
  const lines: string[] = [];
  for (const query of LINES) {
    const { rows } = await client.query<[string]>({ text: query, rowMode: "array" });
    for (const [line] of rows) lines.push(line);
  }
  return lines;
}

/** Sums that must hold whatever the model says; each answers with what is wrong. */
const SUMS: [name: string, query: string][] = [
  [
    "rupiah that came from nowhere",
    "select sum(balance)::float8 as wrong from ledger_accounts where currency = 'IDR'",
  ],
  [
    "income that no invoice explains",
    `select coalesce((select balance from ledger_accounts where kind = 'commission' and owner_id = 'hosting'), 0)::float8
     - coalesce((select sum((content->>'total')::bigint) from hosting_invoices), 0)::float8 as wrong`,
  ],
  [
    "gaps and twins among invoice numbers",
    `select coalesce(sum(abs(gap)), 0)::float8 as wrong from (
     select max(serial) - count(*) as gap from hosting_invoices group by year) y`,
  ],
  [
    "paid renewals without an invoice",
    `select count(*)::float8 as wrong from hosting_orders o left join hosting_invoices i on i.order_id = o.id
     where o.renews_subscription_id is not null and (o.status = 'COMPLETED') <> (i.id is not null)`,
  ],
  [
    "slots that nobody holds",
    `select (sum(slots_taken) - (select count(*) from hosting_subscriptions where deleted_at is null))::float8 as wrong
     from hosting_plans`,
  ],
  ["failed rows", "select count(*)::float8 as wrong from hosting_renewal_failures"],
];

export async function wrongSums(client: pg.Client): Promise<string[]> {
  const wrong: string[] = [];
  for (const [name, query] of SUMS) {
    const { rows } = await client.query(query);
    if (rows[0].wrong !== 0) wrong.push(`${name}: ${rows[0].wrong}`);
  }
  return wrong;
}

/** Lines that one side has more often than the other. */
export function differences(expected: readonly string[], real: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of expected) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of real) counts.set(line, (counts.get(line) ?? 0) - 1);
  return [...counts]
    .filter(([, count]) => count !== 0)
    .map(([line, count]) => `${count > 0 ? "missing" : "too many"} (${Math.abs(count)}): ${line}`)
    .sort();
}
