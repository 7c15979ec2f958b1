import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { databaseAccount } from "../postgres/account.ts";
import { temporaryRoot } from "../postgres/binaries.ts";

/** A folder that all processes of this test run know, for what is made once and used by many files. */
export default function setup(project: TestProject): (() => void) | undefined {
  // Who watches changes what it is made of.
  if (project.config.watch) return;
  const folder = makeRunFolder();
  process.env.LUMBUNG_RUN_FOLDER = folder;
  // Hundreds of processes are started, of the same few programs.
  process.env.NODE_COMPILE_CACHE ??= join(folder, "compiled");
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Postgres' data lie in it too: where root's own temporary files are nobody else's, it is made elsewhere. */
export function makeRunFolder(): string {
  const folder = mkdtempSync(join(temporaryRoot(databaseAccount()), "lumbung-run-"));
  chmodSync(folder, 0o755);
  return folder;
}
