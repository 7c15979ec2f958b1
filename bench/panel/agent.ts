import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { MEMORY_ENV } from "../../agent/install/unit.ts";
import { buildAgent } from "../../local/release/build.ts";
import { privateKib, residentKib } from "../live/memory.ts";
import { cpuMicroseconds } from "../load.ts";
import { line } from "../table.ts";
import type { SeededServer } from "./seed.ts";

const GOAL_MIB = 60;
/** A minute has one report and two heartbeats. */
const REST_MS = 60_000;
const SETTLE_MS = 10_000;
const STOP_MS = 20_000;
const VERSION = "0.0.1";

/** The built agent as installed, below its supervisor, connected and with nothing to do: memory, and CPU for an hour. */
export async function benchAgent(
  url: string,
  server: SeededServer,
  keep: (stop: () => Promise<unknown>) => void,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "lumbung-agent-"));
  const node = plainNode();
  const supervisor = await startSupervisor(folder, node, url, server);
  const exited = once(supervisor, "exit");
  const stop = async () => {
    supervisor.kill("SIGTERM");
    // On a machine that is busy with other things its agent may take longer to say goodbye than anybody waits.
    const killed = setTimeout(() => killTree(supervisor.pid ?? 0), STOP_MS);
    await exited;
    clearTimeout(killed);
  };
  keep(stop);
  try {
    const agent = await connectedAgent(supervisor);
    await pause(SETTLE_MS);
    const cpu = cpuMicroseconds(agent) + cpuMicroseconds(supervisor.pid ?? 0);
    await pause(REST_MS);
    const cpuMs = (cpuMicroseconds(agent) + cpuMicroseconds(supervisor.pid ?? 0) - cpu) / 1_000;
    const [own, shell] = [residentKib(agent), residentKib(supervisor.pid ?? 0)];
    const mib = (own + shell) / 1_024;
    console.log(
      line("the agent at rest", [
        `${mib.toFixed(0)} MiB resident (goal: below ${GOAL_MIB}), ${(privateKib(agent) / 1_024).toFixed(0)} of them its own;`,
        `${((cpuMs * 3_600_000) / REST_MS / 1_000).toFixed(1)} s of CPU an hour`.padStart(26),
      ]),
    );
    console.log(
      line("  of which", [
        `the supervisor ${(shell / 1_024).toFixed(1)} MiB; Node ${versionOf(node)} without any program ${await bareMib(node)} MiB`,
      ]),
    );
    return mib < GOAL_MIB ? [] : [`the agent at rest holds ${mib.toFixed(0)} MiB`];
  } finally {
    await stop();
    rmSync(folder, { recursive: true });
  }
}

/** The supervisor and its agent, which are a group of their own. */
function killTree(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // They have ended meanwhile.
  }
}

/** The machine's own Node where it is one that the agent runs on, as on a server; else that of the bench. */
function plainNode(): string {
  const [own, oldest] = ["/usr/bin/node", 20];
  try {
    return Number(versionOf(own).split(".")[0]) >= oldest ? own : process.execPath;
  } catch {
    return process.execPath;
  }
}

const versionOf = (node: string) =>
  execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1);

/** What no program on this Node can go below. */
async function bareMib(node: string): Promise<string> {
  const child = spawn(node, ["-e", "setInterval(() => {}, 1e6)"], { stdio: "ignore" });
  await pause(2_000);
  const mib = residentKib(child.pid ?? 0) / 1_024;
  child.kill("SIGKILL");
  await once(child, "exit");
  return mib.toFixed(0);
}

async function startSupervisor(
  folder: string,
  node: string,
  url: string,
  server: SeededServer,
): Promise<ChildProcessByStdio<null, Readable, null>> {
  const at = (...names: string[]) => join(folder, ...names);
  const built = await buildAgent({ version: VERSION, commit: "bench", builtAt: "", keys: [] });
  mkdirSync(at("programs/releases", VERSION), { recursive: true });
  mkdirSync(at("state"));
  writeFileSync(at("programs/releases", VERSION, "nusantarad.mjs"), built.agent);
  writeFileSync(at("programs/supervise.sh"), built.supervisor);
  symlinkSync(at("programs/releases", VERSION), at("state/current"));
  writeFileSync(at("agent.key"), server.pem, { mode: 0o600 });
  const paths = { keyFile: at("agent.key"), stateDir: at("state"), sitesRoot: at("www") };
  const settings = { url, serverId: server.id, services: "direct", ...paths };
  writeFileSync(at("agent.json"), JSON.stringify(settings));
  const args = [at("programs/supervise.sh"), node, at("state"), at("programs")];
  return spawn("/bin/sh", [...args, "run", "--settings", at("agent.json")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...MEMORY_ENV },
    detached: true,
  });
}

/** The agent's process, once it is connected. */
async function connectedAgent({ stdout }: { stdout: Readable }): Promise<number> {
  let said = "";
  // Read to its end afterwards: who writes to a pipe that nobody holds dies of it.
  for await (const piece of stdout.iterator({ destroyOnReturn: false })) {
    said += String(piece);
    const [, pid] = /supervisor: started \S+ \((\d+)\)/.exec(said) ?? [];
    if (!pid || !said.includes('"connected"')) continue;
    stdout.resume();
    return Number(pid);
  }
  throw new Error(`the agent did not connect: ${said}`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
