import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A program of the bench in a process of its own. */
export interface Forked {
  child: ChildProcess;
  /** The next thing it says; fails when it ends instead. */
  heard(): Promise<unknown>;
  /** Once it has ended; may be called again. */
  stop(): Promise<void>;
}

/** Starts it, has it stopped at the end of the bench whatever comes, and waits until it says that it is ready. */
export async function startForked(
  file: string,
  args: string[],
  keep: (stop: () => Promise<unknown>) => void,
): Promise<Forked> {
  const child = fork(file, args, { stdio: "inherit" });
  const exited = once(child, "exit");
  const ended = exited.then(() => {
    throw new Error(`${args[0]} ended early`);
  });
  ended.catch(() => undefined);
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  keep(stop);
  const heard = async () => {
    const [said] = await Promise.race([once(child, "message"), ended]);
    return said;
  };
  await heard();
  return { child, heard, stop };
}
