import { execFileSync } from "node:child_process";

interface Process {
  pid: number;
  parent: number;
  command: string;
}

/** The two workerd below a wrangler. */
export interface Runtimes {
  /** Runs our Worker, its objects and its queues. */
  worker: number | undefined;
  /** Has the Worker's port and only hands requests on. */
  front: number | undefined;
}

/** Finds the runtimes of the wrangler with that process id, whose Worker has that port. */
export function runtimesOf({ pid, port }: { pid: number; port: number }): Runtimes {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const processes = lines.split("\n").flatMap((line): Process[] => {
    const [, id, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return command ? [{ pid: Number(id), parent: Number(parent), command }] : [];
  });
  const below = new Set([pid]);
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const one of processes) if (below.has(one.parent)) below.add(one.pid);
  }
  const ours = processes.filter(
    (one) => below.has(one.pid) && one.command.includes("workerd serve"),
  );
  const isFront = ({ command }: Process) => command.includes(`entry=127.0.0.1:${port} `);
  return {
    worker: ours.find((one) => !isFront(one))?.pid,
    front: ours.find(isFront)?.pid,
  };
}
