import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findProgram, onProgramStart, runProgram } from "./programs.ts";

const node = (script: string, options: Partial<Parameters<typeof runProgram>[2]> = {}) =>
  runProgram("node", ["-e", script], { timeoutMs: 20_000, ...options });

/** The processes of which a word of the command line is this. */
const running = (word: string) =>
  readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word);
    } catch {
      return false;
    }
  });

describe("a program of the list", () => {
  test("gets its arguments as they are, and no environment but its own", async () => {
    const odd = `a b; $(id) "' \n *`;
    const script = "process.stdout.write(JSON.stringify([process.argv.slice(1), process.env]))";
    const { code, stdout } = await runProgram("node", ["-e", script, "--", odd], {
      timeoutMs: 20_000,
      env: { ONE: "1" },
    });
    const [args, env] = JSON.parse(stdout);
    expect([code, args]).toEqual([0, [odd]]);
    expect(Object.keys(env).sort()).toEqual(["LANG", "LC_ALL", "ONE", "PATH"]);
  });

  test("is fed, read to a bound, and judged by its exit", async () => {
    const echo = await node("process.stdin.pipe(process.stdout)", { stdin: "halo" });
    expect(echo).toEqual({ code: 0, stdout: "halo", stderr: "" });
    const loud = await node(`process.stdout.write("x".repeat(5e6), () => process.exit(3))`, {
      maxOutputBytes: 1_000,
    });
    expect([loud.code, loud.stdout.length]).toEqual([3, 1_000]);
    expect((await node("process.kill(process.pid, 'SIGKILL')")).code).not.toBe(0);
  });

  test("that takes too long is ended with all that it started", async () => {
    const mark = `mark-${process.pid}-${Date.now()}`;
    const child = `require("node:child_process").spawn(process.execPath,
      ["-e", "setInterval(() => {}, 1e3)", "${mark}"], { stdio: "ignore" }); setInterval(() => {}, 1e3)`;
    await expect(node(child, { timeoutMs: 700 })).rejects.toMatchObject({ code: "timeout" });
    await expect.poll(() => running(mark)).toEqual([]);
  });

  test("ends with its command", async () => {
    const quit = new AbortController();
    const running = node("setInterval(() => {}, 1e3)", { signal: quit.signal });
    quit.abort();
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
  });

  test("is the only kind: nothing else is started, whatever its name or arguments", async () => {
    const started: string[] = [];
    const stop = onProgramStart((program) => started.push(program));
    for (const [name, args] of [
      ["sh", ["-c", "id"]],
      ["/bin/sh", []],
      ["../node", []],
      ["constructor", []],
      ["", []],
      ["node", ["a\0b"]],
      ["node", ["x".repeat(200_000)]],
    ] as const) {
      await expect(runProgram(name, args, { timeoutMs: 1_000 })).rejects.toThrow();
      if (name !== "node") expect(findProgram(name)).toBeNull();
    }
    stop();
    expect(started).toEqual([]);
  });
});
