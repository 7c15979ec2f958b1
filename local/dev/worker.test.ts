import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isFree } from "./ports.ts";
import { runtimeOf } from "./runtime.ts";
import { type RunningWorker, startWorker } from "./worker.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
const CONFIG = resolve(import.meta.dirname, "../../wrangler.toml");

let folder: string;
let worker: RunningWorker;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lumbung-worker-"));
  port = await freePort();
  worker = await startWorker({
    ...{ port, settings: { WORD: "ok" }, stateDir: folder, script: smallWorker() },
    ...{ logFile: "worker.log", crons: false },
  });
});

afterEach(async () => {
  await worker.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Says the word of its settings, and has the objects that the configuration names. */
function smallWorker(): string {
  const names = readFileSync(CONFIG, "utf8").matchAll(/class_name = "(\w+)"/g);
  const classes = [...new Set([...names].map(([, name]) => `export class ${name} {}`))];
  const script = join(folder, "worker.mjs");
  const handler = `export default {
    fetch: ({ headers }, env) => new Response(env.WORD, { headers: { caller: headers.get("cf-connecting-ip") } }),
    queue() {}, scheduled() { console.log("rang"); } };`;
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

async function word(): Promise<string> {
  const signal = AbortSignal.timeout(5_000);
  return await (await fetch(`http://127.0.0.1:${port}/`, { signal })).text();
}

test.each<[string, () => number | undefined, ("runtime" | "process")[]]>([
  ["its runtime", () => runtimeOf(worker), ["runtime"]],
  ["the process above its runtime", () => worker.pid, ["runtime", "process"]],
])(
  "answers again by itself after a SIGKILL of %s, and stops for good",
  async (_, find, replaced) => {
    const before = { runtime: runtimeOf(worker), process: worker.pid };
    process.kill(find() ?? 0, "SIGKILL");
    await vi.waitFor(async () => {
      const now = { runtime: runtimeOf(worker), process: worker.pid };
      for (const one of replaced) expect(now[one]).not.toBe(before[one]);
      expect(await word()).toBe("ok");
    }, PATIENCE);
    await worker.stop();
    await worker.exited;
    expect(await isFree(port)).toBe(true);
  },
);

test("a request that was broken off while its runtime starts keeps none from its answer", async () => {
  process.kill(runtimeOf(worker) ?? 0, "SIGKILL");
  const hasty = Array.from({ length: 20 }, (_, n) =>
    fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(n * 10) }).catch(() => null),
  );
  await Promise.all(hasty);
  await vi.waitFor(async () => expect(await word()).toBe("ok"), PATIENCE);
});

test("rings its crons, and names who connects itself, whatever the caller says of himself", async () => {
  await worker.ring("* * * * *");
  await vi.waitFor(() => expect(readFileSync(join(folder, "worker.log"), "utf8")).toMatch("rang"));
  for (const headers of [{}, { "cf-connecting-ip": "203.0.113.9" }]) {
    const { headers: answered } = await fetch(`http://127.0.0.1:${port}/`, { headers });
    expect(answered.get("caller")).toBe("127.0.0.1");
  }
});

test("what throws at its start is told, and no process is left of it", async () => {
  const script = join(folder, "broken.mjs");
  writeFileSync(script, 'throw new Error("no such thing");');
  const other = await freePort();
  const options = { port: other, settings: {}, stateDir: folder, script, logFile: "other.log" };
  await expect(startWorker(options)).rejects.toThrow("The Worker did not start");
  expect(await isFree(other)).toBe(true);
});
