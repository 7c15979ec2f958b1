import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("what runs on every change", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  it("ends with the test command that a newcomer types from the README, as it stands there", () => {
    expect(read("README.md")).toMatch(/^npm ci && npm test\b/m);
    const commands = read(".ci/run").trim().split("\n");
    expect(commands.at(-1)).toBe("npm test");
    expect(commands).toContain("npm ci");
  });

  it("tries a test that fails once more, and nobody else does", async () => {
    const [, retries] = /^export (LUMBUNG_TEST_RETRIES=1)$/m.exec(read(".ci/run")) ?? [];
    const [name = "", value] = retries?.split("=") ?? [];
    expect(await retriesWith(name, value)).toEqual({ workers: 1, socketio: 1, node: 1 });
    expect(await retriesWith(name, undefined)).toEqual({ workers: 0, socketio: 0, node: 0 });
  });
});

async function retriesWith(name: string, value: string | undefined) {
  vi.stubEnv(name, value);
  vi.resetModules();
  const { default: config } = await import("../../vitest.config.ts");
  const projects = config.test?.projects ?? [];
  return Object.fromEntries(
    projects.flatMap((project) => {
      const test = typeof project === "object" && "test" in project ? project.test : undefined;
      return test ? [[String(test.name), Number(test.retry ?? 0)]] : [];
    }),
  );
}
