import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { privateKib, residentKib } from "../live/memory.ts";
import { cpuMicroseconds } from "../load.ts";
import { line } from "../table.ts";
import { ROOT } from "../workerd.ts";
import type { SeededServer } from "./seed.ts";

const GOAL_MIB = 60;
/** What the systemd unit sets. */
const AS_INSTALLED = { MALLOC_ARENA_MAX: "1", NODE_OPTIONS: "--max-semi-space-size=1" };
/** A minute has one report and two heartbeats. */
const REST_MS = 60_000;
const SETTLE_MS = 10_000;

/** The built agent on plain Node, connected and with nothing to do: its memory, and its processor time for an hour. */
export async function benchAgent(url: string, server: SeededServer): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-agent-"));
  const built = spawnSync("npm", ["run", "--silent", "build:agent"], { cwd: ROOT });
  if (built.status !== 0) throw new Error(`the agent does not bundle:\n${built.stderr}`);
  const agent = await startAgent(folder, url, server);
  try {
    await pause(SETTLE_MS);
    const pid = agent.pid ?? 0;
    const cpu = cpuMicroseconds(pid);
    await pause(REST_MS);
    const cpuMs = (cpuMicroseconds(pid) - cpu) / 1_000;
    const mib = residentKib(pid) / 1_024;
    console.log(
      line("the agent at rest", [
        `${mib.toFixed(0)} MiB resident (goal: below ${GOAL_MIB}), ${(privateKib(pid) / 1_024).toFixed(0)} of them its own;`,
        `${((cpuMs * 3_600_000) / REST_MS / 1_000).toFixed(1)} s of CPU an hour`.padStart(26),
      ]),
    );
    return mib < GOAL_MIB ? [] : [`the agent at rest holds ${mib.toFixed(0)} MiB`];
  } finally {
    agent.kill("SIGKILL");
    await once(agent, "exit");
    rmSync(folder, { recursive: true });
  }
}

async function startAgent(
  folder: string,
  url: string,
  server: SeededServer,
): Promise<ChildProcess> {
  const [settings, keyFile] = [join(folder, "agent.json"), join(folder, "agent.key")];
  writeFileSync(keyFile, server.pem, { mode: 0o600 });
  const paths = { keyFile, stateDir: join(folder, "state"), sitesRoot: join(folder, "www") };
  writeFileSync(
    settings,
    JSON.stringify({ url, serverId: server.id, services: "direct", ...paths }),
  );
  const entry = join(ROOT, "agent/dist/nusantarad.mjs");
  const child = spawn(process.execPath, [entry, "run", "--settings", settings], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...AS_INSTALLED },
  });
  let said = "";
  for await (const piece of child.stdout) {
    said += String(piece);
    if (said.includes('"connected"')) return child;
  }
  throw new Error(`the agent did not connect: ${said}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
