import { localSettings, secretsFrom } from "../local/settings.ts";
import { startBaseline } from "./baseline.ts";
import { compare, type Side, warm } from "./compare.ts";
import { send } from "./load.ts";
import { type Quote, saleRoutes } from "./sale/routes.ts";
import { type Seeds, seed, setOrigin } from "./seed.ts";
import {
  benchRoute,
  CONCURRENCY,
  dial,
  endpointSide,
  LEGEND,
  ROUNDS,
  startExpress,
  startMeasured,
} from "./sides.ts";
import { type StandIns, startStandIns } from "./stand-ins.ts";
import { printHead, printRow } from "./table.ts";
import { bundleWorker, dropBundle, type Running } from "./workerd.ts";

/** The hot routes of the first sale, in the Worker on bare workerd and in plain Express, side by side. */
export async function benchSale(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  const secrets = secretsFrom();
  const seeds = await seed(standIns.adminUrl, secrets.JWT_KEYS);
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
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

/** Asks the Worker for what a parcel costs, as a buyer does before the checkout. */
export async function askQuote(
  { port }: Running,
  { adminUrl }: StandIns,
  seeds: Seeds,
): Promise<Quote> {
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
