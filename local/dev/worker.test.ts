import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isFree } from "./ports.ts";
import { type Runtimes, runtimesOf } from "./runtimes.ts";
import { type RunningWorker, startWorker } from "./worker.ts";
import { askUntil } from "./wrangler.ts";

/** A second start of wrangler, on a machine that does other things. */
const PATIENCE_MS = 120_000;
const CONFIG = resolve(import.meta.dirname, "../../wrangler.toml");

let folder: string;
let worker: RunningWorker;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lumbung-worker-"));
  port = await freePort();
  worker = await startWorker({
    ...{ port, settings: {}, stateDir: folder, script: smallWorker() },
    ...{ logFile: "worker.log", crons: false, healMs: 4_000 },
  });
});

afterEach(async () => {
  await worker.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Answers everything with 200, and has the objects that the configuration names. */
function smallWorker(): string {
  const names = readFileSync(CONFIG, "utf8").matchAll(/class_name = "(\w+)"/g);
  const classes = [...new Set([...names].map(([, name]) => `export class ${name} {}`))];
  const script = join(folder, "worker.mjs");
  const handler = 'export default { fetch: () => new Response("ok"), queue() {}, scheduled() {} };';
  writeFileSync(script, [...classes, handler].join("\n"));
  return script;
}

/** Below the ports that the system hands out to outgoing connections. */
async function freePort(): Promise<number> {
  for (;;) {
    const found = 12_000 + Math.floor(Math.random() * 18_000);
    if (await isFree(found)) return found;
  }
}

test.each<[string, (keyof Runtimes)[]]>([
  ["the Worker's runtime", ["worker"]],
  ["the runtime in front", ["front"]],
  ["both", ["worker", "front"]],
])(
  "answers again by itself after a SIGKILL of %s, and is one Worker still",
  async (_, which) => {
    const before = runtimesOf({ pid: worker.pid, port });
    for (const one of which) process.kill(before[one] ?? 0, "SIGKILL");
    expect(await askUntil(port, Date.now() + PATIENCE_MS, () => false)).toBe(true);
    const now = runtimesOf({ pid: worker.pid, port });
    for (const one of which) expect(now[one]).not.toBe(before[one]);
    const ended = worker.exited.then(() => "ended");
    expect(await Promise.race([ended, Promise.resolve("runs")])).toBe("runs");
    await worker.stop();
    expect(await ended).toBe("ended");
    expect(await isFree(port)).toBe(true);
  },
  180_000,
);
