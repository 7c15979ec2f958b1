import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { beAlone } from "./alone.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lumbung-alone-"));
  file = join(folder, "demo-topup.pid");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a demo that runs already is named by its process, and keeps its file", () => {
  writeFileSync(file, String(process.ppid));
  expect(() => beAlone("topup", file)).toThrow(`topup runs already (process ${process.ppid})`);
  expect(readFileSync(file, "utf8")).toBe(String(process.ppid));
});

test.each(["a process that was killed", "nobody"])(
  "the file of %s keeps no demo from running",
  (whose) => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    if (whose !== "nobody") writeFileSync(file, String(pid));
    beAlone("topup", file);
    expect(readFileSync(file, "utf8")).toBe(String(process.pid));
  },
);

test("a demo's file goes with its process", () => {
  const script = `import { beAlone } from ${JSON.stringify(join(import.meta.dirname, "alone.ts"))};
    beAlone("topup", ${JSON.stringify(file)}); throw new Error("failed");`;
  const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script]);
  expect(status).toBe(1);
  expect(existsSync(file)).toBe(false);
});
