import { deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { tarOf, tgzOf } from "../testing/tars.ts";
import { concat, zipOf } from "../testing/zips.ts";
import { ArchiveCheck, type ArchiveFacts, ArchiveRefusal } from "./archive.ts";

const text = new TextEncoder();
const some = (length: number) => Math.floor(Math.random() * length);

/** Bytes that shrink a little, a lot or not at all. */
function content(length: number): Uint8Array {
  const kind = some(4);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    bytes[at] = kind === 0 ? some(256) : kind === 1 ? 65 + (at % 7) : kind === 2 ? some(3) : at;
  }
  return bytes;
}

interface Checked {
  facts: ArchiveFacts;
  held: number;
}

/** Pushes the archive in random pieces of at most `longest` bytes, each overwritten after its use. */
function check(archive: Uint8Array, longest = 70_000): Checked {
  const checked = new ArchiveCheck();
  for (let at = 0; at < archive.length; ) {
    const piece = archive.slice(at, at + 1 + some(longest));
    at += piece.length;
    checked.push(piece);
    piece.fill(0xaa);
  }
  return { facts: checked.end(), held: checked.largestHeld };
}

function tree(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    name: `${["", "a/", "a/b/", "ä ö/"][n % 4]}berkas ${n}.txt`,
    data: content(some(3) === 0 ? some(60_000) : some(200)),
  }));
}

const bytesIn = (files: { data: Uint8Array }[]) =>
  files.reduce((sum, { data }) => sum + data.length, 0);

const FORMS = [undefined, "signed", "plain", "signed64", "plain64"] as const;

describe("an honest archive is taken, in whatever pieces it comes", () => {
  it.each([1, 2, 7, 100, 70_000])("a ZIP in pieces of at most %i bytes", (longest) => {
    for (let round = 0; round < (longest < 10 ? 3 : 12); round += 1) {
      const files = tree(some(longest < 10 ? 4 : 30) + 1);
      const zip = zipOf(
        files.map((file) => {
          const descriptor = FORMS[some(FORMS.length)];
          const method = descriptor ? 8 : [0, 8][some(2)];
          const level = some(10);
          return { ...file, level, ...(descriptor && { descriptor }), method: method ?? 8 };
        }),
        { is64: some(2) === 0, comment: text.encode("Situs kami") },
      );
      const { facts, held } = check(zip, longest);
      expect(facts).toMatchObject({
        format: "zip",
        files: files.length,
        fileBytes: bytesIn(files),
      });
      expect(held).toBeLessThan(200);
    }
  });

  it.each([1, 3, 700, 70_000])("a TAR.GZ in pieces of at most %i bytes", (longest) => {
    for (let round = 0; round < (longest < 10 ? 2 : 8); round += 1) {
      const files = tree(some(20) + 1);
      const { facts, held } = check(tgzOf(files), longest);
      expect(facts).toMatchObject({
        format: "tar.gz",
        files: files.length,
        fileBytes: bytesIn(files),
      });
      expect(held).toBeLessThan(600);
    }
  });

  it("a plain TAR", () => {
    const files = tree(20);
    expect(check(tarOf(files), 1_000).facts).toMatchObject({ format: "tar", files: 20 });
  });

  it("and what lies at its top is known", () => {
    const zip = zipOf([
      { name: "css/", data: new Uint8Array(0) },
      { name: "css/a.css", data: content(10) },
      { name: "index.html", data: content(20) },
    ]);
    expect(check(zip).facts.top).toEqual([
      { name: "css", kind: "folder", size: null },
      { name: "index.html", kind: "file", size: 20 },
    ]);
  });
});

describe("what is no archive", () => {
  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["one byte", Uint8Array.of(0x50)],
    ["a text", text.encode("halo ".repeat(500))],
    ["a picture", concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), new Uint8Array(2_000))],
    ["a packed text", new Uint8Array(gzipSync(text.encode("halo ".repeat(500))))],
    ["a deflated text", new Uint8Array(deflateRawSync(text.encode("halo")))],
    ["a RAR", concat(text.encode("Rar!\x1a\x07\x01\0"), new Uint8Array(1_000))],
    ["a 7z", concat(Uint8Array.of(0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c), new Uint8Array(1_000))],
    ["something that begins like a ZIP", text.encode("PK, dan lain-lain")],
  ])("is refused as of no supported type: %s", (_, bytes) => {
    expect(() => check(bytes)).toThrow("Tipe file tidak didukung. Upload file ZIP atau TAR.GZ");
  });
});

describe("a damaged archive", () => {
  const archives: [string, Uint8Array][] = [
    ["ZIP", zipOf(tree(4))],
    ["ZIP with descriptors", zipOf(tree(4).map((file) => ({ ...file, descriptor: "signed" })))],
    ["TAR.GZ", tgzOf(tree(4))],
  ];

  it.each(archives)("that is cut off anywhere is refused: %s", (_, bytes) => {
    for (let round = 0; round < 60; round += 1) {
      const cut = round < 25 ? bytes.length - 1 - round : some(bytes.length);
      expect(() => check(bytes.subarray(0, cut), 20_000), `cut at ${cut}`).toThrow(ArchiveRefusal);
    }
  });

  it.each(archives)(
    "never breaks the checker, and never passes with other content: %s",
    (_, bytes) => {
      const honest = check(bytes).facts;
      for (let round = 0; round < 150; round += 1) {
        const damaged = bytes.slice();
        for (let flips = 0; flips <= some(3); flips += 1) {
          const at = some(damaged.length);
          damaged[at] = (damaged[at] ?? 0) ^ (1 << some(8));
        }
        try {
          // What still passes differs in what nobody goes by: dates, versions, a comment.
          expect(check(damaged, 20_000).facts.fileBytes).toBe(honest.fileBytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ArchiveRefusal);
        }
      }
    },
  );

  it("is refused for bytes behind its end", () => {
    for (const [, bytes] of archives) {
      expect(() => check(concat(bytes, text.encode("lagi")))).toThrow(ArchiveRefusal);
    }
  });

  it("without a single file is empty", () => {
    const folder = { name: "kosong/", data: new Uint8Array(0) };
    expect(() => check(zipOf([]))).toThrow("Arsip tidak berisi file");
    expect(() => check(zipOf([folder]))).toThrow("Arsip tidak berisi file");
    expect(() => check(tgzOf([{ ...folder, type: "5" }]))).toThrow("Arsip tidak berisi file");
  });
});
