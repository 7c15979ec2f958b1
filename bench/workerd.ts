import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { workerConfig } from "./capnp.ts";
import { cpuMicroseconds, send, type Target } from "./load.ts";

export const ROOT = resolve(import.meta.dirname, "..");
const MEMORY = "/dev/shm";

/** A folder with `index.js` and what workerd is to do with it. */
export interface Bundle {
  folder: string;
  /** Where objects keep what they keep, in memory if possible: production syncs no disk on a Worker's own thread. */
  objects: string;
  gzipBytes: number;
  config(port: number): string;
}

/** The Worker as it is deployed: wrangler's own bundle, with its size as Cloudflare counts it. */
export function bundleWorker(settings: Record<string, string>): Bundle {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-bench-"));
  const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const options = ["--env", "production", "--dry-run", "--minify", "--outdir", folder];
  const built = spawnSync(process.execPath, [wrangler, "deploy", ...options], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" },
  });
  if (built.status !== 0) throw new Error(`the Worker does not bundle:\n${built.stderr}`);
  const objects = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "lumbung-objects-"));
  const gzipBytes = gzipSync(readFileSync(join(folder, "index.js"))).byteLength;
  const config = (port: number) => {
    return workerConfig(port, settings, mkdtempSync(join(objects, "port-")));
  };
  return { folder, objects, gzipBytes, config };
}

export interface Running extends Target {
  /** From the start of the process to its first answer. */
  startMs: number;
  /** The processor time that this took. */
  startCpuMs: number;
  stop(): Promise<void>;
}

/** The bundle on bare workerd, without the proxies of a development server. */
export async function startWorkerd(bundle: Bundle, probe?: string): Promise<Running> {
  const port = await freePort();
  const file = join(bundle.folder, `workerd-${port}.capnp`);
  writeFileSync(file, bundle.config(port), { mode: 0o600 });
  const binary = join(ROOT, "node_modules", "workerd", "bin", "workerd");
  return await startServer(binary, ["serve", file, "--experimental"], port, {}, probe);
}

/** Starts a program that is to listen on `port`, and waits for its first answer, to a GET of `path`. */
export async function startServer(
  program: string,
  options: string[],
  port: number,
  env: Record<string, string> = {},
  path = "/api/nothing",
): Promise<Running> {
  const began = performance.now();
  const child = spawn(program, options, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ...env },
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = once(child, "exit").then(() => process.off("exit", kill));
  const pid = child.pid ?? 0;
  // Not a polite signal: workerd then waits for requests that may never end.
  const stop = async () => {
    kill();
    await exited;
  };
  const deadline = began + 20_000;
  while (child.exitCode === null && performance.now() < deadline) {
    const probe = { method: "GET", path, headers: { host: "localhost" } };
    const answer = await send(port, probe).catch(() => null);
    if (answer) {
      const startMs = performance.now() - began;
      return { port, pid, startMs, startCpuMs: cpuMicroseconds(pid) / 1000, stop };
    }
    await new Promise((wait) => setTimeout(wait, 5));
  }
  await stop();
  throw new Error(`${program} did not start`);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

export function dropBundle({ folder, objects }: Bundle): void {
  for (const made of [folder, objects]) rmSync(made, { recursive: true, force: true });
}
