import { describe, expect, it } from "vitest";
import { cleanImage, readImage, stripMetadata } from "./image.ts";
import { asciiBytes, joinBytes, viewOf } from "./image-format.ts";
import * as samples from "./image-samples.ts";
import {
  ALL_SAMPLES as ALL,
  inserted,
  jpegSegment,
  patched,
  pngChunk,
  text,
} from "./image-samples.ts";

const PHONES = ALL.filter(([name]) => name.startsWith("phone"));

/** A TIFF block that says "orientation 6" and nothing else. */
const ORIENTATION_6 = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

function clean(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const image = cleanImage(bytes);
  if (image === null) throw new Error("the sample was refused");
  return image.bytes;
}

describe("readImage", () => {
  it.each(ALL)("names type and size of a %s", (_name, bytes, type) => {
    expect(readImage(bytes)).toEqual({ type, width: 16, height: 8 });
  });

  it.each([
    ["nothing", ""],
    ["a zip", "PK\x03\x04\x14\0\0\0\x08\0archive"],
    ["SVG", '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ["HTML", "<!doctype html><script>alert(1)</script>"],
    ["GIF", "GIF89a\x01\0\x01\0\x80\0\0"],
    [
      "a bare JPEG header before a zip",
      "\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0PK\x03\x04",
    ],
    ["a JPEG without a picture", "\xff\xd8\xff\xd9"],
    ["a JPEG that ends in fill bytes", "\xff\xd8\xff\xff\xff\xff"],
    ["a bare PNG signature before HTML", "\x89PNG\r\n\x1a\n<html><script>alert(1)</script>"],
    ["a bare RIFF header", "RIFF\x04\0\0\0WEBP"],
    ["RIFF sound", "RIFF\x24\0\0\0WAVEfmt \x10\0\0\0"],
  ])("refuses %s", (_name, content) => {
    expect(readImage(asciiBytes(content))).toBeNull();
  });

  it.each(ALL)("refuses a %s cut short anywhere", (_name, bytes) => {
    const whole = clean(bytes);
    for (let end = 0; end < whole.length; end++) {
      expect(readImage(whole.subarray(0, end)), `cut at ${end}`).toBeNull();
    }
  });

  it("reads bytes that stand in the middle of a larger buffer", () => {
    const larger = joinBytes([new Uint8Array(7), samples.PHONE_PNG, new Uint8Array(9)]);
    const inside = larger.subarray(7, 7 + samples.PHONE_PNG.length);
    expect(readImage(inside)).toEqual({ type: "png", width: 16, height: 8 });
  });

  it("refuses more than 12,000 pixels a side and more than 50 megapixels", () => {
    const header = (width: number, height: number) => {
      const data = samples.PALETTE_PNG.slice(16, 29);
      viewOf(data).setUint32(0, width);
      viewOf(data).setUint32(4, height);
      const rest = samples.PALETTE_PNG.subarray(33);
      return joinBytes([samples.PALETTE_PNG.subarray(0, 8), pngChunk("IHDR", data), rest]);
    };
    expect(readImage(header(12_000, 4_000))).toMatchObject({ width: 12_000, height: 4_000 });
    for (const [width, height] of [
      [12_001, 1],
      [1, 12_001],
      [8_000, 8_000],
      [0, 8],
      [2 ** 31, 8],
    ]) {
      expect(readImage(header(width ?? 0, height ?? 0))).toBeNull();
    }
    const frame = text(samples.PROGRESSIVE_JPEG).indexOf("\xff\xc2");
    expect(readImage(patched(samples.PROGRESSIVE_JPEG, frame + 5, 0xff, 0xff))).toBeNull();
    expect(readImage(patched(samples.PROGRESSIVE_JPEG, frame + 5, 0, 0))).toBeNull();
    expect(readImage(patched(samples.ANIMATED_WEBP, 24, 0xff, 0xff, 0xff))).toBeNull();
  });

  it("refuses JPEG coding that browsers cannot show", () => {
    const jpeg = samples.PROGRESSIVE_JPEG;
    const frame = text(jpeg).indexOf("\xff\xc2");
    for (const marker of [0xc3, 0xc5, 0xc9, 0xcc, 0xde, 0xf7]) {
      expect(readImage(patched(jpeg, frame + 1, marker))).toBeNull();
    }
    expect(readImage(patched(jpeg, frame + 4, 12))).toBeNull();
  });

  it("refuses a PNG with a damaged or an unknown critical chunk", () => {
    const png = samples.PALETTE_PNG;
    const data = text(png).indexOf("IDAT");
    expect(readImage(patched(png, data + 8, (png[data + 8] ?? 0) ^ 1))).toBeNull();
    expect(readImage(inserted(png, data - 4, pngChunk("HACK", new Uint8Array(3))))).toBeNull();
    expect(readImage(inserted(png, data - 4, pngChunk("haCK", new Uint8Array(3))))).not.toBeNull();
    const notDeflated = pngChunk("IDAT", asciiBytes("PK\x03\x04"));
    const head = png.subarray(0, data - 4);
    expect(readImage(joinBytes([head, notDeflated, png.subarray(-12)]))).toBeNull();
  });

  it("refuses an animation frame that lies outside the picture", () => {
    const png = samples.ANIMATED_PNG;
    const at = text(png).lastIndexOf("fcTL") - 4;
    const frame = png.slice(at + 8, at + 34);
    viewOf(frame).setUint32(12, 1);
    const moved = [png.subarray(0, at), pngChunk("fcTL", frame), png.subarray(at + 38)];
    expect(readImage(joinBytes(moved))).toBeNull();
    const webpFrame = text(samples.ANIMATED_WEBP).indexOf("ANMF") + 8;
    expect(readImage(patched(samples.ANIMATED_WEBP, webpFrame, 1))).toBeNull();
  });
});

describe("stripMetadata", () => {
  it.each(PHONES)("removes place, names, texts and trailer from a %s", (_name, bytes, type) => {
    expect(text(bytes)).toContain("Somebody");
    const stripped = text(stripMetadata(bytes, type));
    expect(stripped).not.toMatch(
      /Somebody|Phonemaker|Blitar|secret|xmp|adobe\.com|Photoshop|tEXt|PK/i,
    );
    expect(stripped).not.toContain("\x88\x25"); // the tag that leads to the GPS block
  });

  it.each(PHONES)("keeps the colour profile and the turn of a %s", (_name, bytes, type) => {
    const stripped = text(stripMetadata(bytes, type));
    // A PNG's profile is packed, so it may be anything; its colours stand in chunks of fixed lengths.
    if (type === "png") expect(stripped).not.toContain("iCCP");
    else expect(stripped).toContain("acsp");
    expect(stripped).toContain(ORIENTATION_6);
    expect(stripped.split("MM\0*")).toHaveLength(2);
  });

  it.each(ALL)("changes nothing the second time on a %s", (_name, bytes, type) => {
    const once = clean(bytes);
    expect(stripMetadata(once, type)).toEqual(once);
    expect(readImage(once)).toEqual(readImage(bytes));
  });

  it.each(ALL.filter(([name]) => !name.startsWith("phone")))(
    "leaves a %s without metadata as it is",
    (_name, bytes, type) => {
      expect(stripMetadata(bytes, type)).toEqual(bytes);
    },
  );

  it("drops the thumbnail in JFIF, further pictures, comments and a broken profile of a JPEG", () => {
    const bare = clean(samples.PROGRESSIVE_JPEG);
    const jfif = asciiBytes("JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01rgb");
    const extra = joinBytes([
      jpegSegment(0xe0, asciiBytes("JFXX\0\x10thumb")),
      jpegSegment(0xe2, asciiBytes("MPF\0II*\0secret")),
      jpegSegment(0xe2, asciiBytes("ICC_PROFILE\0\x01\x02half")),
      jpegSegment(0xfe, asciiBytes("secret")),
      jpegSegment(0xec, asciiBytes("Ducky")),
    ]);
    const jpeg = joinBytes([
      bare.subarray(0, 2),
      jpegSegment(0xe0, jfif),
      extra,
      bare.subarray(20),
      samples.CMYK_JPEG,
    ]);
    expect(stripMetadata(jpeg, "jpeg")).toEqual(bare);
  });

  it("keeps what shows a PNG in its colours and drops what only tells", () => {
    const png = samples.PALETTE_PNG;
    const at = text(png).indexOf("PLTE") - 4;
    const kept = joinBytes([
      pngChunk("gAMA", Uint8Array.of(0, 0, 0xb1, 0x8f)),
      pngChunk("sRGB", Uint8Array.of(0)),
      pngChunk("cICP", Uint8Array.of(1, 13, 0, 1)),
    ]);
    const dropped = joinBytes([
      pngChunk("tIME", new Uint8Array(7)),
      pngChunk("zTXt", asciiBytes("Comment\0\0x")),
      pngChunk("gAMA", asciiBytes("text in a false gamma")),
      pngChunk("prVt", asciiBytes("secret")),
    ]);
    const stripped = stripMetadata(inserted(png, at, joinBytes([kept, dropped])), "png");
    expect(stripped).toEqual(inserted(png, at, kept));
    expect(text(stripped)).toContain("tRNS");
  });

  it("marks in a WebP which parts are left", () => {
    const flags = clean(samples.PHONE_WEBP)[20];
    expect(flags).toBe(0x20 | 0x10 | 0x08); // profile, alpha, EXIF; no XMP
    expect(viewOf(clean(samples.PHONE_WEBP)).getUint32(4, true)).toBe(
      clean(samples.PHONE_WEBP).length - 8,
    );
  });

  it("answers null when the bytes are not of that type", () => {
    expect(stripMetadata(samples.PHONE_PNG, "jpeg")).toBeNull();
    expect(stripMetadata(samples.PHONE_JPEG, "webp")).toBeNull();
    expect(stripMetadata(new Uint8Array(), "png")).toBeNull();
  });
});
