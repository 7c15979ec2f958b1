import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { TestServer } from "./server.ts";

/** Runs a command in a process of its own and kills it: after so many milliseconds of work, or as soon as `when` says. */
export async function killed(
  server: TestServer,
  type: string,
  input: unknown,
  when: () => boolean,
): Promise<"killed" | "ended"> {
  const file = server.at(`order-${crypto.randomUUID()}.json`);
  writeFileSync(file, JSON.stringify({ settings: server.ctx.settings, type, input }));
  const child = spawn(process.execPath, [join(import.meta.dirname, "child.ts"), file], {
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  let isOver = false;
  void exited.then(() => {
    isOver = true;
  });
  while (!isOver && !when()) await after(1);
  child.kill("SIGKILL");
  const [code] = await exited;
  return code === null ? "killed" : "ended";
}
