import { isFree } from "./ports.ts";
import { askUntil, startWrangler, type Wrangler, type WranglerOptions } from "./wrangler.ts";

export interface WorkerOptions extends WranglerOptions {
  /** Whether to ring the minute's crons, as production does. */
  crons?: boolean;
  /** How long wrangler may take to bring a dead runtime back before it is started anew. */
  healMs?: number;
}

export interface RunningWorker {
  /** Of wrangler, below which workerd runs; another one after a restart. */
  readonly pid: number;
  /** Settles when the Worker has ended for good, wanted or not. */
  exited: Promise<void>;
  /** Runs the chores of a cron trigger now, and waits for them. */
  ring(cron: string): Promise<void>;
  stop(): Promise<void>;
}

const MINUTE_MS = 60_000;
const HEAL_MS = 10_000;
const RELEASE_MS = 20_000;
const STARTS = 3;

/**
 * Starts the Worker, waits until it answers, and keeps it answering. Wrangler starts a runtime that died again, but the
 * one in front has forgotten where the Worker is and lets requests wait for ever, and the other needs a port that may be
 * taken meanwhile: so what does not answer soon after a death is replaced, wrangler and all.
 */
export async function startWorker(
  options: WorkerOptions,
  signal?: AbortSignal,
): Promise<RunningWorker> {
  const { port } = options;
  const keeper = new Keeper(options, await startWrangler(options, signal));
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

/** Holds the present wrangler, and starts another where it does not heal by itself. */
class Keeper {
  readonly exited: Promise<void>;
  readonly #options: WorkerOptions;
  readonly #quit = new AbortController();
  #wrangler: Wrangler;
  #healing: Promise<void> | null = null;
  #crashes = 0;
  #end: () => void = () => undefined;

  constructor(options: WorkerOptions, first: Wrangler) {
    this.#options = options;
    this.exited = new Promise((done) => {
      this.#end = done;
    });
    this.#wrangler = first;
    this.#watch(first);
  }

  get pid(): number {
    return this.#wrangler.pid;
  }

  async stop(): Promise<void> {
    this.#quit.abort();
    await this.#healing;
    await this.#wrangler.end();
  }

  #watch(wrangler: Wrangler): void {
    void wrangler.exited.then(() => {
      if (this.#healing === null) this.#end();
    });
    wrangler.onCrash(() => {
      this.#crashes += 1;
      this.#healing ??= this.#heal().finally(() => {
        this.#healing = null;
      });
    });
  }

  /** Fails never: when the Worker cannot be started again it has ended. */
  async #heal(): Promise<void> {
    let seen = 0;
    // A death while it was looked at asks for another look.
    while (seen !== this.#crashes && !this.#quit.signal.aborted) {
      seen = this.#crashes;
      if (await this.#answersAgain()) continue;
      await this.#wrangler.end();
      if (this.#quit.signal.aborted) break;
      console.error("The Worker does not answer since its runtime died, and is started anew.");
      if (!(await this.#startAnew())) break;
    }
    if (await hasEnded(this.#wrangler)) this.#end();
  }

  async #startAnew(): Promise<boolean> {
    for (let attempt = 1; attempt <= STARTS && !this.#quit.signal.aborted; attempt += 1) {
      await this.#portIsFree();
      try {
        this.#wrangler = await startWrangler(this.#options, this.#quit.signal);
        this.#watch(this.#wrangler);
        return true;
      } catch (error) {
        if (this.#quit.signal.aborted) return false;
        console.error(error instanceof Error ? error.message : error);
      }
    }
    return false;
  }

  /** Killed processes keep their port until they are gone, which takes a while on a busy machine. */
  async #portIsFree(): Promise<void> {
    const deadline = Date.now() + RELEASE_MS;
    while (Date.now() < deadline && !this.#quit.signal.aborted) {
      if (await isFree(this.#options.port)) return;
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  async #answersAgain(): Promise<boolean> {
    const { port, healMs = HEAL_MS } = this.#options;
    const { exited } = this.#wrangler;
    const answer = askUntil(port, Date.now() + healMs, () => this.#quit.signal.aborted);
    return await Promise.race([answer, exited.then(() => false)]);
  }
}

/** Whether it has ended by now. */
const hasEnded = ({ exited }: Wrangler): Promise<boolean> =>
  Promise.race([
    exited.then(() => true),
    new Promise<boolean>((now) => setImmediate(() => now(false))),
  ]);

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
  const url = `http://127.0.0.1:${port}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`;
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`cron ${cron} answered ${response.status}: ${text}`);
}
