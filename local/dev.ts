import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startDatabase } from "./database.ts";
import { openDemoStore, writeDemoUsers } from "./demo/data.ts";
import { type Addresses, printWelcome } from "./dev/welcome.ts";
import { startWorker } from "./dev/worker.ts";
import { localSettings, secretsFrom, TWIN_KEYS } from "./settings.ts";
import { startTwins } from "./twins/index.ts";

/**
 * `npm run dev`: Postgres, migrations, demo data, the Neon endpoint, the twins and the Worker, in this order; Ctrl-C
 * stops them all. `--db-latency 20` adds 20 ms to every database round trip, `--port` moves the Worker.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8787" },
    "db-latency": { type: "string", default: "0" },
    "rate-limit-factor": { type: "string", default: "100" },
  },
});

const STATE = ".lumbung";
const running: { stop(): Promise<unknown> }[] = [];

async function start(): Promise<void> {
  const port = Number(values.port);
  const began = Date.now();
  mkdirSync(STATE, { recursive: true });
  const database = await startDatabase({
    durable: true,
    postgresPort: port + 10,
    endpointPort: port + 11,
    latencyMs: Number(values["db-latency"]),
  });
  running.push(database);
  await writeDemoUsers(database.adminUrl);
  const app = `http://localhost:${port}`;
  const twins = await startTwins({
    midtrans: {
      port: port + 1,
      serverKey: TWIN_KEYS.midtrans,
      notifyUrl: `${app}/api/webhooks/midtrans`,
    },
    kiriminAja: {
      port: port + 2,
      apiKey: TWIN_KEYS.kiriminaja,
      callbackUrl: `${app}/api/webhooks/kiriminaja`,
    },
    resend: { port: port + 3, apiKey: TWIN_KEYS.resend },
  });
  running.push(twins);
  const secrets = secretsFrom(`${STATE}/secrets.json`);
  writeFileSync(`${STATE}/secrets.json`, JSON.stringify(secrets), { mode: 0o600 });
  const settings = localSettings(
    {
      port,
      databaseUrl: database.databaseUrl,
      httpUrl: database.httpUrl,
      midtransUrl: twins.midtrans.url,
      kiriminajaUrl: twins.kiriminAja.url,
      resendUrl: twins.resend.url,
      rateLimitFactor: Number(values["rate-limit-factor"]),
    },
    secrets,
  );
  const worker = await startWorker({ port, settings, stateDir: STATE });
  running.push(worker);
  await openDemoStore(app);
  const addresses: Addresses = {
    app,
    storeDomain: "localhost",
    midtrans: twins.midtrans.url,
    kiriminaja: twins.kiriminAja.url,
    resend: twins.resend.url,
  };
  writeFileSync(`${STATE}/addresses.json`, JSON.stringify(addresses));
  printWelcome(addresses, Date.now() - began);
  await Promise.race([worker.exited, interrupted]);
}

const interrupted = new Promise<void>((resolve) => {
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
});

async function stop(): Promise<void> {
  for (const piece of running.reverse()) await piece.stop().catch(console.error);
}

try {
  await start();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await stop();
}
