import { execFileSync } from "node:child_process";
import { eventually, type Platform } from "../platform.ts";

interface Process {
  pid: number;
  parent: number;
  command: string;
}

/**
 * The workerd that runs our Worker, its objects and its queues. Wrangler has a second one in front that only hands
 * requests on: it is the one with the Worker's port.
 */
function findRuntime({ worker, port }: Platform): number | undefined {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const processes = lines.split("\n").flatMap((line): Process[] => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command ? [{ pid: Number(pid), parent: Number(parent), command }] : [];
  });
  const below = new Set([worker.pid]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const { pid, parent } of processes) if (below.has(parent)) below.add(pid);
  }
  const isOurs = ({ pid, command }: Process) =>
    below.has(pid) &&
    command.includes("workerd serve") &&
    !command.includes(`entry=127.0.0.1:${port} `);
  return processes.find(isOurs)?.pid;
}

/** Kills the Worker's process as nothing can be caught, and waits until wrangler has started another. */
export async function killRuntime(platform: Platform): Promise<void> {
  const before = findRuntime(platform);
  if (before === undefined) throw new Error("the Worker's process is not there");
  process.kill(before, "SIGKILL");
  await eventually("the Worker to run again", async () => {
    const now = findRuntime(platform);
    return now !== undefined && now !== before && (await answers(platform));
  });
}

async function answers({ port }: Platform): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(3_000);
    const response = await fetch(`http://127.0.0.1:${port}/openapi.json`, { signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
