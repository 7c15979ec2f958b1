import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../testing/needs.ts";
import { withStages } from "./processes.ts";
import { startPacking, startUnpacking } from "./tree.ts";

const ctx = { signal: new AbortController().signal };
/** Of a small tree: its one file and the end lie well before it. */
const EARLY_BYTES = 30_720;
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "tree-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

needs("tar")("a tree", () => {
  it("is unpacked to the last byte of its stream, also when the zeros behind its end come late", async () => {
    const [from, to] = [join(dir, "from"), join(dir, "to")];
    for (const path of [from, to]) mkdirSync(path);
    writeFileSync(join(from, "a"), "satu");
    const stream = await withStages(ctx, async (start) => {
      const pieces: Buffer[] = [];
      const { stdout } = startPacking(start, from);
      for await (const piece of stdout as AsyncIterable<Buffer>) pieces.push(piece);
      return Buffer.concat(pieces);
    });
    expect(stream.length).toBeGreaterThan(EARLY_BYTES);
    await withStages(ctx, async (start) => {
      const tar = startUnpacking(start, to);
      await tar.write(stream.subarray(0, EARLY_BYTES));
      // Time for a program to end that has seen all that it wants.
      await after(100);
      await tar.write(stream.subarray(EARLY_BYTES));
      tar.end();
      expect(await tar.ended()).toBe(0);
    });
    expect(readFileSync(join(to, "a"), "utf8")).toBe("satu");
  });
});
