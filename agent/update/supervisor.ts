import { type ChildProcess, fork } from "node:child_process";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import {
  currentLink,
  type Places,
  readJson,
  releaseDir,
  releaseFile,
  VERSION,
  versionAt,
} from "./layout.ts";

export interface SupervisorOptions extends Places {
  /** What the agent is started with. */
  args: string[];
  /** How long a new version has, from the switch to its first answer from the panel. */
  trialMs: number;
  /** How long a process has to end by itself: when all is to stop, and when it makes way for another version. */
  graceMs: number;
  switchGraceMs: number;
  /** The first pause before an agent that ended is started again; it doubles up to 30 s. */
  pauseMs: number;
  log(line: string): void;
}

/** A version on trial. Written down before the switch, so that a supervisor that is killed goes on where it was. */
interface Trial {
  attempt: string;
  from: string;
  to: string;
  untilMs: number;
}

const LONGEST_PAUSE_MS = 30_000;
/** An agent that ran this long was well; the next pause is a short one again. */
const WELL_MS = 60_000;

/**
 * Keeps an agent running and takes back a version that does not come up. It is small, depends on nothing that an update
 * changes, and decides by three things alone: the process ended, the process spoke, the time is over. So a version
 * that crashes at once, one that hangs and one that never reaches the panel all end the same way: with the old one.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | null = null;
  #trial: Trial | null = null;
  #trialTimer: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #failures = 0;
  /** What the child was started from. */
  #version = "";
  #startedMs = 0;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  start(): void {
    const trial = readTrial(this.#trialFile);
    if (trial) this.#resume(trial);
    this.#launch();
  }

  /** Ends the agent and waits for its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#trialTimer);
    clearTimeout(this.#restart);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    this.#end(child, this.#options.graceMs);
    await gone;
  }

  get #trialFile(): string {
    return join(this.#options.stateDir, "trial.json");
  }

  #resume(trial: Trial): void {
    const leftMs = Math.min(trial.untilMs - Date.now(), this.#options.trialMs);
    this.#trial = trial;
    if (leftMs > 0) {
      this.#point(trial.to);
      this.#watch(leftMs);
    } else {
      this.#takeBack("the trial's time was over before it was looked at again");
    }
  }

  #launch(): void {
    const version = versionAt(currentLink(this.#options));
    if (version === null) throw new Error("no release is chosen: run nusantarad install");
    const child = fork(releaseFile(this.#options, version), this.#options.args, {
      env: { ...process.env, NUSANTARAD_SUPERVISED: "1" },
      execArgv: ["--max-semi-space-size=1"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#options.log(`started ${version} (${child.pid})`);
    this.#child = child;
    this.#version = version;
    this.#startedMs = Date.now();
    child.on("message", (message) => this.#hear(child, message));
    child.on("error", () => child.pid ?? this.#ended(child, "did not start"));
    child.once("exit", (code, signal) => this.#ended(child, `ended (${signal ?? code})`));
  }

  #hear(child: ChildProcess, message: unknown): void {
    if (child !== this.#child || typeof message !== "object" || message === null) return;
    const said = message as { t?: unknown; version?: unknown; attempt?: unknown };
    const isNew = this.#trial?.to === this.#version && said.version === this.#version;
    if (said.t === "healthy" && this.#trial && isNew) this.#pass(this.#trial);
    if (said.t === "switch")
      this.#switch(this.#version, String(said.version), String(said.attempt));
  }

  #switch(from: string, to: string, attempt: string): void {
    const isReady = VERSION.test(to) && existsSync(releaseFile(this.#options, to));
    if (this.#trial || !isReady || to === from) {
      this.#options.log(`does not switch from ${from} to ${to}`);
      return;
    }
    const { trialMs } = this.#options;
    this.#trial = { attempt, from, to, untilMs: Date.now() + trialMs };
    writeJson(this.#trialFile, this.#trial);
    this.#point(to);
    this.#watch(trialMs);
    this.#options.log(`switching from ${from} to ${to}`);
    if (this.#child) this.#end(this.#child, this.#options.switchGraceMs);
  }

  #watch(leftMs: number): void {
    clearTimeout(this.#trialTimer);
    this.#trialTimer = setTimeout(
      () => this.#takeBack("it did not reach the panel in time"),
      leftMs,
    );
  }

  #pass(trial: Trial): void {
    clearTimeout(this.#trialTimer);
    this.#trial = null;
    this.#record(trial, "installed", "");
    rmSync(this.#trialFile, { force: true });
    this.#options.log(`${trial.to} is well`);
  }

  /** Back to the old version: the link first, so that whatever happens next starts that one. */
  #takeBack(reason: string): void {
    const trial = this.#trial;
    if (!trial) return;
    clearTimeout(this.#trialTimer);
    this.#trial = null;
    this.#point(trial.from);
    this.#record(trial, "reverted", reason);
    rmSync(this.#trialFile, { force: true });
    this.#options.log(`${trial.to} is taken back: ${reason}`);
    this.#failures = 0;
    // No grace: what is on trial gets none, for the time of the trial is the time until the old one runs again.
    if (this.#child) this.#child.kill("SIGKILL");
  }

  #ended(child: ChildProcess, how: string): void {
    if (child !== this.#child) return;
    const version = this.#version;
    this.#child = null;
    this.#options.log(`${version} ${how}`);
    if (this.#stopping) return;
    if (this.#trial?.to === version) this.#takeBack(`it ${how}`);
    // The end of one that was told to make way, or was taken back, is no failure of the next.
    if (versionAt(currentLink(this.#options)) !== version) this.#launch();
    else this.#launchLater();
  }

  #launchLater(): void {
    if (Date.now() - this.#startedMs >= WELL_MS) this.#failures = 0;
    const pauseMs = Math.min(this.#options.pauseMs * 2 ** this.#failures++, LONGEST_PAUSE_MS);
    this.#restart = setTimeout(() => this.#launch(), pauseMs);
  }

  #end(child: ChildProcess, graceMs: number): void {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    child.once("exit", () => clearTimeout(timer));
  }

  #point(version: string): void {
    const link = currentLink(this.#options);
    const draft = `${link}.new`;
    rmSync(draft, { force: true });
    symlinkSync(releaseDir(this.#options, version), draft);
    renameSync(draft, link);
  }

  #record({ attempt, from, to }: Trial, outcome: "installed" | "reverted", reason: string): void {
    const at = new Date().toISOString();
    writeJson(join(this.#options.stateDir, "last-update.json"), {
      ...{ attempt, from, version: to, outcome, reason, at },
    });
  }
}

function readTrial(file: string): Trial | null {
  const { attempt, from, to, untilMs } = (readJson(file) ?? {}) as Record<string, unknown>;
  if (typeof attempt !== "string" || typeof untilMs !== "number") return null;
  if (typeof from !== "string" || typeof to !== "string") return null;
  return VERSION.test(from) && VERSION.test(to) ? { attempt, from, to, untilMs } : null;
}

/** In one step, and on the disk before it counts. */
function writeJson(file: string, value: unknown): void {
  mkdirSync(join(file, ".."), { recursive: true });
  const draft = `${file}.new`;
  const handle = openSync(draft, "w", 0o600);
  writeSync(handle, JSON.stringify(value));
  fsyncSync(handle);
  closeSync(handle);
  renameSync(draft, file);
}
