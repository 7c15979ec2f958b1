import { type Runtimes, runtimesOf } from "../../local/dev/runtimes.ts";
import { askUntil } from "../../local/dev/wrangler.ts";
import type { Platform } from "../platform.ts";

/** A restart of wrangler itself, on a machine that does other things. */
const BACK_MS = 90_000;

/**
 * Kills the Worker's process as nothing can be caught, and waits until another has been started; on request that of the
 * proxy in front of it as well, or alone.
 */
export async function killRuntime(
  platform: Platform,
  which: (keyof Runtimes)[] = ["worker"],
): Promise<void> {
  const find = () => runtimesOf({ pid: platform.worker.pid, port: platform.port });
  const before = find();
  for (const one of which) {
    const pid = before[one];
    if (pid === undefined) throw new Error(`the process of the ${one} is not there`);
    process.kill(pid, "SIGKILL");
  }
  if (!(await askUntil(platform.port, Date.now() + BACK_MS, () => false))) {
    throw new Error(`the Worker did not run again within ${BACK_MS / 1000} s`);
  }
  const now = find();
  for (const one of which) {
    if (now[one] === undefined || now[one] === before[one]) {
      throw new Error(`the ${one} that answers is the one that was killed`);
    }
  }
}
