import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

/** A folder that all processes of this test run know, for what is made once and used by many files. */
export default function setup(project: TestProject): (() => void) | undefined {
  // Who watches changes what it is made of.
  if (project.config.watch) return;
  const folder = mkdtempSync(join(tmpdir(), "lumbung-run-"));
  chmodSync(folder, 0o755);
  process.env.LUMBUNG_RUN_FOLDER = folder;
  // Hundreds of processes are started, of the same few programs.
  process.env.NODE_COMPILE_CACHE ??= join(folder, "compiled");
  return () => rmSync(folder, { recursive: true, force: true });
}
