import { localSettings, secretsFrom } from "../local/settings.ts";
import { benchNightly } from "./hosting/nightly.ts";
import { hostingRoutes } from "./hosting/routes.ts";
import { seedHosting } from "./hosting/seed.ts";
import { benchUpload } from "./hosting/upload.ts";
import { benchRoute, dial, endpointSide, LEGEND, startExpress, startMeasured } from "./sides.ts";
import { startStandIns } from "./stand-ins.ts";
import { printHead } from "./table.ts";
import { bundleWorker, dropBundle } from "./workerd.ts";

const NOTES = `Express opens the page at iPaymu's twin as the Worker does; both wait for it.
Upload: memory of the whole workerd process, the bucket outside of it. Nightly: the cron of the bundled Worker, a SQL
function for each batch.`;

/** Orders beside Express, an upload of 50 MB, the night of 100,000 subscriptions. */
export async function benchHosting(keep: (stop: () => Promise<unknown>) => void): Promise<void> {
  const standIns = await startStandIns();
  keep(standIns.stop);
  const secrets = secretsFrom();
  const seeds = await seedHosting(standIns.adminUrl, secrets.JWT_KEYS);
  const bundle = bundleWorker({
    ...localSettings({ ...standIns, rateLimitFactor: 1000 }, secrets),
  });
  keep(async () => dropBundle(bundle));
  const worker = await startMeasured(bundle);
  const express = await startExpress(standIns, secrets.JWT_KEYS);
  const missed: string[] = [];
  try {
    const sides = {
      worker: { ...worker, ...endpointSide(standIns) },
      peer: { ...express, setLatency: dial(`http://127.0.0.1:${express.port}`) },
    };
    printHead();
    for (const route of hostingRoutes(seeds)) missed.push(...(await benchRoute(sides, route)));
  } finally {
    await worker.stop();
    await express.stop();
  }
  missed.push(...(await benchUpload(standIns, keep)));
  // Last: it empties the tables.
  missed.push(...(await benchNightly(standIns, keep)));
  console.log(`${LEGEND}
${NOTES}`);
  console.log(missed.length === 0 ? "All goals are met." : "NOT AS IT SHOULD BE:");
  for (const text of missed) console.log(`  ${text}`);
}
