import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { localSettings, secretsFrom } from "../../local/settings.ts";
import { workerConfig } from "../capnp.ts";
import { cpuMicroseconds } from "../load.ts";
import { type StandIns, startStandIns } from "../stand-ins.ts";
import { bundleWorker, dropBundle, freePort, type Running, startWorkerd } from "../workerd.ts";

const SUBSCRIPTIONS = 100_000;
/** A Worker may hold 128 MiB in all. */
const PEAK_GOAL_MIB = 64;
const NIGHTLY = "0 23 * * *";
/** A run ends at its limit of batches; the next one goes on. */
const MOST_RUNS = 10;

const NIGHTS = [
  // Ends spread over a month: those of the next three days and of the last three are due.
  { name: "a usual night", ends: "(n % 43200) * interval '1 minute' - interval '3 days'" },
  { name: "all of them due at once", ends: "interval '47 hours' + n * interval '1 millisecond'" },
];

/**
 * The nightly run of renewals over 100,000 subscriptions, by the cron of the bundled Worker on bare workerd: what is due
 * in a usual night, all of them at once (nothing ran for days), and a repeat that finds nothing.
 */
export async function benchNightly(
  standIns: StandIns,
  keep: (stop: () => Promise<unknown>) => void,
): Promise<string[]> {
  const settings = {
    ...localSettings(standIns, secretsFrom()),
  };
  const bundle = bundleWorker(settings);
  keep(async () => dropBundle(bundle));
  const client = new pg.Client({ connectionString: standIns.adminUrl });
  await client.connect();
  keep(() => client.end());
  const missed: string[] = [];
  for (const { name, ends } of NIGHTS) {
    await seed(client, ends);
    const driver = await freePort();
    const objects = mkdtempSync(join(bundle.folder, "objects-"));
    const config = (port: number) => workerConfig(port, settings, objects, driver);
    // A process of its own for each night: its peak of memory is then this night's.
    const worker = await startWorkerd({ ...bundle, config });
    try {
      const first = await night(worker, driver, client, standIns.httpUrl);
      console.log(`nightly run over ${SUBSCRIPTIONS} subscriptions, ${name}: ${first.text}`);
      if (first.left > 0) missed.push(`${name}: ${first.left} were left`);
      if (first.failed > 0) missed.push(`${name}: ${first.failed} failed`);
      if (first.peakMib > PEAK_GOAL_MIB) missed.push(`${name}: grew by ${first.peakMib} MiB`);
      const again = await night(worker, driver, client, standIns.httpUrl);
      console.log(`nightly run, repeated: ${again.text}`);
      if (again.rows > 0) missed.push(`${name}: a repeat took ${again.rows} steps`);
    } finally {
      await worker.stop();
    }
  }
  return missed;
}

interface Night {
  rows: number;
  left: number;
  failed: number;
  peakMib: number;
  text: string;
}

const DUE = `select count(*)::int as due from hosting_subscriptions s
  where s.status = 'ACTIVE' and hosting_renewal_stage(s.end_date, now()) is not null and not exists (
    select from hosting_renewal_steps t where t.subscription_id = s.id and t.period_end = s.end_date)`;

async function night(
  worker: Running,
  driver: number,
  client: pg.Client,
  httpUrl: string,
): Promise<Night> {
  const dueBefore = await number(client, DUE);
  await fetch(`${httpUrl}/_counts`, { method: "DELETE" });
  const before = { peak: peakKib(worker.pid), cpu: cpuMicroseconds(worker.pid) };
  const began = performance.now();
  let runs = 0;
  let left = dueBefore;
  do {
    const body = JSON.stringify({ cron: NIGHTLY });
    await (await fetch(`http://127.0.0.1:${driver}/`, { method: "POST", body })).text();
    runs += 1;
    left = await number(client, DUE);
  } while (left > 0 && runs < MOST_RUNS);
  const seconds = (performance.now() - began) / 1000;
  const cpuSeconds = (cpuMicroseconds(worker.pid) - before.cpu) / 1e6;
  const peakMib = Math.round((peakKib(worker.pid) - before.peak) / 1024);
  const { total } = (await (await fetch(`${httpUrl}/_counts`)).json()) as { total: number };
  const rows = dueBefore - left;
  const text = [
    `${rows} due, ${seconds.toFixed(1)} s`,
    ...(rows > 0
      ? [
          `${Math.round(rows / seconds)} a second`,
          `${((total * 1000) / rows).toFixed(1)} round trips per 1,000`,
        ]
      : [`${total} round trips`]),
    `${runs} runs`,
    `${cpuSeconds.toFixed(1)} s of the Worker's CPU`,
    `${peakMib} MiB above rest at the peak`,
  ].join(", ");
  const failed = await number(client, "select count(*)::int as n from hosting_renewal_failures");
  return { rows, left, failed, peakMib, text };
}

async function number(client: pg.Client, query: string): Promise<number> {
  const { rows } = await client.query<[unknown]>({ text: query, rowMode: "array" });
  return Number(rows[0]?.[0]);
}

/** Everybody with a subscription that was paid, and no step of a renewal taken. */
async function seed(client: pg.Client, ends: string): Promise<void> {
  await client.query(`truncate hosting_subscriptions, hosting_orders, hosting_renewal_steps, hosting_invoices, jobs
    cascade`);
  await client.query(
    `insert into identity_users (email, name, password_hash)
     select 'bench-hosting-' || n || '@bench.example', 'Bench ' || n, 'x' from generate_series(1, $1::int) n
     on conflict do nothing`,
    [SUBSCRIPTIONS],
  );
  await client.query(
    `with people as (
       select id, row_number() over (order by id) as n from identity_users where email like 'bench-hosting-%'
     ), plan as (select * from hosting_plans where name = 'business')
     , o as (
       insert into hosting_orders (user_id, plan_id, plan_name, plan_type, monthly_price, duration, price, status,
         paid_at, terms, pay_key)
       select p.id, plan.id, plan.display_name, plan.type, plan.price, 1, plan.price, 'COMPLETED', now(),
         '{"ppn_percent": 11, "seller": {"name": "", "address": "", "tax_id": ""}}', p.n::text
       from people p, plan returning id, user_id, plan_id, plan_name, plan_type, price, pay_key::int as n
     )
     insert into hosting_subscriptions (user_id, order_id, plan_id, plan_name, plan_type, start_date, end_date,
       anchor_day, duration, price)
     select user_id, id, plan_id, plan_name, plan_type, now() - interval '40 days', now() + ${ends}, 1, 1, price from o`,
  );
  await client.query("vacuum analyze");
}

/** The most memory that the process ever held (Linux), in KiB. */
function peakKib(pid: number): number {
  const found = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? 0);
}

if (import.meta.main) {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const standIns = await startStandIns();
    stops.push(standIns.stop);
    const missed = await benchNightly(standIns, (stop) => stops.push(stop));
    for (const text of missed) console.log(`NOT AS IT SHOULD BE: ${text}`);
    if (missed.length > 0) process.exitCode = 1;
  } finally {
    for (const stop of stops.reverse()) await stop().catch(console.error);
  }
}
