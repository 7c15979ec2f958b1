import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Cloud, startCloud } from "./cloud.ts";
import { openDemoStore, writeDemoUsers } from "./demo/data.ts";
import { assertPortsFree, portsFrom } from "./dev/ports.ts";
import { printWelcome } from "./dev/welcome.ts";
import { startWorker } from "./dev/worker.ts";

const USAGE = `npm run dev -- [options]
  --port 8787               where the Worker listens; the twins and the database follow it
  --state .lumbung          where data, secrets and files are kept between starts
  --db-latency 0            milliseconds that every database round trip takes longer
  --rate-limit-factor 100   how many times 100 requests a minute one address may make`;

const TRIES = 20;
const PAUSE_MS = 1_000;

/**
 * `npm run dev`: Postgres, migrations, demo data, the Neon endpoint, the twins and the Worker, in this order; Ctrl-C
 * stops them all.
 */
async function run(signal: AbortSignal): Promise<void> {
  const began = Date.now();
  const options = readOptions();
  if (!options) return console.log(USAGE);
  const ports = portsFrom(options.port);
  await assertPortsFree(ports);
  const cloud = await startCloud({ ...options, ports, durable: true, signal });
  try {
    await writeDemoUsers(cloud.database.adminUrl);
    await serve(cloud, options.stateDir, began, signal);
  } finally {
    await cloud.stop();
  }
}

/** Runs the Worker among the others until somebody stops it, or until one of them ends by itself. */
async function serve(
  { database, worker: options, addresses }: Cloud,
  stateDir: string,
  began: number,
  signal: AbortSignal,
): Promise<void> {
  const lost = new AbortController();
  void database.postgres.exited.then((log) =>
    lost.abort(new Error(`PostgreSQL has ended by itself.\n${log}`)),
  );
  const over = AbortSignal.any([signal, lost.signal]);
  const worker = await startWorker(options, over);
  try {
    const file = join(stateDir, "addresses.json");
    await fillDemoStore(addresses.app, !existsSync(file), over);
    writeFileSync(file, JSON.stringify(addresses));
    printWelcome(addresses, Date.now() - began);
    const stopped = new Promise<void>((done) => over.addEventListener("abort", () => done()));
    await Promise.race([worker.exited, stopped]);
    if (!over.aborted) throw new Error("The Worker has ended, and could not be started again.");
  } finally {
    await worker.stop();
  }
  lost.signal.throwIfAborted();
}

/** A source that is saved meanwhile starts the Worker anew, and that breaks its requests off. */
async function fillDemoStore(app: string, isFirst: boolean, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await openDemoStore(app, isFirst);
    } catch (error) {
      if (!(error instanceof TypeError) || attempt === TRIES) throw error;
      await sleep(PAUSE_MS, null, { signal });
    }
  }
}

/** Null: its reader wants to know what there is. */
function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8787" },
        state: { type: "string", default: ".lumbung" },
        "db-latency": { type: "string", default: "0" },
        "rate-limit-factor": { type: "string", default: "100" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return null;
    return {
      port: number(values.port),
      stateDir: values.state,
      latencyMs: number(values["db-latency"]),
      rateLimitFactor: number(values["rate-limit-factor"]),
    };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0) {
    throw new Error(`${text} is not a whole number`);
  }
  return value;
}

/**
 * The first signal stops things in order; a later one ends this process at once, and the guards do the rest. Ctrl-C
 * comes twice at the same moment: from the terminal and from npm.
 */
function stopSignal(): AbortSignal {
  const quit = new AbortController();
  let askedAt = 0;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (quit.signal.aborted && Date.now() - askedAt > SAME_MOMENT_MS) process.exit(130);
      if (quit.signal.aborted) return;
      askedAt = Date.now();
      quit.abort(new Error("stopped"));
      console.log("\nStopping ...");
    });
  }
  return quit.signal;
}

const SAME_MOMENT_MS = 1_000;

const signal = stopSignal();
try {
  await run(signal);
} catch (error) {
  if (!signal.aborted) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
