import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const cwd = resolve(import.meta.dirname, "../..");
/** A copy without its repository has nothing that could be committed. */
const { status, stdout } = spawnSync("git", ["ls-files", "-z"], { cwd, encoding: "utf8" });

/** Environments, databases and private keys: what they hold is out of our hands for ever. */
const NEVER = /(?:^|\/)(?:\.env|\.dev\.vars)(?:\.|$)|\.(?:env|db|sqlite3?|dump|pem|p12|pfx|key)$/i;

it("knows what may never be committed", () => {
  const secret = [".env", ".env.local", "a/.dev.vars", "prisma/dev.db", "a.sqlite3", "tls.PEM"];
  expect(secret.filter((path) => !NEVER.test(path))).toEqual([]);
  const plain = ["shared/db/index.ts", "shared/env.ts", "migrations/rotate-keys.ts"];
  expect(plain.filter((path) => NEVER.test(path))).toEqual([]);
});

it.runIf(status === 0)("no environment, database or key is committed", () => {
  const paths = stdout.split("\0");
  expect(paths.length).toBeGreaterThan(100);
  expect(paths.filter((path) => NEVER.test(path))).toEqual([]);
});
