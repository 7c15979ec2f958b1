import { BUILD } from "../build.ts";
import { CommandError } from "../command-error.ts";

const LEAVE_MS = 1_000;

/** What the agent says to the supervisor that started it (agent/supervise.ts), and nothing else. */
export type ToSupervisor =
  | { t: "healthy"; version: string }
  | { t: "switch"; version: string; attempt: string };

/** True while a supervisor of ours has this process. */
export const isSupervised = () =>
  process.env.NUSANTARAD_SUPERVISED === "1" && process.connected === true;

export function tellSupervisor(message: ToSupervisor): void {
  if (!isSupervised() || !process.send) {
    throw new CommandError("unavailable", "this agent has no supervisor, so it cannot be updated");
  }
  if (message.t === "switch") process.once("SIGTERM", leaveSoon);
  process.send(message);
}

/**
 * The update's own command cannot end in this process, so nobody waits for it: what else runs has this moment, and is
 * given to the next version again.
 */
function leaveSoon(): void {
  setTimeout(() => process.exit(0), LEAVE_MS);
}

let told = false;

/** The panel has answered this very process: a new version's trial ends well. Once a process; cheap to call again. */
export function tellHealthy(): void {
  if (told || !isSupervised()) return;
  told = true;
  tellSupervisor({ t: "healthy", version: BUILD.version });
}
