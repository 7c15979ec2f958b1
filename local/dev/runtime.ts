import { execFileSync } from "node:child_process";

/** The process id of the workerd below a Worker's process; undefined while none runs. */
export function runtimeOf({ pid }: { pid: number }): number | undefined {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  const below = lines
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .find((found) => Number(found?.[2]) === pid && found?.[3]?.includes("workerd serve"));
  return below ? Number(below[1]) : undefined;
}
