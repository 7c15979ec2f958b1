import type { RunOptions, RunResult } from "../ctx.ts";
import type { StartOptions } from "../programs.ts";
import { runProgram } from "../programs.ts";
import type { Settings } from "../settings.ts";

/** What a privileged verb works with. */
export interface RootCtx {
  settings: Settings;
  run(
    program: string,
    args: readonly string[],
    options?: Partial<RunOptions> & StartOptions,
  ): Promise<RunResult>;
  /** Passed at every point where the work may be cut off; tests cut it off there. */
  step(name: string): void;
  /** What has been done so far, for the log of the job. */
  done: string[];
}

/** No program that the privileged half runs takes longer than this on a healthy server. */
const PROGRAM_TIMEOUT_MS = 60_000;

export function rootCtx(settings: Settings, onStep: (name: string) => void = () => {}): RootCtx {
  return {
    settings,
    run: (program, args, options = {}) =>
      runProgram(program, args, { timeoutMs: PROGRAM_TIMEOUT_MS, ...options }),
    step: onStep,
    done: [],
  };
}

/** What undoes a change, last change first. */
export type Undo = () => Promise<void>;

/** Runs work whose changes are taken back when it fails. A failure to take one back does not stop the others. */
export async function allOrNothing<T>(
  work: (undo: (step: Undo) => void) => Promise<T>,
): Promise<T> {
  const undos: Undo[] = [];
  try {
    return await work((step) => undos.push(step));
  } catch (error) {
    for (const undo of undos.reverse()) await undo().catch(() => undefined);
    throw error;
  }
}
