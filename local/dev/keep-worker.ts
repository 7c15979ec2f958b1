import { type FSWatcher, watch } from "node:fs";
import { join, resolve } from "node:path";
import { type RunningWorker, startWorker, type WorkerOptions } from "./worker.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const SOURCES = ["workers", "shared", "wrangler.toml"];
/** Editors write a file in several steps. */
const SETTLE_MS = 300;

/**
 * Runs until `signal` says so. Wrangler itself builds anew at every change, but it ends when the new Worker throws at
 * its start; then this says so, waits for the next change and starts it again. The first start must succeed.
 */
export async function keepWorker(
  options: WorkerOptions,
  signal: AbortSignal,
  ready: () => Promise<void>,
): Promise<void> {
  const stopped = new Promise<void>((done) => signal.addEventListener("abort", () => done()));
  let worker: RunningWorker | null = await startWorker(options, signal);
  try {
    await ready();
    while (!signal.aborted) {
      await Promise.race([worker?.exited, stopped]);
      if (signal.aborted) return;
      await worker?.stop();
      console.error("\nThe Worker has ended. It starts again when one of its files changes.\n");
      await nextChange(signal);
      worker = await tryStart(options, signal);
    }
  } finally {
    await worker?.stop();
  }
}

async function tryStart(
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<RunningWorker | null> {
  try {
    const worker = await startWorker(options, signal);
    console.error("The Worker runs again.");
    return worker;
  } catch (error) {
    if (!signal.aborted) console.error(error instanceof Error ? error.message : error);
    return null;
  }
}

/** Returns after a change of the sources, or at once when `signal` says so. */
async function nextChange(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const watchers: FSWatcher[] = [];
  await new Promise<void>((changed) => {
    signal.addEventListener("abort", () => changed(), { once: true });
    for (const source of SOURCES) {
      watchers.push(watch(join(ROOT, source), { recursive: true }, () => changed()));
    }
  });
  for (const watcher of watchers) watcher.close();
  await new Promise((settled) => setTimeout(settled, SETTLE_MS));
}
