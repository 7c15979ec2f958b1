import { localSettings, secretsFrom, TWIN_KEYS } from "../local/settings.ts";
import { startBaseline } from "./baseline.ts";
import { both, compare, countTrips, type Pair, refusal, type Side, warm } from "./compare.ts";
import { median, send } from "./load.ts";
import { type Quote, type Route, saleRoutes } from "./sale/routes.ts";
import { type Seeds, seed, setOrigin } from "./seed.ts";
import { type StandIns, startStandIns } from "./stand-ins.ts";
import { milliseconds, printHead, printRow } from "./table.ts";
import {
  type Bundle,
  bundleWorker,
  dropBundle,
  freePort,
  ROOT,
  type Running,
  startServer,
  startWorkerd,
} from "./workerd.ts";

const BUNDLE_GOAL_BYTES = 1.5 * 1024 * 1024;
const CONCURRENCY = 2;
const ROUNDS = 3;

const LEGEND = `
×: the Worker's figure over Express', below 1 the Worker is better. +n: round trips behind the answer (waitUntil).
The Worker reaches Postgres through the local Neon endpoint, one more process on this machine; Express reaches it
directly and asks one query after another. Median of ${ROUNDS} rounds in turns. CPU is the server's own process, with the
database at 0 ms. Both hash passwords with bcryptjs at cost 10.`;

/** The hot routes of the first sale, in the Worker on bare workerd and in plain Express, side by side. */
export async function benchSale(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  const secrets = secretsFrom();
  const seeds = await seed(standIns.adminUrl, secrets.JWT_KEYS);
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
    MAIL_FROM: "Lumbung <halo@lumbung.example>",
    ALERT_EMAIL: "operator@lumbung.example",
  });
  keep(async () => dropBundle(bundle));
  const worker = await startMeasured(bundle);
  keep(worker.stop);
  const express = await startExpress(standIns, secrets.JWT_KEYS);
  keep(express.stop);
  const baseline = await startBaseline(standIns);
  keep(baseline.stop);

  const peer: Side = { ...express, setLatency: dial(`http://127.0.0.1:${express.port}`) };
  const endpoint = endpointSide(standIns);
  printHead();
  for (const path of ["/empty", "/database"]) {
    const aim = () => ({ method: "GET", path });
    const sides = { worker: { ...baseline, ...endpoint }, peer };
    await warm(sides, aim, { count: 300, concurrency: CONCURRENCY });
    const load = { count: 400, concurrency: CONCURRENCY, rounds: ROUNDS };
    const near = await compare(sides, aim, { ...load, latencyMs: 0 });
    printRow({
      name: path === "/empty" ? "(an empty handler)" : "(20 rows of the database)",
      near,
    });
  }
  await baseline.stop();
  const quote = await askQuote(worker, standIns, seeds);
  const sides = { worker: { ...worker, ...endpoint }, peer };
  const missed: string[] = [];
  for (const route of saleRoutes(seeds, quote)) missed.push(...(await benchRoute(sides, route)));
  console.log(LEGEND);
  console.log(missed.length === 0 ? "All goals are met." : "NOT AS IT SHOULD BE:");
  for (const text of missed) console.log(`  ${text}`);
}

/** Prints the row of one route and gives what is wrong with it. */
async function benchRoute(sides: Pair<Side>, { name, aim, goal, slow }: Route): Promise<string[]> {
  const refused = await both(sides, (side) => refusal(side, aim));
  const [why] = [refused.worker, refused.peer].filter((text) => text !== null);
  if (why) return [`${name} is not measured, it answers ${why}`];
  await warm(sides, aim, { count: slow ? 20 : 300, concurrency: CONCURRENCY });
  const trips = await both(sides, (side) => countTrips(side, aim));
  const load = { concurrency: CONCURRENCY, rounds: ROUNDS };
  const near = await compare(sides, aim, { ...load, count: slow ? 20 : 300, latencyMs: 0 });
  // Far from the database both servers mostly wait, so more may be under way.
  if (!slow) load.concurrency = 2 * CONCURRENCY;
  const far = await compare(sides, aim, { ...load, count: slow ? 12 : 100, latencyMs: 20 });
  printRow({ name, trips, near, far });
  const missed: string[] = [];
  const { before } = trips.worker;
  if (before > goal) missed.push(`${name} needs ${before} round trips, its goal is ${goal}`);
  const failures = [near, far].map((pair) => pair.worker.failures + pair.peer.failures);
  const failed = failures.reduce((sum, count) => sum + count, 0);
  if (failed > 0) missed.push(`${name}: ${failed} requests failed`);
  return missed;
}

async function startMeasured(bundle: Bundle): Promise<Running> {
  const kib = Math.round(bundle.gzipBytes / 1024);
  const verdict = bundle.gzipBytes <= BUNDLE_GOAL_BYTES ? "" : ", which is TOO MUCH";
  console.log(`Bundle: ${kib} KiB gzipped (goal: at most 1,536${verdict})`);
  const starts: Running[] = [];
  for (let i = 0; i < 5; i++) {
    await starts.at(-1)?.stop();
    starts.push(await startWorkerd(bundle));
  }
  const took = (key: "startMs" | "startCpuMs") =>
    milliseconds(median(starts.map((start) => start[key])));
  console.log(
    `Start-up: ${took("startMs")} ms from process start to first answer, ${took("startCpuMs")} ms of CPU (median of 5)`,
  );
  const last = starts.at(-1);
  if (!last) throw new Error("workerd was not started");
  return last;
}

async function startExpress({ adminUrl, midtransUrl }: StandIns, jwtKeys: string) {
  const port = await freePort();
  return await startServer(process.execPath, [`${ROOT}/bench/peers/express.ts`], port, {
    PORT: String(port),
    NODE_ENV: "production",
    DATABASE_URL: adminUrl,
    JWT_KEYS: jwtKeys,
    MIDTRANS_URL: midtransUrl,
    MIDTRANS_KEY: TWIN_KEYS.midtrans,
  });
}

/** The Worker's way to the database leads through the endpoint, which delays and counts. */
function endpointSide({ httpUrl }: StandIns): Pick<Side, "setLatency" | "takeTrips"> {
  return {
    setLatency: dial(httpUrl),
    takeTrips: async () => {
      const counts = (await (await fetch(`${httpUrl}/_counts`)).json()) as { total: number };
      await fetch(`${httpUrl}/_counts`, { method: "DELETE" });
      return counts.total;
    },
  };
}

const dial = (url: string) => async (ms: number) => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ ms });
  const response = await fetch(`${url}/_latency`, { method: "PUT", headers, body });
  if (!response.ok) throw new Error(`${url} has no dial for latency`);
};

/** Asks the Worker for what a parcel costs, as a buyer does before the checkout. */
async function askQuote({ port }: Running, { adminUrl }: StandIns, seeds: Seeds): Promise<Quote> {
  const token = seeds.buyers[0]?.token ?? "";
  const ask = async (path: string): Promise<Record<string, string>> => {
    const headers = { host: "localhost", authorization: `Bearer ${token}` };
    const { text } = await send(port, { method: "GET", path, headers });
    const first = JSON.parse(text).data?.[0];
    if (!first) throw new Error(`${path} answered ${text}`);
    return first;
  };
  const origin = await ask("/api/buyer/areas?input=kepanjenkidul");
  const goal = await ask("/api/buyer/areas?input=tebet");
  await setOrigin(adminUrl, origin.area_id ?? "");
  const query = `store_id=${seeds.store.id}&destination_area_id=${goal.area_id}&weight=9000&value=100000`;
  const rate = await ask(`/api/buyer/shipping?${query}`);
  return { id: rate.id ?? "", areaId: goal.area_id ?? "" };
}
