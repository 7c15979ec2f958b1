import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { type Addresses, type Cloud, startCloud } from "../local/cloud.ts";
import type { LocalDatabase } from "../local/database.ts";
import { isFree } from "../local/dev/ports.ts";
import { type RunningWorker, startWorker } from "../local/dev/worker.ts";
import { madeOnce } from "../local/made-once.ts";
import type { Postgres } from "../local/postgres.ts";
import type { Twins } from "../local/twins/index.ts";

const ROOT = resolve(import.meta.dirname, "..");
const run = promisify(execFile);

/** The whole platform for one test file: the production bundle among its own database and twins. */
export interface Platform extends Addresses {
  database: LocalDatabase;
  twins: Twins;
  worker: RunningWorker;
  port: number;
  /** The database's server was ended and this one runs in its place. */
  replaced(postgres: Postgres): void;
  /** What its tokens are signed with: `<key id>:<secret>`. */
  jwtKeys: string;
  /** What the Worker said so far. */
  workerLog(): string;
  /** Straight to Postgres, past the endpoint and its outages. */
  sql<T = Record<string, unknown>>(text: string, values?: unknown[]): Promise<T[]>;
  stop(): Promise<void>;
}

const LOG_FILE = "worker.log";
const EVERY_MINUTE = "* * * * *";

/** Starts everything on free ports with throw-away state. No cron rings by itself: see `ringMinute`. */
export async function startPlatform(): Promise<Platform> {
  const stateDir = mkdtempSync(join(tmpdir(), "lumbung-e2e-"));
  const undo: (() => unknown)[] = [() => rmSync(stateDir, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const port = await freePort();
    const twins = { midtrans: 0, kiriminaja: 0, resend: 0, ipaymu: 0, vipReseller: 0, aapanel: 0 };
    const markets = {
      shopee: 0,
      lazada: 0,
      tiktokShop: 0,
      replicate: 0,
      instagram: 0,
      anthropic: 0,
    };
    const any = { ...twins, ...markets, postgres: 0, endpoint: 0 };
    const options = { stateDir, durable: false, rateLimitFactor: 1000 };
    const [cloud, script] = await Promise.all([
      startCloud({ ...options, ports: { ...any, worker: port } }),
      bundle(stateDir),
    ]);
    undo.push(() => cloud.stop());
    const pool = new pg.Pool({ connectionString: cloud.database.adminUrl, max: 4 });
    // The database may be stopped under it; who asks then is told.
    pool.on("error", () => undefined);
    undo.push(() => pool.end());
    const worker = await startWorker({
      ...cloud.worker,
      script,
      logFile: LOG_FILE,
      crons: false,
    });
    undo.push(() => worker.stop());
    const replaced = (postgres: Postgres) => undo.push(() => postgres.stop());
    return { ...describe(cloud, worker, port, pool), replaced, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function describe(
  { addresses, database, twins, worker: options }: Cloud,
  worker: RunningWorker,
  port: number,
  pool: pg.Pool,
): Omit<Platform, "replaced" | "stop"> {
  return {
    ...addresses,
    database,
    twins,
    worker,
    port,
    jwtKeys: options.settings.JWT_KEYS ?? "",
    workerLog: () => readFileSync(join(options.stateDir, LOG_FILE), "utf8"),
    sql: async (text, values) => (await pool.query(text, values)).rows,
  };
}

/** The Worker as it is deployed: wrangler's own minified bundle of the production environment. */
async function bundle(stateDir: string): Promise<string> {
  return join(await madeOnce("bundle", stateDir, makeBundle), "index.js");
}

async function makeBundle(folder: string): Promise<void> {
  const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const options = ["--env", "production", "--dry-run", "--minify", "--outdir", folder];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true", NO_COLOR: "1" };
  await run(process.execPath, [wrangler, "deploy", ...options], { cwd: ROOT, env });
}

/** A free port below those that the system hands out to outgoing connections, which could take it meanwhile. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port");
}

/**
 * Gives everything that waits for its time that time `minutes` earlier, and rings the minute's crons once. A lease that
 * was just taken is somebody's, and stays.
 */
export async function passMinutes({ sql, worker }: Platform, minutes: number): Promise<void> {
  const span = `interval '${minutes} minutes'`;
  await sql(`update payments_charges set check_at = check_at - ${span} where check_at is not null`);
  await sql(`update inbox_events set retry_at = retry_at - ${span} where retry_at is not null`);
  await sql(`update jobs set run_at = run_at - ${span}, updated_at = updated_at - ${span},
      lease_until = lease_until - ${span}
    where state in ('queued', 'unknown', 'running')
      and (lease_until is null or lease_until < now() + interval '115 seconds')`);
  await worker.ring(EVERY_MINUTE);
}

/** Asks until the answer is true, in the time given; then says what it waited for. */
export async function eventually(
  what: string,
  isTrue: () => Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for: ${what}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
