import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILD } from "../build.ts";
import { CommandError } from "../command-error.ts";

/** The supervisor ends this process sooner; this is for one whose signal was lost. */
const LEAVE_MS = 5_000;
const GRACE_MS = 1_000;
const WATCH_MS = 5_000;

/** What the agent says to the supervisor that started it (agent/supervise.sh), and nothing else. */
export type ToSupervisor =
  | { t: "healthy"; version: string }
  | { t: "switch"; version: string; attempt: string };

/** True while a supervisor of ours has this process. */
export const isSupervised = () => process.env.NUSANTARAD_SUPERVISOR === String(process.ppid);

/** Says it in a file of the state's folder: the supervisor is a shell, and looks there. */
export function tellSupervisor(stateDir: string, message: ToSupervisor): void {
  if (!isSupervised()) {
    throw new CommandError("unavailable", "this agent has no supervisor, so it cannot be updated");
  }
  if (message.t === "healthy") {
    put(join(stateDir, "healthy"), [message.version]);
    return;
  }
  put(join(stateDir, "wish"), [message.version, message.attempt]);
  process.once("SIGTERM", () => leave(GRACE_MS));
  process.kill(process.ppid, "SIGUSR1");
  leave(LEAVE_MS);
}

/** Whole or not there, and of this very process: what an earlier one said counts no more. */
function put(file: string, words: string[]): void {
  writeFileSync(`${file}.new`, `${[process.pid, ...words].join(" ")}\n`);
  renameSync(`${file}.new`, file);
}

/**
 * The update's own command cannot end in this process, so nobody waits for it: what else runs has this moment, and is
 * given to the next version again.
 */
function leave(ms: number): void {
  setTimeout(() => process.exit(0), ms);
}

let told = false;

/** The panel has answered this very process: a new version's trial ends well. Once a process; cheap to call again. */
export function tellHealthy(stateDir: string): void {
  if (told || !isSupervised()) return;
  told = true;
  try {
    tellSupervisor(stateDir, { t: "healthy", version: BUILD.version });
  } catch {
    // On a full disk nothing can be said: a version on trial is taken back, another works on.
  }
}

/** A supervisor that was killed leaves nobody who would take this version back: the next one starts another agent. */
export function endWithSupervisor(): void {
  if (!isSupervised()) return;
  const timer = setInterval(() => {
    if (isSupervised()) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, WATCH_MS);
  timer.unref();
}
