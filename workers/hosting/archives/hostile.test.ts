import { describe, expect, it } from "vitest";
import { pax, tarOf, tgzOf } from "../testing/tars.ts";
import { page, tarVerdict, verdict, zipVerdict } from "../testing/verdicts.ts";
import { concat, extra, fields, type ZipEntry, type ZipOptions, zipOf } from "../testing/zips.ts";

const text = new TextEncoder();

const NAMES: [string, string][] = [
  ["../luar.txt", "unsafe_name"],
  ["a/../../luar.txt", "unsafe_name"],
  ["a/..", "unsafe_name"],
  ["/etc/passwd", "unsafe_name"],
  ["//server/berkas", "unsafe_name"],
  ["C:/windows/x", "unsafe_name"],
  ["c:x", "unsafe_name"],
  ["..\\luar.txt", "unsafe_name"],
  ["a\\b.txt", "unsafe_name"],
  ["a//b.txt", "bad_name"],
  ["a/./b.txt", "bad_name"],
  ["baris\nbaru.txt", "bad_name"],
  ["hapus\x7f.txt", "bad_name"],
  ["c1\u0085.txt", "bad_name"],
  [`${"n".repeat(256)}.txt`, "bad_name"],
  [`${"a/".repeat(41)}x`, "bad_name"],
  [
    `${"folder/".repeat(20)}${"n".repeat(240)}/${"m".repeat(240)}/${"o".repeat(240)}/${"p".repeat(240)}`,
    "bad_name",
  ],
  ["cadangan.zip", "nested"],
  ["a/cadangan.tar.gz", "nested"],
  ["cadangan.RAR", "nested"],
  ["index.html", "duplicate"],
  ["index.html/x", "duplicate"],
];

describe("a name that leads astray", () => {
  it.each(NAMES)("%j is refused in a ZIP: %s", (name, reason) => {
    expect(zipVerdict({ name })).toBe(reason);
  });

  it.each(NAMES)("%j is refused in a TAR.GZ: %s", (name, reason) => {
    expect(tarVerdict({ name: "x", type: "x", data: pax("path", name) }, { name: "x" })).toBe(
      reason,
    );
  });

  it("with a NUL is refused in a ZIP, where it is the end to some and not to others", () => {
    expect(zipVerdict({ name: "aman.txt\0.php" })).toBe("bad_name");
  });

  it("is refused however it is told: by prefix, GNU's long name, a UTF-8 field", () => {
    expect(tarVerdict({ name: "luar.txt", prefix: ".." })).toBe("unsafe_name");
    const long = text.encode("../../luar.txt\0");
    expect(tarVerdict({ name: "././@LongLink", type: "L", data: long }, { name: "aman.txt" })).toBe(
      "unsafe_name",
    );
    const named = extra(0x7075, concat(fields([1, 1], [4, 0]), text.encode("../luar.txt")));
    expect(zipVerdict({ localExtra: named, centralExtra: named })).toBe("unsafe_name");
  });

  it("that is odd but harmless is taken", () => {
    for (const name of ["..a/b..txt", "a b/c'd&e.txt", "ä/☕.txt", "dokumen.docx", "app.js.gz"]) {
      expect(zipVerdict({ name }), name).toBe("taken");
    }
    expect(tarVerdict({ name: "./", type: "5" }, { name: "./a.txt" })).toBe("taken");
    const codePage = Uint8Array.of(0x63, 0x61, 0x66, 0x82);
    expect(zipVerdict({ name: codePage })).toBe("taken");
  });
});

describe("what is no file and no folder", () => {
  it.each(["1", "2", "3", "4", "6", "K"])("is refused in a TAR.GZ: type %s", (type) => {
    expect(tarVerdict({ name: "x", type, link: "/etc/passwd" })).toBe("link");
  });

  it.each(["7", "S", "V", "M", "D", "A", "\x01"])("is refused in a TAR.GZ: type %j", (type) => {
    expect(tarVerdict({ name: "x", type })).toBe("method");
  });

  it.each([0o120777, 0o010644, 0o020644, 0o060644, 0o140644])(
    "is refused in a ZIP: mode %i",
    (mode) => {
      expect(zipVerdict({ attributes: mode * 65_536 })).toBe("link");
    },
  );

  it("is refused in a ZIP also where a field carries the link", () => {
    const target = text.encode("/etc/passwd");
    const pkware = extra(0x000d, concat(new Uint8Array(12), target));
    expect(zipVerdict({ localExtra: pkware })).toBe("link");
    const asi = extra(0x756e, concat(fields([4, 0], [2, 0o120777], [4, 11], [4, 0]), target));
    expect(zipVerdict({ centralExtra: asi })).toBe("link");
  });

  it("is refused where pax makes it one", () => {
    const linked = { name: "x", type: "x", data: pax("linkpath", "/etc/passwd") };
    expect(tarVerdict(linked, { name: "x" })).toBe("link");
    const sparse = { name: "x", type: "x", data: pax("GNU.sparse.name", "../x") };
    expect(tarVerdict(sparse, { name: "x" })).toBe("method");
  });

  it("and a folder that has content is refused", () => {
    expect(zipVerdict({ name: "folder/", data: text.encode("isi") })).toBe("broken");
    expect(tarVerdict({ name: "folder/", type: "5", data: text.encode("isi") })).toBe("broken");
    expect(zipVerdict({ attributes: 0o040755 * 65_536 })).toBe("mismatch");
  });
});

describe("what cannot be looked into", () => {
  it.each([0x0001, 0x0041, 0x2000])("is refused as encrypted: flags %i", (flags) => {
    expect(zipVerdict({ flags })).toBe("encrypted");
  });

  it("is refused as encrypted: AES, and an encrypted directory", () => {
    expect(zipVerdict({ method: 99 })).toBe("encrypted");
    expect(zipVerdict({}, { gap: fields([4, 0x08064b50], [4, 0]) })).toBe("encrypted");
  });

  it.each([1, 6, 9, 12, 14, 20, 93, 95, 98])("is refused for its method %i", (method) => {
    expect(zipVerdict({ method })).toBe("method");
  });

  it("is refused where stored bytes have no length in front", () => {
    expect(zipVerdict({ method: 0, descriptor: "signed" })).toBe("method");
  });

  it("is refused for an archive in it, by its first bytes, under whatever name", () => {
    const inner = zipOf([page]);
    for (const data of [
      inner,
      tgzOf([page]),
      text.encode("Rar!\x1a\x07"),
      text.encode("BZh91AY"),
    ]) {
      expect(zipVerdict({ name: "gambar.png", data })).toBe("nested");
      expect(tarVerdict({ name: "gambar.png", data })).toBe("nested");
    }
    expect(zipVerdict({ name: "laporan.xlsx", data: inner })).toBe("taken");
  });
});

describe("a ZIP that says two things", () => {
  const other = text.encode("beda!");

  it.each<[string, Partial<ZipEntry>]>([
    ["another name", { central: { name: "beda.txt" } }],
    [
      "a safe name for an unsafe one",
      { local: { name: "../luar" }, central: { name: "aman.txt" } },
    ],
    ["another size", { central: { size: 5 } }],
    ["another packed size", { central: { compressed: 5 } }],
    ["another checksum", { central: { crc: 5 } }],
    ["another method", { central: { method: 0 } }],
    ["another place", { central: { offset: 0 } }],
    ["a place outside", { central: { offset: 900_000 } }],
    ["no entry for what is there", { isHidden: true }],
    ["flags of another reading", { central: { flags: 0 } }],
    ["another size in front", { local: { size: 5 } }],
    ["another packed size in front", { local: { compressed: 400 } }],
    ["another checksum in front", { local: { crc: 5 } }],
    ["a wrong descriptor", { descriptor: "signed", local: { crc: 5 } }],
  ])("is refused: %s", (_, entry) => {
    expect(zipVerdict(entry)).not.toBe("taken");
  });

  it("is refused for a name in another field only in one of its places", () => {
    const named = extra(0x7075, concat(fields([1, 1], [4, 0]), text.encode("beda.txt")));
    expect(zipVerdict({ centralExtra: named })).toBe("mismatch");
    expect(zipVerdict({ localExtra: named })).toBe("mismatch");
  });

  it.each<[string, ZipOptions]>([
    ["bytes before", { before: other }],
    ["bytes between entries and directory", { gap: other }],
    ["an entry that no directory names", { gap: zipOf([page]).slice(0, 60) }],
    ["bytes behind", { after: other }],
    ["a second archive behind", { after: zipOf([page]) }],
    ["an end in the comment", { comment: zipOf([]) }],
    ["fewer entries at the end", { end: { entries: 1 } }],
    ["another directory at the end", { end: { offset: 0 } }],
    ["another size of it", { end: { size: 10 } }],
    [
      "an end that says nothing",
      { end: { entries: 0xffff, size: 0xffffffff, offset: 0xffffffff } },
    ],
  ])("is refused: %s", (_, options) => {
    expect(zipVerdict({}, options)).not.toBe("taken");
  });
});

describe("a TAR that says two things", () => {
  const end = new Uint8Array(1024);

  it("is refused for a record behind its end", () => {
    const hidden = tarOf([{ name: "../luar.txt" }]);
    expect(verdict(tgzOf([page], { end: concat(end, hidden) }))).toBe("mismatch");
    expect(verdict(tgzOf([page], { end: concat(end.slice(512), hidden) }))).toBe("mismatch");
  });

  it("is refused for a second gzip member", () => {
    const two = concat(tgzOf([page]), tgzOf([{ name: "../luar.txt" }]));
    expect(verdict(two)).toBe("mismatch");
    expect(verdict(concat(tgzOf([page]), new Uint8Array(600)))).toBe("taken");
  });

  it("is refused for a size of its own, a name for all, two names", () => {
    const sized = { name: "x", type: "x", data: pax("size", "1") };
    expect(tarVerdict(sized, { name: "x", data: text.encode("isi") })).toBe("mismatch");
    expect(tarVerdict({ name: "g", type: "g", data: pax("path", "x") }, { name: "x" })).toBe(
      "mismatch",
    );
    const long = { name: "L", type: "L", data: text.encode("satu\0") };
    expect(
      tarVerdict(long, { name: "x", type: "x", data: pax("path", "dua") }, { name: "x" }),
    ).toBe("duplicate");
    const old = { name: "luar.txt", prefix: "..", magic: "ustar  \0" };
    expect(tarVerdict(old)).toBe("mismatch");
  });

  it("is refused for numbers that are none, or negative, or a wrong sum", () => {
    expect(tarVerdict({ name: "x", size: text.encode("99999999999\0") })).toBe("broken");
    expect(tarVerdict({ name: "x", size: new Uint8Array(12).fill(0xff) })).toBe("broken");
    expect(tarVerdict({ name: "x", checksum: 1 })).toBe("broken");
    expect(tarVerdict({ name: "x", size: 8 * 2 ** 30 - 1 })).toBe("too_big");
  });
});
