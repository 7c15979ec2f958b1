import { type ChildProcess, fork } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { guardGroup } from "./guard.ts";
import { isFree } from "./ports.ts";

export interface WorkerProcessOptions {
  port: number;
  settings: Record<string, string>;
  stateDir: string;
  /** A bundle that was built before; default: the sources, watched and built anew at every change. */
  script?: string;
}

/** What the Worker's process tells: that the Worker serves now, or why it does not. */
export type Said = { serves: true } | { failed: string };

export interface WorkerOptions extends WorkerProcessOptions {
  /** Where the Worker's words go, in its state's folder; default: to this process's own output. */
  logFile?: string;
  /** Whether to ring the minute's crons, as production does. */
  crons?: boolean;
}

export interface RunningWorker {
  /** Of the process below which workerd runs; another one after a restart. */
  readonly pid: number;
  /** Settles when the Worker has ended for good, wanted or not. */
  exited: Promise<void>;
  /** Runs the chores of a cron trigger now, and waits for them. */
  ring(cron: string): Promise<void>;
  stop(): Promise<void>;
}

const PROGRAM = join(import.meta.dirname, "worker-process.ts");
const MINUTE_MS = 60_000;
const READY_MS = 60_000;
const RELEASE_MS = 20_000;
const PATIENCE_MS = 5_000;
const STARTS = 3;

/**
 * Starts the Worker, waits until it answers, and keeps it running: workerd that died is started again below its process,
 * and that process when it died. A change that cannot be built or served is told, and the next one tried.
 */
export async function startWorker(
  options: WorkerOptions,
  signal?: AbortSignal,
): Promise<RunningWorker> {
  const { port } = options;
  const keeper = new Keeper(options);
  await keeper.start(signal);
  const crons = (options.crons ?? true) ? ringCrons(port) : undefined;
  return {
    get pid() {
      return keeper.pid;
    },
    exited: keeper.exited,
    ring: (cron) => ring(port, cron),
    stop: async () => {
      clearInterval(crons);
      await keeper.stop();
    },
  };
}

/** Holds the present process, and starts another when that one ended by itself. */
class Keeper {
  readonly exited: Promise<void>;
  readonly #options: WorkerOptions;
  readonly #quit = new AbortController();
  #process: WorkerProcess | null = null;
  #end: () => void = () => undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.exited = new Promise((done) => {
      this.#end = done;
    });
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Throws what stands in the way of the first start. */
  async start(signal?: AbortSignal): Promise<void> {
    const first = new WorkerProcess(this.#options);
    this.#process = first;
    try {
      await first.serves(signal);
    } catch (error) {
      await first.end();
      throw error;
    }
    void this.#keep(first);
  }

  async stop(): Promise<void> {
    this.#quit.abort();
    await this.#process?.end();
    await this.exited;
  }

  /** Fails never: when the Worker cannot be started again it has ended. */
  async #keep(first: WorkerProcess): Promise<void> {
    await first.exited;
    for (let failures = 0; failures < STARTS && !this.#quit.signal.aborted; ) {
      console.error("The Worker's process has ended, and is started anew.");
      await this.#portIsFree();
      if (this.#quit.signal.aborted) break;
      const next = new WorkerProcess(this.#options);
      this.#process = next;
      failures = await next.serves().then(
        () => 0,
        () => failures + 1,
      );
      // A change that cannot be served is the developer's to mend, in the process that waits for it.
      await next.exited;
    }
    this.#end();
  }

  /** Killed processes keep their port until they are gone, which takes a while on a busy machine. */
  async #portIsFree(): Promise<void> {
    const deadline = Date.now() + RELEASE_MS;
    while (Date.now() < deadline && !this.#quit.signal.aborted) {
      if (await isFree(this.#options.port)) return;
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
}

/** One run of the program beside this file, with workerd below it. */
class WorkerProcess {
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #release: () => void;
  #ended = false;

  constructor({ logFile, stateDir, port, settings, script }: WorkerOptions) {
    mkdirSync(stateDir, { recursive: true });
    // Its own process group: Ctrl-C reaches only the supervisor, which stops things in order.
    this.#child = fork(PROGRAM, [stateDir], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: process.platform !== "win32",
      execArgv: [],
    });
    this.#release = guardGroup(this.#child);
    const log = logFile ? createWriteStream(join(stateDir, logFile), { flags: "a" }) : null;
    this.#child.stdout?.pipe(log ?? process.stdout, { end: false });
    this.#child.stderr?.pipe(log ?? process.stderr, { end: false });
    this.exited = new Promise((done) => {
      this.#child.once("exit", () => {
        this.#ended = true;
        this.#killGroup();
        this.#release();
        done();
      });
    });
    let served = false;
    this.#child.on("message", (said: Said) => {
      if ("failed" in said) console.error(`The Worker does not run: ${said.failed}`);
      else if (served) console.error("The Worker runs with the change.");
      else served = true;
    });
    this.#child.send({ port, settings, stateDir, ...(script ? { script } : {}) });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Returns when the Worker answers, and throws why it does not; the process then waits for its end, or for a change. */
  async serves(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => reject(new Error("The Worker did not start.")), READY_MS);
    const stopped = () => reject(signal?.reason);
    signal?.addEventListener("abort", stopped);
    this.#child.once("message", (said: Said) => {
      if ("failed" in said) reject(new Error(`The Worker did not start: ${said.failed}`));
      else resolve();
    });
    void this.exited.then(() => reject(new Error("The Worker did not start.")));
    try {
      signal?.throwIfAborted();
      await promise;
    } finally {
      clearTimeout(late);
      signal?.removeEventListener("abort", stopped);
    }
  }

  /** Asks it to end, and after a while ends whatever is left of it and below it. */
  async end(): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGINT");
    const impatient = setTimeout(() => this.#killGroup(), PATIENCE_MS);
    await this.exited;
    clearTimeout(impatient);
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(process.platform === "win32" ? this.#child.pid : -this.#child.pid, "SIGKILL");
    } catch {
      // It is gone, which is what was wanted.
    }
  }
}

/** Production's cron triggers ring by themselves; here the supervisor rings them. */
function ringCrons(port: number): NodeJS.Timeout {
  let minutes = 0;
  const say = () => console.error("the minute's chores could not be started");
  return setInterval(() => {
    minutes += 1;
    ring(port, "* * * * *").catch(say);
    if (minutes % 60 === 0) ring(port, "17 * * * *").catch(say);
  }, MINUTE_MS);
}

async function ring(port: number, cron: string): Promise<void> {
  const url = `http://127.0.0.1:${port}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(cron)}`;
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`cron ${cron} answered ${response.status}: ${text}`);
}
