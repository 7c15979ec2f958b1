import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { tgzOf } from "../testing/tars.ts";
import { page, tarVerdict, verdict } from "../testing/verdicts.ts";
import { concat, fields, zipOf } from "../testing/zips.ts";
import { ArchiveCheck } from "./archive.ts";

const MIB = 1024 * 1024;

/** A deflate stream of that many zeros; made of the same block over and over, so that it is quick to make. */
function zeros(mib: number): { packed: Uint8Array; size: number } {
  const unit = deflateRawSync(new Uint8Array(16 * MIB), { finishFlush: 2 });
  const units = Array.from({ length: mib / 16 }, () => new Uint8Array(unit));
  return { packed: concat(...units, Uint8Array.of(3, 0)), size: mib * MIB };
}

describe("a bomb", () => {
  it("of 10 GB is refused by what its header says, without inflating a byte", () => {
    const liar = { local: { size: 0xfffffff0 } };
    const zip = zipOf([{ name: "nol.bin", data: new Uint8Array(MIB), ...liar }]);
    expect(verdict(zip)).toBe("too_big");
    expect(tarVerdict({ name: "nol.bin", size: 8 * 2 ** 30 - 1 })).toBe("too_big");
  });

  it("of 10 GB that says nothing of its size is stopped after some 10 MB", () => {
    const { packed } = zeros(64);
    const silent = zipOf([{ name: "nol.bin", method: 8, descriptor: "signed" }]);
    // The entry's content begins behind its header and name; ten gigabytes are these zeros 160 times.
    const head = silent.slice(0, 30 + "nol.bin".length);
    const check = new ArchiveCheck();
    check.push(head);
    let pushed = 0;
    const fill = () => {
      for (; pushed < 160 * packed.length; pushed += 4_096) {
        const at = pushed % packed.length;
        check.push(packed.slice(at, at + 4_096));
      }
    };
    expect(fill).toThrow("rasio kompresinya tidak wajar");
    // Ten megabytes of zeros are ten kilobytes packed.
    expect(pushed).toBeLessThan(20_000);
  });

  it("in a TAR.GZ is stopped in the same way", () => {
    expect(tarVerdict({ name: "nol.bin", data: new Uint8Array(30 * MIB) })).toBe("ratio");
  });

  it("of many entries that share their bytes is refused", () => {
    const first = { name: "a.bin", data: new Uint8Array(1_000) };
    const twice = { name: "b.bin", data: new Uint8Array(1_000), central: { offset: 0 } };
    expect(verdict(zipOf([first, twice]))).toBe("mismatch");
  });

  it("of names is refused: too many entries, too many bytes of names", () => {
    const many = Array.from({ length: 101 }, (_, n) => ({ name: `${n}.txt` }));
    expect(verdict(zipOf(many), { entries: 100 })).toBe("too_many");
    expect(verdict(tgzOf(many), { entries: 100 })).toBe("too_many");
    const long = Array.from({ length: 50 }, (_, n) => ({ name: `${"n".repeat(200)}${n}.txt` }));
    expect(verdict(zipOf(long), { nameBytes: 5_000 })).toBe("too_many");
    expect(verdict(zipOf(long))).toBe("taken");
  });

  it("that keeps below the ratio is stopped by the sum of all that comes out", () => {
    const data = crypto.getRandomValues(new Uint8Array(60_000));
    const files = Array.from({ length: 5 }, (_, n) => ({ name: `${n}.bin`, data }));
    expect(verdict(zipOf(files), { totalBytes: 200_000 })).toBe("too_big");
    expect(verdict(tgzOf(files), { totalBytes: 200_000 })).toBe("too_big");
    const silent = files.map((file) => ({ ...file, descriptor: "signed" as const }));
    expect(verdict(zipOf(silent), { totalBytes: 200_000 })).toBe("too_big");
  });

  it("of endless headers is not waited for", () => {
    const name = fields(
      [4, 0x04034b50],
      [2, 20],
      [2, 0],
      [2, 8],
      [8, 0],
      [8, 0],
      [2, 60_000],
      [2, 0],
    );
    expect(verdict(concat(zipOf([page]).slice(0, 55), name))).not.toBe("taken");
    const endless = { name: "x", type: "x", data: new Uint8Array(100_000) };
    expect(tarVerdict(endless)).toBe("broken");
  });
});
