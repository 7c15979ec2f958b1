import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { localSettings, secretsFrom, TWIN_KEYS } from "../../local/settings.ts";
import { startVipResellerTwin } from "../../local/twins/vip-reseller/twin.ts";
import { workerConfig } from "../capnp.ts";
import { cpuMicroseconds } from "../load.ts";
import type { StandIns } from "../stand-ins.ts";
import { bundleWorker, dropBundle, freePort, type Running, startWorkerd } from "../workerd.ts";

const SERVICES = 50_000;
const PEAK_GOAL_MIB = 128;

/** The last of the benchmarks on its database, which it empties: the catalogue sync over 50,000 services, the first time, unchanged, and with every price changed. */
export async function benchSync(
  standIns: StandIns,
  keep: (stop: () => Promise<unknown>) => void,
): Promise<string[]> {
  const twin = await startTwin();
  keep(twin.stop);
  const settings = {
    ...localSettings({ ...standIns, vipReseller: twin.url }, secretsFrom()),
    VIP_RESELLER_PACE_MS: "0",
  };
  const bundle = bundleWorker(settings);
  keep(async () => dropBundle(bundle));
  const driver = await freePort();
  const config = (port: number) =>
    workerConfig(port, settings, mkdtempSync(join(bundle.folder, "objects-")), driver);
  const client = new pg.Client({ connectionString: standIns.adminUrl });
  await client.connect();
  keep(() => client.end());
  const missed: string[] = [];
  for (const { name, prepare } of RUNS) {
    await client.query(prepare);
    // A process of its own for each run: its peak of memory is then this run's.
    const worker = await startWorkerd({ ...bundle, config });
    const run = await measure(worker, driver, client, standIns.httpUrl);
    await worker.stop();
    console.log(`sync of ${run.rows} services, ${name}: ${run.text}`);
    if (run.state !== "success") missed.push(`the sync (${name}) ended ${run.state}`);
    if (run.rows < SERVICES) missed.push(`the sync (${name}) saw only ${run.rows} services`);
    if (run.peakMib > PEAK_GOAL_MIB) missed.push(`the sync (${name}) grew by ${run.peakMib} MiB`);
  }
  return missed;
}

const RUNS = [
  { name: "all of them new", prepare: "truncate topup_services cascade" },
  { name: "nothing changed", prepare: "select 1" },
  {
    name: "every price changed",
    prepare: `insert into topup_margin_rules (percent_bp, fixed) values (700, 11)
      on conflict do nothing`,
  },
];

interface SyncRun {
  rows: number;
  state: string;
  peakMib: number;
  text: string;
}

async function measure(
  worker: Running,
  driver: number,
  client: pg.Client,
  httpUrl: string,
): Promise<SyncRun> {
  const begun = await client.query(
    `select topup_sync_begin('{"action": "sync-products", "force": true}') as answer`,
  );
  const { sync } = begun.rows[0].answer;
  await fetch(`${httpUrl}/_counts`, { method: "DELETE" });
  const before = { rss: peakKib(worker.pid), cpu: cpuMicroseconds(worker.pid) };
  const started = performance.now();
  const message = { v: 1, type: "job", id: sync.job_id };
  const answer = await fetch(`http://127.0.0.1:${driver}/`, {
    method: "POST",
    body: JSON.stringify({ queue: "topup", messages: [message] }),
  });
  await answer.text();
  const seconds = (performance.now() - started) / 1000;
  const cpuSeconds = (cpuMicroseconds(worker.pid) - before.cpu) / 1e6;
  const peakMib = Math.round((peakKib(worker.pid) - before.rss) / 1024);
  const counts = (await (await fetch(`${httpUrl}/_counts`)).json()) as { total: number };
  const { rows } = await client.query(
    `select state, families, services_added, products_updated,
      (select count(*)::int from topup_services where status <> 'gone') as known from topup_syncs where id = $1`,
    [sync.id],
  );
  const [ended] = rows;
  const text = [
    `${seconds.toFixed(1)} s`,
    `${counts.total} round trips`,
    `${cpuSeconds.toFixed(1)} s of CPU`,
    `${peakMib} MiB above rest at the peak`,
    `${ended.services_added} added, ${ended.products_updated} re-priced`,
  ].join(", ");
  return { rows: ended.known, state: ended.state, peakMib, text };
}

/** The most memory that the process ever held (Linux), in KiB. */
function peakKib(pid: number): number {
  const found = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? 0);
}

/** The supplier's twin with a long list, in a process of its own. */
async function startTwin(): Promise<{ url: string; stop: () => Promise<unknown> }> {
  const child = fork(import.meta.filename, ["serve"], { stdio: "inherit" });
  const exited = once(child, "exit");
  const [{ url }] = (await once(child, "message")) as [{ url: string }];
  const stop = async () => {
    if (child.connected) child.disconnect();
    await exited;
  };
  return { url, stop };
}

if (process.argv[2] === "serve" && process.send) {
  const gone = once(process, "disconnect");
  const ignore = () => undefined;
  process.on("SIGINT", ignore).on("SIGTERM", ignore);
  const callbackUrl = "http://127.0.0.1:9/";
  const twin = await startVipResellerTwin({
    ...TWIN_KEYS.vipReseller,
    callbackUrl,
    services: SERVICES,
  });
  process.send({ url: twin.url });
  await gone;
  await twin.stop();
}
