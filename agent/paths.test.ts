import {
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CommandError } from "./command-error.ts";
import { openBelow, partsOf, relativeTo, withEntry, withPlace } from "./paths.ts";

describe("a path below a root", () => {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "paths-"));
    mkdirSync(join(dir, "root/in"), { recursive: true });
    mkdirSync(join(dir, "outside"));
    writeFileSync(join(dir, "outside/victim"), "untouched");
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test("has plain parts alone", () => {
    expect(partsOf("")).toEqual([]);
    expect(partsOf("a/b c/ß.txt")).toEqual(["a", "b c", "ß.txt"]);
    const odd = ["/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b", "a\nb", "x".repeat(256)];
    for (const path of [...odd, Array(70).fill("a").join("/")]) {
      expect(() => partsOf(path), path).toThrow(CommandError);
    }
  });

  test("is told by whole parts", () => {
    expect(relativeTo("/var/www", "/var/www/a/b")).toBe("a/b");
    expect(relativeTo("/var/www", "/var/www")).toBe("");
    expect(relativeTo("/var/www", "/var/www2/a")).toBeNull();
  });

  test("does not go through a link, first, last or in between", async () => {
    symlinkSync(join(dir, "outside"), join(dir, "root/link"));
    symlinkSync("../../outside", join(dir, "root/in/link"));
    symlinkSync(join(dir, "outside/victim"), join(dir, "root/file"));
    const root = join(dir, "root");
    for (const path of ["link", "in/link", "link/x"]) {
      await expect(openBelow(root, path), path).rejects.toMatchObject({ code: "invalid" });
    }
    const write = withEntry(root, "file", (place, name) => place.open(name, constants.O_WRONLY));
    await expect(write).rejects.toMatchObject({ code: "invalid" });
    await expect(openBelow(root, "none")).rejects.toMatchObject({ code: "not_found" });
  });

  test("stays below it while another swaps folders for links as fast as it can", async () => {
    const root = join(dir, "root");
    symlinkSync(join(dir, "outside"), join(dir, "way"));
    // Puts a link to the outside in the folder's place, and the folder back, all the time.
    const swapper = new Worker(
      `const { renameSync } = require("node:fs");
       const { workerData: d } = require("node:worker_threads");
       for (;;) {
         renameSync(d + "/root/in", d + "/kept"); renameSync(d + "/way", d + "/root/in");
         renameSync(d + "/root/in", d + "/way"); renameSync(d + "/kept", d + "/root/in");
       }`,
      { eval: true, workerData: dir },
    );
    let written = 0;
    const flags = constants.O_WRONLY | constants.O_CREAT;
    for (let turn = 0; turn < 2_000; turn += 1) {
      try {
        await withPlace(root, "in", async (place) => {
          const file = await place.open(`victim`, flags, 0o644);
          await file.writeFile("overwritten");
          await file.close();
        });
        written += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(CommandError);
      }
    }
    await swapper.terminate();
    expect(written).toBeGreaterThan(0);
    expect(readFileSync(join(dir, "outside/victim"), "utf8")).toBe("untouched");
    expect(readdirSync(join(dir, "outside"))).toEqual(["victim"]);
  });
});
