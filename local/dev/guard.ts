import { type ChildProcess, spawn } from "node:child_process";

/**
 * No signal handler sees a SIGKILL. So a shell waits on a pipe that breaks when this process ends in whatever way;
 * then it ends the child's process group. The returned function dismisses it.
 */
export function guardGroup(child: ChildProcess): () => void {
  if (process.platform === "win32" || child.pid === undefined) {
    const kill = () => child.kill();
    process.once("exit", kill);
    return () => process.off("exit", kill);
  }
  const script = 'read -r line || { kill -INT "-$0"; sleep 3; kill -KILL "-$0"; }';
  const guard = spawn("/bin/sh", ["-c", script, String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
    detached: true,
  });
  guard.unref();
  guard.on("error", () => undefined);
  guard.stdin.on("error", () => undefined);
  return () => guard.stdin.end("stopped\n");
}
