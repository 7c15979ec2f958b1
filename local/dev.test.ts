import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, expect, onTestFailed, test, vi } from "vitest";
import { request } from "./demo/http.ts";
import { isFree, portsFrom } from "./dev/ports.ts";

const ROOT = resolve(import.meta.dirname, "..");
const PATIENCE = { timeout: 120_000, interval: 100 };

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

interface Dev {
  child: ChildProcess;
  said(): string;
  /** Settles with the exit code. */
  exited: Promise<number | null>;
}

function startDev(port: number, state: string): Dev {
  const args = [join(ROOT, "local", "dev.ts"), "--port", String(port), "--state", state];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  undo.push(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += chunk;
    });
  }
  onTestFailed(() => console.error(said));
  const exited = once(child, "exit").then(([code]) => code);
  return { child, said: () => said, exited };
}

/** A base from which all ports are free, below those that the system hands out. */
async function freeBase(): Promise<number> {
  for (;;) {
    const base = 12_000 + Math.floor(Math.random() * 18_000);
    const free = await Promise.all(Object.values(portsFrom(base)).map(isFree));
    if (free.every(Boolean)) return base;
  }
}

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-dev-"));
  chmodSync(folder, 0o755);
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const says = (dev: Dev, words: string) =>
  vi.waitFor(() => expect(dev.said()).toContain(words), PATIENCE);

async function allEnds(port: number): Promise<void> {
  await vi.waitFor(async () => {
    const ports = Object.values(portsFrom(port));
    expect(await Promise.all(ports.map(isFree))).toEqual(ports.map(() => true));
  }, PATIENCE);
}

/** The processes that were given this state. */
function processesOf(state: string): { pid: number; command: string }[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8" }).split("\n");
  return lines
    .filter((line) => line.includes(state))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
}

test("keeps its data and sign-ins, survives the end of its Worker, and leaves nothing behind when stopped or killed", async () => {
  const [port, state] = [await freeBase(), stateFolder()];
  const app = `http://localhost:${port}`;
  const json = { email: "penjual@lumbung.example", password: "lumbung-demo" };

  const first = startDev(port, state);
  await says(first, "Lumbung runs");
  const { token } = await request<{ token: string }>(app, "/api/auth/signin", {
    method: "POST",
    json,
  });
  const worker = processesOf(state).find(({ command }) => command.includes("worker-process.ts"));
  process.kill(worker?.pid ?? 0, "SIGKILL");
  await says(first, "is started anew");
  await vi.waitFor(() => request(app, "/openapi.json"), PATIENCE);
  expect(await request(app, "/api/seller/store", { token })).toMatchObject({ slug: "kopi-kelud" });
  first.child.kill("SIGINT");
  expect(await first.exited).toBe(0);
  expect(processesOf(state)).toEqual([]);
  await allEnds(port);

  const second = startDev(port, state);
  await says(second, "Lumbung runs");
  expect(await request(app, "/api/seller/store", { token })).toMatchObject({ slug: "kopi-kelud" });
  second.child.kill("SIGKILL");
  await allEnds(port);
  await vi.waitFor(() => expect(processesOf(state)).toEqual([]), PATIENCE);
}, 300_000);

test("names every port that another program has, and starts nothing", async () => {
  const [port, state] = [await freeBase(), stateFolder()];
  const ports = Object.values(portsFrom(port));
  for (const taken of ports.slice(1)) {
    const other = createServer().listen(taken, "127.0.0.1");
    await once(other, "listening");
    undo.push(() => other.close());
  }
  const dev = startDev(port, state);
  expect(await dev.exited).toBe(1);
  for (const taken of ports.slice(1)) expect(dev.said()).toMatch(`ort ${taken} (for `);
  expect(dev.said()).not.toContain("the Worker");
  expect(dev.said()).toContain("npm run dev -- --port");
  expect(processesOf(state)).toEqual([]);
});

test("names its one port that another program has", async () => {
  const [port, state] = [await freeBase(), stateFolder()];
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  undo.push(() => other.close());
  const dev = startDev(port, state);
  expect(await dev.exited).toBe(1);
  expect(dev.said()).toContain(`Port ${port} (for the Worker) is taken by another program.`);
});

test("stops when it is told to while it starts", async () => {
  const [port, state] = [await freeBase(), stateFolder()];
  const dev = startDev(port, state);
  await vi.waitFor(async () => expect(await isFree(port + 10)).toBe(false), PATIENCE);
  dev.child.kill("SIGTERM");
  expect(await dev.exited).toBe(0);
  expect(processesOf(state)).toEqual([]);
  await allEnds(port);
});
