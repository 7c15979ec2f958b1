import { mkdirSync, watch } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  MiniflareCoreError,
  type MiniflareOptions,
} from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { watchWorker } from "./bundle.ts";
import type { Said, WorkerProcessOptions } from "./worker.ts";

/**
 * The process that workerd runs below. Its parent sends it the options and hears when the Worker serves, and each time
 * that it cannot; it ends with its parent, whatever ended that one.
 */
const CONFIG = resolve(import.meta.dirname, "../../wrangler.toml");
const SETTLE_MS = 300;
/** Who listens here is reached from this machine alone, so every connection comes from this address. */
const HOST = "127.0.0.1";

process.once("message", (options: WorkerProcessOptions) => {
  void serve(options);
});

async function serve(options: WorkerProcessOptions): Promise<void> {
  const script = options.script ?? join(resolve(options.stateDir), "bundle", "index.js");
  let miniflare: Miniflare | undefined;
  endWithParent(() => miniflare?.dispose());
  const load = oneAtATime(async () => {
    const wanted = miniflareOptions(options, script);
    if (miniflare) await miniflare.setOptions(wanted);
    else miniflare = new Miniflare(wanted);
    await miniflare.ready;
    say({ serves: true });
  });
  if (options.script) return load();
  const broken = () => say({ failed: "its sources do not build" });
  await watchWorker(script, { built: load, broken });
  watch(CONFIG, later(load));
}

/** Its parent's end closes the channel; a signal of the terminal's does not reach it. */
function endWithParent(dispose: () => Promise<void> | undefined): void {
  const end = async () => {
    await dispose()?.catch(() => undefined);
    process.exit(0);
  };
  process.once("disconnect", end);
  process.once("SIGINT", end);
}

function miniflareOptions(options: WorkerProcessOptions, script: string): MiniflareOptions {
  const { port, settings, stateDir } = options;
  const { workerOptions } = unstable_getMiniflareWorkerOptions(CONFIG);
  const { modulesRules: _, ...worker } = workerOptions;
  const persist = join(resolve(stateDir), "worker", "v3");
  mkdirSync(persist, { recursive: true });
  return convertV4MiniflareOptions({
    ...{ host: HOST, port, cf: false, unsafeTriggerHandlers: true },
    ...{ resourcePersistencePath: persist, log: new Words(LogLevel.WARN), logRequests: false },
    handleStructuredLogs: ({ level, message }) =>
      level === "error" || level === "warn" ? console.error(message) : console.log(message),
    workers: [
      {
        ...worker,
        name: "lumbung",
        bindings: Object.assign({}, worker.bindings, settings),
        modulesRoot: dirname(script),
        modules: [
          { type: "ESModule", path: join(dirname(script), "edge.js"), contents: edgeOf(script) },
          { type: "ESModule", path: script },
        ],
      },
    ],
  });
}

/**
 * The Worker behind the one thing of Cloudflare's edge that it relies on: who connects is named by the platform, and a
 * name that the caller sent along is not handed on. Miniflare lets a caller name himself.
 */
const edgeOf = (script: string): string => `
import worker from "./${basename(script)}";
export * from "./${basename(script)}";
const fetch = (request, env, ctx) => {
  const headers = new Headers(request.headers);
  headers.set("cf-connecting-ip", "${HOST}");
  return worker.fetch(new Request(request, { headers }), env, ctx);
};
export default { ...worker, fetch };
`;

/** A runtime that died is started again by Miniflare; where it cannot be, this process has no more to do. */
class Words extends Log {
  override error(error: Error): void {
    super.error(error);
    if (error instanceof MiniflareCoreError && error.code === "ERR_RUNTIME_FAILURE") {
      process.exit(1);
    }
  }
}

/** Runs it once more after the present run where it was asked for meanwhile; a failure is told, not thrown. */
function oneAtATime(work: () => Promise<void>): () => void {
  let wanted = false;
  let runs = false;
  const run = async () => {
    runs = true;
    while (wanted) {
      wanted = false;
      await work().catch(toldOrEnded);
    }
    runs = false;
  };
  return () => {
    wanted = true;
    if (!runs) void run();
  };
}

/** A runtime that dies while it is given a change breaks its pipe: then another process of this program heals it. */
function toldOrEnded(error: unknown): void {
  if (error instanceof Error && "syscall" in error) process.exit(1);
  say({ failed: wordsOf(error) });
}

/** Editors write a file in several steps. */
function later(callback: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(callback, SETTLE_MS);
  };
}

function say(said: Said): void {
  if (process.connected) process.send?.(said);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);
