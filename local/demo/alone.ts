import { readFileSync, rmSync, writeFileSync } from "node:fs";

/** Throws where another process has that file; else it is this one's until it ends, and nobody's after it was killed. */
export function beAlone(name: string, file: string): void {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      process.once("exit", () => rmSync(file, { force: true }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(readFileSync(file, "utf8"));
    if (owner > 0 && runs(owner)) {
      throw new Error(
        `The demo ${name} runs already (process ${owner}), and two would mix their sums. Wait for its end.`,
      );
    }
    rmSync(file, { force: true });
  }
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
