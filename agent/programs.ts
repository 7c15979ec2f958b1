import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { CommandError } from "./command-error.ts";
import type { RunOptions, RunResult } from "./ctx.ts";

/** Everything that the agent ever starts, and where Debian and Ubuntu have it. Nothing is looked up in a PATH. */
const PROGRAMS = {
  nginx: ["/usr/sbin/nginx"],
  "php-fpm7.4": ["/usr/sbin/php-fpm7.4"],
  "php-fpm8.0": ["/usr/sbin/php-fpm8.0"],
  "php-fpm8.1": ["/usr/sbin/php-fpm8.1"],
  "php-fpm8.2": ["/usr/sbin/php-fpm8.2"],
  "php-fpm8.3": ["/usr/sbin/php-fpm8.3"],
  "php-fpm8.4": ["/usr/sbin/php-fpm8.4"],
  "php-fpm8.5": ["/usr/sbin/php-fpm8.5"],
  systemctl: ["/usr/bin/systemctl", "/bin/systemctl"],
  journalctl: ["/usr/bin/journalctl", "/bin/journalctl"],
  useradd: ["/usr/sbin/useradd"],
  userdel: ["/usr/sbin/userdel"],
  usermod: ["/usr/sbin/usermod"],
  groupadd: ["/usr/sbin/groupadd"],
  visudo: ["/usr/sbin/visudo"],
  sshd: ["/usr/sbin/sshd"],
  "systemd-analyze": ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"],
  groupdel: ["/usr/sbin/groupdel"],
  chpasswd: ["/usr/sbin/chpasswd"],
  chown: ["/usr/bin/chown", "/bin/chown"],
  rm: ["/usr/bin/rm", "/bin/rm"],
  flock: ["/usr/bin/flock"],
  sudo: ["/usr/bin/sudo"],
  tar: ["/usr/bin/tar", "/bin/tar"],
  zstd: ["/usr/bin/zstd"],
  age: ["/usr/bin/age"],
  "age-keygen": ["/usr/bin/age-keygen"],
  mariadb: ["/usr/bin/mariadb"],
  "mariadb-dump": ["/usr/bin/mariadb-dump"],
  python3: ["/usr/bin/python3"],
  /** For sites of the runtime `node`. */
  nodejs: ["/usr/bin/node", "/usr/local/bin/node", process.execPath],
  /** The one that runs the agent, for its privileged half. */
  node: [process.execPath],
} as const satisfies Record<string, readonly string[]>;

export type Program = keyof typeof PROGRAMS;

/** Where a program is on this machine; null when it is not installed. */
export function findProgram(program: string): string | null {
  if (!Object.hasOwn(PROGRAMS, program)) return null;
  const paths: readonly string[] = PROGRAMS[program as Program];
  return paths.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const BASE_ENV = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", LC_ALL: "C.UTF-8" };
const MOST_ARGUMENT_BYTES = 100_000;
const MOST_OUTPUT_BYTES = 1024 * 1024;
/** Between asking a process to end and ending it. */
const GRACE_MS = 2_000;

/** Exactly these variables. The Worker's own types say, for its tests, that every process has its bindings. */
export const environment = (env: Record<string, string>): NodeJS.ProcessEnv =>
  env as NodeJS.ProcessEnv;

export interface StartOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Both or none; supplementary groups are dropped with them. */
  uid?: number;
  gid?: number;
  stdio?: StdioOptions;
  /**
   * `ours`: no process group of its own, so its own children outlive `endProgram`. The scheduler shares out the processor
   * by sessions: a chain of programs in one session each stands in its way for several times as long.
   */
  session?: "own" | "ours";
}

type StartListener = (program: string, args: readonly string[], pid: number | undefined) => void;
const listeners = new Set<StartListener>();

/** Tells of every start in this process, until the returned function is called. For tests that count. */
export function onProgramStart(listener: StartListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Starts a program of the list: no shell, arguments as they are, an environment and (mostly) a process group of its own.
 * The caller waits for it and ends it.
 */
export function startProgram(
  program: string,
  args: readonly string[],
  { env, cwd, uid, gid, stdio, session = "own" }: StartOptions = {},
): ChildProcess {
  const path = findProgram(program);
  if (path === null) throw new CommandError("unavailable", `${program} is not installed`);
  const bytes = args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + 1, 0);
  if (bytes > MOST_ARGUMENT_BYTES || args.some((arg) => arg.includes("\0"))) {
    throw new CommandError("invalid", `${program} cannot be given these arguments`);
  }
  const child = spawn(path, args, {
    shell: false,
    detached: session === "own",
    cwd: cwd ?? "/",
    env: environment({ ...BASE_ENV, ...env }),
    stdio: stdio ?? ["pipe", "pipe", "pipe"],
    ...(uid !== undefined && gid !== undefined && { uid, gid }),
  });
  for (const listener of listeners) listener(program, args, child.pid);
  return child;
}

/** Ends a started program with all that it started in its group: asked first, then not asked. */
export function endProgram(child: ChildProcess, graceMs = GRACE_MS): void {
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
  timer.unref();
  child.once("exit", () => {
    clearTimeout(timer);
    signalGroup(child, "SIGKILL");
  });
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already, or (behind sudo) not ours to signal: that half ends by its own clock.
  }
}

/** The program, from its start to its end. Output past the bound is read and dropped. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions & StartOptions & { signal?: AbortSignal; maxOutputBytes?: number },
): Promise<RunResult> {
  const { stdin, timeoutMs, signal, maxOutputBytes = MOST_OUTPUT_BYTES } = options;
  if (signal?.aborted) throw new CommandError("cancelled", "the command was ended");
  const child = startProgram(program, args, options);
  let ended: "timeout" | "cancelled" | null = null;
  const stop = (why: "timeout" | "cancelled") => {
    ended ??= why;
    endProgram(child);
  };
  const timer = setTimeout(stop, timeoutMs, "timeout");
  const onAbort = () => stop("cancelled");
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const [code, stdout, stderr] = await Promise.all([
      exitOf(program, child),
      textOf(child.stdout, maxOutputBytes),
      textOf(child.stderr, maxOutputBytes),
      feed(child.stdin, stdin),
    ]);
    if (ended === "timeout") throw new CommandError("timeout", `${program} did not end in time`);
    if (ended === "cancelled") throw new CommandError("cancelled", "the command was ended");
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** As a shell counts: 128 and the number for one that a signal ended, all of which are failures here. */
const SIGNALLED = 128;

function exitOf(program: string, child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new CommandError("unavailable", `${program} cannot be started`, { cause })),
    );
    child.once("close", (code) => resolve(code ?? SIGNALLED));
  });
}

async function textOf(stream: Readable | null, most: number): Promise<string> {
  if (!stream) return "";
  const kept: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (size < most) kept.push(chunk.subarray(0, most - size));
      size += chunk.length;
    }
  } catch {
    // A pipe that breaks ends the text; the exit tells what became of the program.
  }
  return Buffer.concat(kept).toString("utf8");
}

async function feed(stream: Writable | null, bytes: string | Uint8Array = ""): Promise<void> {
  if (!stream) return;
  await new Promise<void>((resolve) => {
    // A program that does not read to the end is judged by its exit.
    stream.once("error", () => resolve());
    stream.once("close", () => resolve());
    stream.end(bytes, () => resolve());
  });
}
