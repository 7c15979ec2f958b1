import { TWIN_KEYS } from "../local/settings.ts";
import { both, compare, countTrips, type Pair, refusal, type Side, warm } from "./compare.ts";
import { type Aim, median } from "./load.ts";
import type { StandIns } from "./stand-ins.ts";
import { milliseconds, printRow } from "./table.ts";
import { type Bundle, freePort, ROOT, type Running, startServer, startWorkerd } from "./workerd.ts";

const BUNDLE_GOAL_BYTES = 1.5 * 1024 * 1024;
export const CONCURRENCY = 2;
export const ROUNDS = 3;

/** A hot route, asked of both servers. */
export interface Route {
  name: string;
  /** Database round trips before the answer, at most. */
  goal: number;
  aim: Aim;
  /** Hashes a password, which takes far longer than the rest: fewer requests do. */
  slow?: boolean;
}

export const LEGEND = `
×: the Worker's figure over Express', below 1 the Worker is better. +n: round trips behind the answer (waitUntil).
The Worker reaches Postgres through the local Neon endpoint, one more process on this machine; Express reaches it
directly and asks one query after another. Median of ${ROUNDS} rounds in turns. CPU is the server's own process, with the
database at 0 ms. Both hash passwords with bcryptjs at cost 10.`;

/** Prints the row of one route and gives what is wrong with it. */
export async function benchRoute(
  sides: Pair<Side>,
  { name, aim, goal, slow }: Route,
): Promise<string[]> {
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

export async function startMeasured(bundle: Bundle): Promise<Running> {
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

export async function startExpress(standIns: StandIns, jwtKeys: string): Promise<Running> {
  const { adminUrl, midtrans, vipReseller, ipaymu } = standIns;
  const port = await freePort();
  return await startServer(process.execPath, [`${ROOT}/bench/peers/express.ts`], port, {
    PORT: String(port),
    NODE_ENV: "production",
    DATABASE_URL: adminUrl,
    JWT_KEYS: jwtKeys,
    MIDTRANS_URL: midtrans,
    MIDTRANS_KEY: TWIN_KEYS.midtrans,
    VIP_RESELLER_URL: vipReseller,
    VIP_RESELLER_API_ID: TWIN_KEYS.vipReseller.apiId,
    VIP_RESELLER_API_KEY: TWIN_KEYS.vipReseller.apiKey,
    IPAYMU_URL: ipaymu,
    IPAYMU_VA: TWIN_KEYS.ipaymu.va,
    IPAYMU_API_KEY: TWIN_KEYS.ipaymu.apiKey,
  });
}

/** The Worker's way to the database leads through the endpoint, which delays and counts. */
export function endpointSide({ httpUrl }: StandIns): Pick<Side, "setLatency" | "takeTrips"> {
  return {
    setLatency: dial(httpUrl),
    takeTrips: async () => {
      const counts = (await (await fetch(`${httpUrl}/_counts`)).json()) as { total: number };
      await fetch(`${httpUrl}/_counts`, { method: "DELETE" });
      return counts.total;
    },
  };
}

export const dial = (url: string) => async (ms: number) => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ ms });
  const response = await fetch(`${url}/_latency`, { method: "PUT", headers, body });
  if (!response.ok) throw new Error(`${url} has no dial for latency`);
};
