import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { guardGroup } from "../local/dev/guard.ts";
import { isFree } from "../local/dev/ports.ts";

const ROOT = resolve(import.meta.dirname, "..");
const READY_MS = 60_000;

export interface Fixture {
  url: string;
  stop(): Promise<void>;
}

/** Starts a Worker of the protocol engine's folder (its own wrangler configuration) on a free port. */
export async function startFixture(config: string): Promise<Fixture> {
  const state = mkdtempSync(join(tmpdir(), "lumbung-socketio-"));
  const port = await freePort();
  const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const args = [
    "dev",
    "--config",
    join(ROOT, config),
    "--port",
    String(port),
    "--inspector-port",
    "0",
  ];
  const child = spawn(
    process.execPath,
    [wrangler, ...args, "--persist-to", state, "--show-interactive-dev-session=false"],
    {
      cwd: ROOT,
      detached: true,
      stdio: "ignore",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    },
  );
  const release = guardGroup(child);
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  const stop = async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGTERM");
    await exited;
    release();
    rmSync(state, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  if (!(await answers(url))) {
    await stop();
    throw new Error(`the Worker of ${config} did not start`);
  }
  return { url, stop };
}

async function answers(url: string): Promise<boolean> {
  for (const end = Date.now() + READY_MS; Date.now() < end; ) {
    const isUp = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isUp) return true;
    await new Promise((done) => setTimeout(done, 100));
  }
  return false;
}

async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port");
}
