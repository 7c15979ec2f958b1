import { describe, expect, it } from "vitest";
import { boundaryOf, FormError, type FormPart, FormStream } from "./form-stream.ts";

const text = new TextEncoder();
const some = (length: number) => Math.floor(Math.random() * length);

interface Part extends FormPart {
  body: Buffer;
}

function write(boundary: string, parts: Part[], { preamble = "", epilogue = "", pad = "" } = {}) {
  const bytes = parts.flatMap(({ name, filename, body }) => [
    Buffer.from(
      `--${boundary}${pad}\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name="${name}"${
        filename === null ? "" : `; filename="${filename.replaceAll('"', "%22")}"`
      }\r\n\r\n`,
    ),
    body,
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([
    Buffer.from(preamble),
    ...bytes,
    Buffer.from(`--${boundary}--${epilogue}`),
  ]);
}

function read(boundary: string, bytes: Uint8Array, longest: number) {
  const parts: (Part & { isWhole: boolean })[] = [];
  const form = new FormStream(boundary, {
    begin: (part) => parts.push({ ...part, body: Buffer.alloc(0), isWhole: false }),
    data: (data) => {
      const part = parts.at(-1);
      if (part) part.body = Buffer.concat([part.body, data]);
    },
    end: () => {
      const part = parts.at(-1);
      if (part) part.isWhole = true;
    },
  });
  for (let at = 0; at < bytes.length; ) {
    const piece = new Uint8Array(bytes.subarray(at, at + 1 + some(longest)));
    at += piece.length;
    form.push(piece);
    piece.fill(0xaa);
  }
  form.end();
  return { parts, held: form.largestHeld };
}

const BOUNDARIES = ["x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a".repeat(70), "--"];

/** Made of pieces of delimiters, so that nearly every byte could begin one. */
function trickyBody(boundary: string): Buffer {
  const pieces = [
    text.encode(`\r\n--${boundary.slice(0, some(boundary.length))}`),
    text.encode("\r"),
    text.encode("\r\n"),
    text.encode("-"),
    crypto.getRandomValues(new Uint8Array(some(300))),
  ];
  const body = Buffer.concat(
    Array.from({ length: some(20) }, () => pieces[some(pieces.length)] ?? new Uint8Array(0)),
  );
  const delimiter = `\r\n--${boundary}`;
  const found = `\r\n${body.toString("latin1")}`.indexOf(delimiter);
  return found < 0 ? body : body.subarray(0, Math.max(0, found - 2));
}

describe("a multipart form", () => {
  it.each([1, 2, 5, 100, 100_000])(
    "is taken apart the same in pieces of at most %i bytes",
    (longest) => {
      for (let round = 0; round < 60; round += 1) {
        const boundary = BOUNDARIES[round % BOUNDARIES.length] ?? "x";
        const parts = Array.from({ length: some(5) }, (_, n) => ({
          name: `f${n}`,
          filename: n % 2 === 0 ? 'si"tus; é.zip' : null,
          body: trickyBody(boundary),
        }));
        const around = {
          preamble: round % 2 === 0 ? "tak dibaca\r\n" : "",
          epilogue: round % 3 === 0 ? "\r\ntak dibaca" : "",
          pad: round % 5 === 0 ? " \t" : "",
        };
        const got = read(boundary, write(boundary, parts, around), longest);
        expect(got.parts).toEqual(parts.map((part) => ({ ...part, isWhole: true })));
        expect(got.held).toBeLessThan(300);
      }
    },
  );

  it("is no form when it is cut off anywhere", () => {
    const whole = write("x", [{ name: "a", filename: null, body: Buffer.from("isi") }]);
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => read("x", whole.subarray(0, length), 10), `${length}`).toThrow(FormError);
    }
  });

  it.each<[string, string]>([
    ["a part without a name", "--x\r\nContent-Type: a/b\r\n\r\nisi\r\n--x--"],
    ["a part without a head", "--x\r\n\r\nisi\r\n--x--"],
    ["rubbish behind a delimiter", "--x lagi\r\n\r\n--x--"],
    ["a head without end", `--x\r\nA: ${"b".repeat(9_000)}`],
    ["spaces without end", `--x${" ".repeat(9_000)}`],
    [
      "hundred parts",
      `${'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'.repeat(99)}--x--`,
    ],
  ])("is refused for %s", (_, form) => {
    expect(() => read("x", text.encode(form), 1_000)).toThrow(FormError);
  });

  it("keeps what senders write in names", () => {
    const head = (disposition: string) =>
      read("x", text.encode(`--x\r\ncontent-disposition: ${disposition}\r\n\r\n\r\n--x--`), 50);
    const [old] = head('form-data; filename="C:\\a\\b.zip"; name="file"').parts;
    expect(old).toMatchObject({ name: "file", filename: "C:\\a\\b.zip" });
    const [bare] = head("form-data; name=file; filename=b.zip").parts;
    expect(bare).toMatchObject({ name: "file", filename: "b.zip" });
    const [escaped] = head('form-data; name="file"; filename="a\\"b%0D%0Ac.zip"').parts;
    expect(escaped).toMatchObject({ filename: 'a"b\r\nc.zip' });
  });
});

describe("the boundary of a form", () => {
  it.each([
    ["multipart/form-data; boundary=abc", "abc"],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b:c"', "a b:c"],
    ["multipart/form-data", null],
    ["multipart/form-data; boundary=", null],
    ["multipart/mixed; boundary=abc", null],
    [`multipart/form-data; boundary=${"a".repeat(71)}`, null],
    ['multipart/form-data; boundary="a\r\nb"', null],
    ["application/json", null],
    [null, null],
  ])("in %j is %j", (type, boundary) => {
    expect(boundaryOf(type)).toBe(boundary);
  });
});
