import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as after } from "node:timers/promises";

/** A real server that a test started for itself. */
export interface TestChild {
  pid: number;
  /** The last of what it said. */
  said(): string;
  /** Settles when it has ended, wanted or not. */
  exited: Promise<void>;
  /** Ends it by its id, with SIGKILL when it takes longer than five seconds. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program in a process group of its own. No signal handler sees a SIGKILL, so a shell waits on a pipe that
 * breaks when this process ends in whatever way, and then ends the group.
 */
export function startChild(program: string, args: string[], options: SpawnOptions = {}): TestChild {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
    detached: true,
    ...options,
  });
  let text = "";
  const keep = (chunk: Buffer) => {
    text = (text + chunk).slice(-20_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (error) => {
      text += String(error);
      resolve();
    });
  });
  const dismiss = guard(child);
  return {
    pid: child.pid ?? -1,
    said: () => text,
    exited,
    stop: async (signal = "SIGTERM") => {
      child.kill(signal);
      const impatient = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await exited;
      clearTimeout(impatient);
      dismiss();
    },
  };
}

function guard(child: ChildProcess): () => void {
  const script = 'read -r line || { kill -TERM "-$0"; sleep 3; kill -KILL "-$0"; }';
  const watcher = spawn("/bin/sh", ["-c", script, String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
    detached: true,
  });
  watcher.unref();
  watcher.on("error", () => undefined);
  watcher.stdin.on("error", () => undefined);
  return () => watcher.stdin.end("stopped\n");
}

/** Asks until it answers true; throws with what the child said when it ended before, or took too long. */
export async function ready(child: TestChild, isReady: () => Promise<boolean>): Promise<void> {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + 20_000;
  while (!(await isReady())) {
    if (ended || Date.now() > deadline) {
      await child.stop();
      throw new Error(`the server did not start:\n${child.said().slice(-2_000)}`);
    }
    await after(20);
  }
}

/** Waits for one line of a short program and its success. */
export async function runOnce(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} failed:\n${text.slice(-4_000)}`);
}
