import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { guardGroup } from "./guard.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface WorkerOptions {
  port: number;
  settings: Record<string, string>;
  stateDir: string;
  /** A bundle that was built before; default: the sources, watched and built anew at every change. */
  script?: string;
  /** Where the Worker's words go; default: to this process's own output. */
  logFile?: string;
  /** Whether to ring the minute's crons, as production does. */
  crons?: boolean;
}

export interface RunningWorker {
  /** Of wrangler, below which workerd runs. */
  pid: number;
  /** Settles when the Worker has ended, wanted or not. */
  exited: Promise<void>;
  /** Runs the chores of a cron trigger now, and waits for them. */
  ring(cron: string): Promise<void>;
  stop(): Promise<void>;
}

/** Wrangler asks nobody on the internet about itself or about this machine. */
const OFFLINE = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

const READY_MS = 60_000;
const MINUTE_MS = 60_000;
const PATIENCE_MS = 5_000;

/** Starts `wrangler dev` with the given variables and waits until it answers; stops it again when it does not. */
export async function startWorker(
  options: WorkerOptions,
  signal?: AbortSignal,
): Promise<RunningWorker> {
  const { port, stateDir, logFile } = options;
  const child = launch(options);
  const tail = keepTail(child);
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  const silent = new Promise<void>((done) => child.once("close", () => done()));
  const release = guardGroup(child);
  const stop = async () => {
    clearInterval(crons);
    await end(child, exited);
    release();
  };
  let crons: NodeJS.Timeout | undefined;
  if (!(await isReady(port, exited, tail, signal))) {
    await stop();
    // Its last words come with the end of the last process that could speak them.
    await silent;
    throw new Error(signal?.aborted ? "stopped" : `The Worker did not start.\n${tail()}`);
  }
  const log = logFile ? createWriteStream(join(stateDir, logFile), { flags: "a" }) : null;
  child.stdout?.pipe(log ?? process.stdout, { end: false });
  child.stderr?.pipe(log ?? process.stderr, { end: false });
  if (options.crons ?? true) crons = ringCrons(port);
  return { pid: child.pid ?? 0, exited, ring: (cron) => ring(port, cron), stop };
}

function launch({ port, settings, stateDir, script }: WorkerOptions): ChildProcess {
  const state = resolve(stateDir);
  mkdirSync(state, { recursive: true });
  const variables = join(state, "dev.vars");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  writeFileSync(variables, lines.join("\n"), { mode: 0o600 });
  const args = [
    join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js"),
    "dev",
    ...["--config", join(ROOT, "wrangler.toml")],
    ...(script ? [script, "--no-bundle"] : []),
    ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
    ...["--env-file", variables, "--persist-to", join(state, "worker")],
    ...["--log-level", "warn", "--show-interactive-dev-session=false"],
  ];
  // Its own process group: Ctrl-C reaches only the supervisor, which stops things in order.
  return spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
    env: { ...process.env, ...OFFLINE, CI: "true", NO_COLOR: "1" },
  });
}

/** Asks wrangler to end, and after a while ends whatever is left of it and below it. */
async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
  const impatient = setTimeout(() => killGroup(child), PATIENCE_MS);
  await exited;
  clearTimeout(impatient);
  killGroup(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It is gone, which is what was wanted.
  }
}

function keepTail(child: ChildProcess): () => string {
  let tail = "";
  const keep = (data: Buffer) => {
    tail = (tail + data.toString()).slice(-4000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return () => tail;
}

/** False when it ended, says why it cannot start, takes too long, or is no longer wanted. */
async function isReady(
  port: number,
  exited: Promise<void>,
  tail: () => string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  const deadline = Date.now() + READY_MS;
  while (!gone && !signal?.aborted && Date.now() < deadline) {
    if (/Build failed|failed to start|refusing to serve/.test(tail())) return false;
    if (await answers(port)) return true;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  return false;
}

/** Whether the Worker itself answers. */
async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/openapi.json`, {
      signal: AbortSignal.timeout(5_000),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Production's cron triggers ring by themselves; here the supervisor rings them. */
function ringCrons(port: number): NodeJS.Timeout {
  let minutes = 0;
  const say = () => console.error("the minute's chores could not be started");
  return setInterval(() => {
    minutes += 1;
    ring(port, "* * * * *").catch(say);
    if (minutes % 60 === 0) ring(port, "17 * * * *").catch(say);
  }, MINUTE_MS);
}

async function ring(port: number, cron: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`;
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`cron ${cron} answered ${response.status}: ${text}`);
}
