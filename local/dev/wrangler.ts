import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join, resolve } from "node:path";
import { guardGroup } from "./guard.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface WranglerOptions {
  port: number;
  settings: Record<string, string>;
  stateDir: string;
  /** A bundle that was built before; default: the sources, watched and built anew at every change. */
  script?: string;
  /** Where the Worker's words go; default: to this process's own output. */
  logFile?: string;
}

/** One run of `wrangler dev`, below which two workerd run: the Worker's, and the one in front that has its port. */
export interface Wrangler {
  pid: number;
  /** Settles when it has ended, wanted or not. */
  exited: Promise<void>;
  /** Calls back each time that one of its runtimes has died. */
  onCrash(listener: () => void): void;
  end(): Promise<void>;
}

/** Wrangler asks nobody on the internet about itself or about this machine. */
const OFFLINE = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

const READY_MS = 60_000;
const PATIENCE_MS = 5_000;
const CRASH = "The Workers runtime crashed unexpectedly";

/** Starts `wrangler dev` with the given variables and waits until it answers; stops it again when it does not. */
export async function startWrangler(
  options: WranglerOptions,
  signal?: AbortSignal,
): Promise<Wrangler> {
  const { port, stateDir, logFile } = options;
  const child = launch(options);
  const tail = keepTail(child);
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  const silent = new Promise<void>((done) => child.once("close", () => done()));
  const release = guardGroup(child);
  const stop = async () => {
    await end(child, exited);
    release();
  };
  if (!(await isReady(port, exited, tail, signal))) {
    await stop();
    // Its last words come with the end of the last process that could speak them.
    await silent;
    throw new Error(signal?.aborted ? "stopped" : `The Worker did not start.\n${tail()}`);
  }
  const log = logFile ? createWriteStream(join(stateDir, logFile), { flags: "a" }) : null;
  child.stdout?.pipe(log ?? process.stdout, { end: false });
  child.stderr?.pipe(log ?? process.stderr, { end: false });
  const onCrash = (listener: () => void) => listenForCrashes(child, listener);
  return { pid: child.pid ?? 0, exited, onCrash, end: stop };
}

function launch({ port, settings, stateDir, script }: WranglerOptions): ChildProcess {
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

/** Wrangler says so in a line of its own, which may come in pieces. */
function listenForCrashes(child: ChildProcess, listener: () => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.on("data", (data: Buffer) => {
      const pieces = (rest + data.toString()).split(CRASH);
      rest = pieces.at(-1)?.slice(-CRASH.length) ?? "";
      if (pieces.length > 1) listener();
    });
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
  const ended = exited.then(() => {
    gone = true;
    return false;
  });
  const deadline = Date.now() + READY_MS;
  const answer = askUntil(port, deadline, () => gone || signal?.aborted === true);
  const cannot = async () => {
    while (!gone && !signal?.aborted && Date.now() < deadline) {
      if (/Build failed|failed to start|refusing to serve/.test(tail())) break;
      await new Promise((wake) => setTimeout(wake, 100));
    }
    return false;
  };
  return await Promise.race([answer, ended, cannot()]);
}

/**
 * Asks until it answers, or nobody wants to know any more. The one request that is taken is given all the time there is:
 * wrangler's front keeps it until the Worker runs, and one that is broken off meanwhile may block it for ever.
 */
export async function askUntil(
  port: number,
  deadline: number,
  isOver: () => boolean,
): Promise<boolean> {
  while (!isOver() && Date.now() < deadline) {
    if (await answers(port, deadline - Date.now())) return true;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  return false;
}

/** Whether the Worker itself answers within that time; asked on a connection of its own, so that no dead one is used. */
function answers(port: number, patienceMs: number): Promise<boolean> {
  return new Promise((done) => {
    const options = { host: "127.0.0.1", port, path: "/openapi.json", agent: false };
    const request = get(options, (response) => {
      response.destroy();
      settle(response.statusCode === 200);
    });
    const late = setTimeout(() => settle(false), patienceMs);
    const settle = (does: boolean) => {
      clearTimeout(late);
      request.destroy();
      done(does);
    };
    request.on("error", () => settle(false));
  });
}
