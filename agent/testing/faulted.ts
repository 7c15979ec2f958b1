import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { environment } from "../programs.ts";
import { bundled } from "./bundle.ts";

/** How a program ended that was killed, or whose disk was full, at one of its calls. */
export interface Faulted {
  /** The calls that change something, in their order, up to the one with the fault. */
  calls: string[];
  /** Whether it came to that call. */
  hit: boolean;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Program {
  /** A built file, and what it is given. */
  entry: string;
  args: string[];
  stdin?: string;
}

/** Runs a program until call number `at` of the fault's kind (faults.ts). */
export async function faulted(
  mode: "kill" | "full" | "files",
  at: number | `after ${string}`,
  { entry, args, stdin = "" }: Program,
): Promise<Faulted> {
  const folder = mkdtempSync(join(tmpdir(), "faulted-"));
  const log = join(folder, "calls");
  const preload = bundled(resolve(import.meta.dirname, "faults.ts"));
  const child = spawn(process.execPath, ["--import", preload, entry, ...args], {
    env: environment({ PATH: "/usr/sbin:/usr/bin", FAULT: `${mode}:${at}`, FAULT_LOG: log }),
    stdio: "pipe",
    cwd: "/",
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  child.stdin.on("error", () => undefined).end(stdin);
  // What it started may hold its output open for longer than it lives.
  const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  if (signal === null && !child.stdout.readableEnded) await once(child.stdout, "end");
  const calls = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  rmSync(folder, { recursive: true });
  return { calls, hit: typeof at === "string" || (at > 0 && calls.length >= at), signal, ...said };
}
