import { type Runtimes, runtimesOf } from "../../local/dev/runtimes.ts";
import { answers } from "../../local/dev/wrangler.ts";
import { eventually, type Platform } from "../platform.ts";

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
  const isAnother = async () => {
    const now = find();
    const areNew = which.every((one) => now[one] !== undefined && now[one] !== before[one]);
    return areNew && (await answers(platform.port, 3_000));
  };
  await eventually("the Worker to run again", isAnother, BACK_MS);
}
