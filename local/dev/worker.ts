import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

export interface WorkerOptions {
  port: number;
  settings: Record<string, string>;
  stateDir: string;
}

export interface RunningWorker {
  /** Settles when the Worker has ended, wanted or not. */
  exited: Promise<void>;
  stop(): Promise<void>;
}

/** Wrangler asks nobody on the internet about itself or about this machine. */
const OFFLINE = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

const READY_MS = 60_000;
const MINUTE_MS = 60_000;

/** Starts `wrangler dev` with the given variables and waits until it answers. Rings its crons, which it does not. */
export async function startWorker({
  port,
  settings,
  stateDir,
}: WorkerOptions): Promise<RunningWorker> {
  await assertFree(port);
  const variables = join(stateDir, "dev.vars");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  writeFileSync(variables, lines.join("\n"), { mode: 0o600 });
  const child = spawn(process.execPath, wranglerArgs(port, variables, stateDir), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...OFFLINE, CI: "true", NO_COLOR: "1" },
  });
  const log = keepTail(child);
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await waitUntilReady(port, exited, log);
  child.stdout?.pipe(process.stdout);
  child.stderr?.pipe(process.stderr);
  const crons = ringCrons(port);
  return {
    exited,
    async stop() {
      clearInterval(crons);
      child.kill("SIGINT");
      await exited;
    },
  };
}

function wranglerArgs(port: number, variables: string, stateDir: string): string[] {
  return [
    join("node_modules", "wrangler", "bin", "wrangler.js"),
    "dev",
    ...["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"],
    ...["--env-file", variables, "--persist-to", join(stateDir, "worker")],
    ...["--log-level", "warn", "--show-interactive-dev-session=false", "--test-scheduled"],
  ];
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

async function waitUntilReady(port: number, exited: Promise<void>, log: () => string) {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  const deadline = Date.now() + READY_MS;
  while (!gone && Date.now() < deadline) {
    const ready = await fetch(`http://127.0.0.1:${port}/openapi.json`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`The Worker did not start.\n${log()}`);
}

/** Production's cron triggers ring by themselves; here the supervisor rings them. */
function ringCrons(port: number): NodeJS.Timeout {
  let minutes = 0;
  return setInterval(() => {
    minutes += 1;
    void ring(port, "* * * * *");
    if (minutes % 60 === 0) void ring(port, "17 * * * *");
  }, MINUTE_MS);
}

async function ring(port: number, cron: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/__scheduled?cron=${encodeURIComponent(cron)}`;
  await fetch(url).catch(() => console.error("the minute's chores could not be started"));
}

function assertFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () =>
      reject(
        new Error(
          `Port ${port} is taken. Stop what uses it, or choose another: npm run dev -- --port 8900`,
        ),
      ),
    );
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve()));
  });
}
