import { runtimeOf } from "../../local/dev/runtime.ts";
import type { Platform } from "../platform.ts";

const BACK_MS = 60_000;

/** Kills the Worker's process as nothing can be caught, and waits until another has been started and answers. */
export async function killRuntime({ worker, port }: Platform): Promise<void> {
  const before = runtimeOf(worker);
  if (before === undefined) throw new Error("the Worker's process is not there");
  process.kill(before, "SIGKILL");
  const deadline = Date.now() + BACK_MS;
  while (!(await answers(port)) || runtimeOf(worker) === before) {
    if (Date.now() > deadline) throw new Error(`the Worker did not run again within ${BACK_MS} ms`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const url = `http://127.0.0.1:${port}/openapi.json`;
    return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}
