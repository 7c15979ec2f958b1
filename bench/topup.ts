import { localSettings, secretsFrom } from "../local/settings.ts";
import { fire } from "./load.ts";
import { benchRoute, dial, endpointSide, LEGEND, startExpress, startMeasured } from "./sides.ts";
import { type StandIns, startStandIns } from "./stand-ins.ts";
import { milliseconds, printHead } from "./table.ts";
import { callbackShot, topupRoutes } from "./topup/routes.ts";
import { seedTopup } from "./topup/seed.ts";
import { startSettling } from "./topup/settle.ts";
import { benchSync } from "./topup/sync.ts";
import { bundleWorker, dropBundle, type Running } from "./workerd.ts";

const CALLBACKS = 2_000;

const SETTLING = `Settle time: from the moment when an order is in doubt, in the local runtime with real queues, one order a second, 500 ms
between the supplier's requests. A purchase is found by the first look, 3 s after the doubt; looks wait for their turn at
that pace. A refund waits until the attempt's lease of 75 s is over and the history shows nothing of the order for 5 minutes
beside a purchase that was made after it. Where none is made, it waits for 6 hours.
Callbacks: from the request to the queue, which is a stand-in that only accepts; the platform's own is not in the figure.`;

/**
 * Orders beside Express, callbacks while Postgres is away, doubts, the catalogue's sync. The supplier's pace is switched
 * off where it would be all that is measured.
 */
export async function benchTopup(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  await fillAccount(standIns);
  const secrets = secretsFrom();
  const seeds = await seedTopup(standIns.adminUrl, secrets.JWT_KEYS);
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
    VIP_RESELLER_PACE_MS: "0",
  });
  keep(async () => dropBundle(bundle));
  const worker = await startMeasured(bundle);
  keep(worker.stop);
  const express = await startExpress(standIns, secrets.JWT_KEYS);
  keep(express.stop);
  const sides = {
    worker: { ...worker, ...endpointSide(standIns) },
    peer: { ...express, setLatency: dial(`http://127.0.0.1:${express.port}`) },
  };
  printHead();
  const missed: string[] = [];
  for (const route of topupRoutes(seeds)) missed.push(...(await benchRoute(sides, route)));
  missed.push(...(await benchCallbacks(worker, standIns)));
  const settling = await startSettling(bundle, keep);
  missed.push(...(await settling.taken()));
  // The doubts that are left wait for minutes, and cost nothing meanwhile.
  missed.push(...(await benchSync(standIns, keep)));
  missed.push(...(await settling.lost()));
  console.log(`${LEGEND}
${SETTLING}`);
  console.log(missed.length === 0 ? "All goals are met." : "NOT AS IT SHOULD BE:");
  for (const text of missed) console.log(`  ${text}`);
}

/** Money at the supplier for every order to come: refusals would be quicker than purchases. */
async function fillAccount({ vipReseller }: StandIns): Promise<void> {
  const answer = await fetch(`${vipReseller}/_account`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ balance: 1_000_000_000_000 }),
  });
  if (!answer.ok) throw new Error(`the twin's account answered ${answer.status}`);
}

/** What the supplier tells while Postgres is away is taken in all the same. */
async function benchCallbacks(worker: Running, { httpUrl }: StandIns): Promise<string[]> {
  await setOutage(httpUrl, true);
  let turn = 0;
  const began = performance.now();
  const measured = await fire(worker, () => callbackShot(turn++), {
    count: CALLBACKS,
    concurrency: 8,
  });
  const perSecond = (CALLBACKS - measured.failures) / ((performance.now() - began) / 1000);
  await setOutage(httpUrl, false);
  console.log(
    `callbacks while Postgres is away: ${perSecond.toFixed(0)} accepted a second, p50 ${milliseconds(measured.p50Ms)} ms, p99 ${milliseconds(measured.p99Ms)} ms, ${measured.cpuUs.toFixed(0)} µs of CPU each`,
  );
  return measured.failures > 0 ? [`${measured.failures} callbacks were refused`] : [];
}

async function setOutage(httpUrl: string, on: boolean): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${httpUrl}/_outage`, {
    method: "PUT",
    headers,
    body: JSON.stringify({ on, mode: "destroy" }),
  });
  if (!answer.ok) throw new Error("the endpoint has no dial for outages");
}
