import { strToU8, unzipSync, Zip, ZipDeflate, zipSync } from "fflate";
import { packTar } from "modern-tar";
import { describe, expect, it } from "vitest";
import { concat } from "../testing/zips.ts";
import { ArchiveCheck, type ArchiveFacts } from "./archive.ts";

/** Archives of other people's making: what they call a ZIP or TAR file is one for us. */
const some = (length: number) => Math.floor(Math.random() * length);

function check(archive: Uint8Array): ArchiveFacts {
  const longest = [3, 500, 70_000][some(3)] ?? 500;
  const checked = new ArchiveCheck();
  for (let at = 0; at < archive.length; ) {
    const end = at + 1 + some(longest);
    checked.push(archive.slice(at, end));
    at = end;
  }
  return checked.end();
}

function tree(): Record<string, Uint8Array> {
  const words = ["situs", "gambar", "ä", "日本", "a.b", "x y"];
  const names = Array.from({ length: some(25) + 1 }, (_, n) => {
    const folders = Array.from({ length: some(4) }, () => `${words[some(words.length)]}/`);
    return `${folders.join("")}${"n".repeat(some(110))}${n}.txt`;
  });
  return Object.fromEntries(
    names.map((name) => {
      const data = new Uint8Array(some(3) === 0 ? some(40_000) : some(60));
      const kinds = some(200) + 1;
      return [name, data.map(() => some(kinds))];
    }),
  );
}

const totals = (files: Record<string, Uint8Array>) => ({
  files: Object.keys(files).length,
  fileBytes: Object.values(files).reduce((sum, data) => sum + data.length, 0),
});

/** fflate's stream reaches back too far once in some hundred files, and then zlib refuses it too: made anew. */
function streamed(): { files: Record<string, Uint8Array>; zip: Uint8Array<ArrayBuffer> } {
  for (;;) {
    const files = tree();
    const parts: Uint8Array[] = [];
    const zip = new Zip((error, part) => {
      if (error) throw error;
      parts.push(part);
    });
    for (const [name, data] of Object.entries(files)) {
      const file = new ZipDeflate(name, { level: 6 });
      zip.add(file);
      file.push(data, true);
    }
    zip.end();
    const made = concat(...parts);
    if (isReadBack(made, files)) return { files, zip: made };
  }
}

function isReadBack(zip: Uint8Array, files: Record<string, Uint8Array>): boolean {
  try {
    const read = unzipSync(zip);
    return Object.entries(files).every(([name, data]) =>
      data.every((byte, at) => read[name]?.[at] === byte),
    );
  } catch {
    return false;
  }
}

const ROUNDS = Array.from({ length: 15 }, (_, n) => n);

describe("an archive that another tool has made is taken as it is", () => {
  it("fflate's ZIP", () => {
    for (const round of ROUNDS) {
      const files = tree();
      const level = (round % 10) as 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
      const zip = zipSync(files, { level, comment: "dari uji" });
      expect(check(zip)).toMatchObject({ format: "zip", ...totals(files) });
    }
  });

  it("fflate's ZIP as a stream, sizes behind the data", () => {
    for (const _ of ROUNDS) {
      const { files, zip } = streamed();
      expect(check(zip)).toMatchObject({ format: "zip", ...totals(files) });
    }
  });

  it("modern-tar's TAR, its long and foreign names by pax, packed and not", async () => {
    for (const round of ROUNDS) {
      const files = tree();
      const tar = await packTar(
        Object.entries(files).map(([name, body]) => ({
          header: { name, size: body.length, type: "file" as const },
          body,
        })),
      );
      const packed = new Response(tar).body?.pipeThrough(new CompressionStream("gzip"));
      const archive =
        round % 2 === 0 ? tar : new Uint8Array(await new Response(packed).arrayBuffer());
      const format = round % 2 === 0 ? "tar" : "tar.gz";
      expect(check(archive)).toMatchObject({ format, ...totals(files) });
    }
  });

  it("and is refused for a name that leads out, by whoever it was made", async () => {
    expect(() => check(zipSync({ "../luar.txt": strToU8("x") }))).toThrow("ke luar folder");
    const tar = await packTar([{ header: { name: "x", type: "symlink", size: 0, linkname: "/" } }]);
    expect(() => check(tar)).toThrow("tautan");
  });
});
