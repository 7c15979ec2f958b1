import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { canEnter, databaseAccount } from "../postgres/account.ts";
import { makeRunFolder } from "./run-folder.ts";

test("a run's folder is open to Postgres, also where root's temporary files are nobody else's", () => {
  const closed = mkdtempSync(join(tmpdir(), "lumbung-closed-"));
  vi.stubEnv("TMPDIR", closed);
  const folder = makeRunFolder();
  onTestFinished(() => {
    vi.unstubAllEnvs();
    for (const made of [folder, closed]) rmSync(made, { recursive: true, force: true });
  });
  expect(canEnter(folder, databaseAccount())).toBe(true);
});
