import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { guardGroup } from "../dev/guard.ts";

/**
 * `npm test`: every test, in two runs of vitest side by side, each with its own Postgres. What runs inside workerd keeps
 * one core busy; what starts whole platforms waits for most of its time, and goes one after the other all the same, as
 * such tests stop and kill what they have started. Options go to both runs; with a file or a project named there is one.
 */
const RUNS = { "in workerd": ["workers", "socketio"], "on Node": ["node"] };

const ROOT = resolve(import.meta.dirname, "../..");
const VITEST = join(ROOT, "node_modules", "vitest", "vitest.mjs");
/** With these words vitest begins what it says when all tests have run: first the failures, at last the numbers. */
const END = /^\s*(⎯{3,}|Test Files )/;

const given = process.argv.slice(2);
const isNarrow = given.some(
  (word) => !word.startsWith("-") || /^(-p|--project|--watch)/.test(word),
);

async function runOne(): Promise<number> {
  const child = spawn(process.execPath, [VITEST, "run", ...given], { cwd: ROOT, stdio: "inherit" });
  // The terminal tells vitest too, which ends by itself.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [code] = await once(child, "close");
  return code ?? 1;
}

async function runAll(): Promise<number> {
  const runs = Object.entries(RUNS).map(([name, projects]) => new Run(name, projects));
  let told = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      told += 1;
      for (const run of runs) run.end(told === 1 ? "SIGINT" : "SIGKILL");
    });
  }
  const codes = await Promise.all(runs.map((run) => run.ended));
  console.log();
  for (const run of runs) run.report();
  if (told > 0) return 130;
  return codes.every((code) => code === 0) ? 0 : 1;
}

/** One vitest. A file's result is shown as it comes, the end of its report when the other one has ended as well. */
class Run {
  /** The exit code. */
  readonly ended: Promise<number>;
  readonly #name: string;
  readonly #child: ChildProcess;
  /** What failed, and then the numbers: vitest tells the one on stderr, the other on stdout. */
  readonly #failures: string[] = [];
  readonly #numbers: string[] = [];

  constructor(name: string, projects: string[]) {
    this.#name = name;
    const args = ["run", ...projects.flatMap((project) => ["--project", project]), ...given];
    const colors = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
    // Its own process group: Ctrl-C reaches this process alone, which tells both.
    this.#child = spawn(process.execPath, [VITEST, ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
      env: { ...process.env, ...colors },
    });
    const release = guardGroup(this.#child);
    this.#listen(this.#child.stdout, this.#numbers);
    this.#listen(this.#child.stderr, this.#failures);
    const began = Date.now();
    this.ended = once(this.#child, "close").then(([code, signal]) => {
      release();
      const seconds = Math.round((Date.now() - began) / 1000);
      const how = code === 0 ? "passed" : `failed (${code ?? signal})`;
      this.#numbers.push(` What runs ${this.#name} ${how} in ${seconds} s.\n`);
      return code ?? 1;
    });
  }

  end(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null) return;
    if (signal === "SIGKILL" && process.platform !== "win32") process.kill(-pid, signal);
    else this.#child.kill(signal);
  }

  report(): void {
    console.log([...this.#failures, ...this.#numbers].join("\n"));
  }

  #listen(stream: NodeJS.ReadableStream | null, kept: string[]): void {
    if (!stream) return;
    createInterface({ input: stream }).on("line", (line) => {
      if (kept.length > 0 || END.test(stripVTControlCharacters(line))) kept.push(line);
      else console.log(line);
    });
  }
}

process.exitCode = await (isNarrow ? runOne() : runAll());
