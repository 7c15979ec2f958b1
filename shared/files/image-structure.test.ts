import { describe, expect, it } from "vitest";
import { cleanImage, readImage, stripMetadata } from "./image.ts";
import { asciiBytes, joinBytes, viewOf } from "./image-format.ts";
import {
  ANIMATED_PNG,
  CMYK_JPEG,
  inserted,
  jpegSegment,
  LOSSLESS_WEBP,
  LOSSY_WEBP,
  PALETTE_PNG,
  PHONE_JPEG,
  PHONE_WEBP,
  PROGRESSIVE_JPEG,
  patched,
  pngChunk,
  text,
} from "./image-samples.ts";

function cleaned(bytes: Uint8Array): Uint8Array {
  const image = cleanImage(bytes);
  if (image === null) throw new Error("the sample was refused");
  return image.bytes;
}

function webp(...chunks: [type: string, data: Uint8Array][]): Uint8Array {
  const parts = chunks.map(([type, data]) => {
    const head = new Uint8Array(8);
    head.set(asciiBytes(type));
    viewOf(head).setUint32(4, data.length, true);
    return joinBytes([head, data, new Uint8Array(data.length & 1)]);
  });
  const body = joinBytes([asciiBytes("WEBP"), ...parts]);
  const size = new Uint8Array(4);
  viewOf(size).setUint32(0, body.length, true);
  return joinBytes([asciiBytes("RIFF"), size, body]);
}

describe("JPEG structure", () => {
  const end = PROGRESSIVE_JPEG.length - 2;
  const firstScan = text(PROGRESSIVE_JPEG).indexOf("\xff\xda");
  const lastScan = PROGRESSIVE_JPEG.subarray(text(PROGRESSIVE_JPEG).lastIndexOf("\xff\xda"), end);

  it("refuses a scan without data and a picture whose components are not all there", () => {
    const header = text(PROGRESSIVE_JPEG).slice(firstScan + 2);
    const headerEnd = firstScan + 2 + header.charCodeAt(1);
    const tail = PROGRESSIVE_JPEG.subarray(end);
    expect(readImage(joinBytes([PROGRESSIVE_JPEG.subarray(0, headerEnd), tail]))).toBeNull();
    // The last scan refines one component only; the other two never come.
    expect(
      readImage(joinBytes([PROGRESSIVE_JPEG.subarray(0, firstScan), lastScan, tail])),
    ).toBeNull();
  });

  it("refuses more than a hundred scans", () => {
    const more = (count: number) =>
      inserted(PROGRESSIVE_JPEG, end, joinBytes(Array.from({ length: count }, () => lastScan)));
    expect(readImage(more(50))).not.toBeNull();
    expect(readImage(more(100))).toBeNull();
  });

  it("refuses tables that hold anything but tables", () => {
    const note = asciiBytes("\0a note that is no table");
    expect(readImage(inserted(CMYK_JPEG, 2, jpegSegment(0xc4, note)))).toBeNull();
    expect(readImage(inserted(CMYK_JPEG, 2, jpegSegment(0xdb, note)))).toBeNull();
    expect(readImage(inserted(CMYK_JPEG, 2, jpegSegment(0xdd, note)))).toBeNull();
    expect(readImage(inserted(CMYK_JPEG, 2, jpegSegment(0xc4, new Uint8Array())))).toBeNull();
  });

  it("refuses bytes between the segments and a second frame", () => {
    const frame = text(PROGRESSIVE_JPEG).indexOf("\xff\xc2");
    expect(readImage(inserted(PROGRESSIVE_JPEG, frame, asciiBytes("x")))).toBeNull();
    const again = PROGRESSIVE_JPEG.subarray(frame, frame + 19);
    expect(readImage(inserted(PROGRESSIVE_JPEG, frame, again))).toBeNull();
  });

  it("takes fill bytes before a marker and drops what is told between or behind scans", () => {
    const fill = asciiBytes("\xff\xff\xff");
    expect(stripMetadata(inserted(PROGRESSIVE_JPEG, 2, fill), "jpeg")).toEqual(PROGRESSIVE_JPEG);
    const exif = jpegSegment(0xe1, asciiBytes("Exif\0\0MM\0*secret"));
    const adobe = jpegSegment(0xee, asciiBytes("Adobe\0d\0\0\0\0\x01secret"));
    const late = inserted(PROGRESSIVE_JPEG, end, joinBytes([exif, adobe]));
    expect(stripMetadata(late, "jpeg")).toEqual(PROGRESSIVE_JPEG);
  });

  it("keeps the Adobe marker, without which CMYK turns into its negative", () => {
    expect(text(cleaned(CMYK_JPEG))).toContain("\xff\xee\0\x0eAdobe");
  });

  it("keeps a colour profile in several pieces only when it is whole", () => {
    const from = text(PHONE_JPEG).indexOf("\xff\xe2");
    const to = from + 2 + viewOf(PHONE_JPEG).getUint16(from + 2);
    const profile = PHONE_JPEG.subarray(from + 18, to);
    const piece = (number: number, count: number, data: Uint8Array) =>
      jpegSegment(
        0xe2,
        joinBytes([asciiBytes("ICC_PROFILE\0"), Uint8Array.of(number, count), data]),
      );
    const [one, two] = [piece(1, 2, profile.subarray(0, 300)), piece(2, 2, profile.subarray(300))];
    const stripped = (...pieces: Uint8Array[]) =>
      text(stripMetadata(inserted(CMYK_JPEG, 2, joinBytes(pieces)), "jpeg")).split("ICC_PROFILE");
    expect(stripped(one, two)).toHaveLength(3);
    for (const broken of [[one], [one, one], [two, two], [one, two, two]]) {
      expect(stripped(...broken)).toHaveLength(1);
    }
  });
});

describe("PNG structure", () => {
  const data = text(PALETTE_PNG).indexOf("IDAT") - 4;
  const palette = text(PALETTE_PNG).indexOf("PLTE") - 4;
  const end = PALETTE_PNG.length - 12;

  it("refuses picture data in two places", () => {
    const again = joinBytes([pngChunk("teXt", asciiBytes("x")), pngChunk("IDAT", asciiBytes("y"))]);
    expect(readImage(inserted(PALETTE_PNG, end, again))).toBeNull();
    expect(readImage(inserted(PALETTE_PNG, end, again.subarray(13)))).not.toBeNull();
  });

  it("refuses an end chunk with contents", () => {
    const whole = PALETTE_PNG.subarray(0, end);
    expect(readImage(joinBytes([whole, pngChunk("IEND", asciiBytes("x"))]))).toBeNull();
  });

  it("refuses a palette that is missing, double, late or of a wrong length", () => {
    const chunk = PALETTE_PNG.subarray(palette, palette + 24);
    const without = joinBytes([
      PALETTE_PNG.subarray(0, palette),
      PALETTE_PNG.subarray(palette + 24),
    ]);
    expect(readImage(without)).toBeNull();
    expect(readImage(inserted(without, palette, chunk))).not.toBeNull();
    expect(readImage(inserted(PALETTE_PNG, palette, chunk))).toBeNull();
    expect(readImage(inserted(without, end - 24, chunk))).toBeNull();
    expect(readImage(inserted(without, palette, pngChunk("PLTE", asciiBytes("four"))))).toBeNull();
  });

  it("keeps no chunk that is longer than its kind allows, and takes no such palette", () => {
    const note = (length: number) => asciiBytes("secret".repeat(200)).subarray(0, length);
    // Four colours at two bits, so four alphas.
    const short = joinBytes([PALETTE_PNG.subarray(0, palette + 24), PALETTE_PNG.subarray(data)]);
    for (const [type, length] of [
      ["iCCP", 40],
      ["tRNS", 5],
      ["tRNS", 256],
      ["sBIT", 4],
      ["bKGD", 6],
    ] as const) {
      const before = inserted(short, text(short).indexOf("IDAT") - 4, pngChunk(type, note(length)));
      expect(text(stripMetadata(before, "png")), `${type} ${length}`).not.toContain("secr");
    }
    const without = joinBytes([
      PALETTE_PNG.subarray(0, palette),
      PALETTE_PNG.subarray(palette + 24),
    ]);
    expect(readImage(inserted(without, palette, pngChunk("PLTE", note(15))))).toBeNull();
    expect(readImage(inserted(without, palette, pngChunk("PLTE", note(12))))).not.toBeNull();
  });

  it("drops the palette that a picture in full colours only suggests, and a colour that cannot be transparent", () => {
    const at = text(ANIMATED_PNG).indexOf("acTL") - 4;
    const noted = joinBytes([
      pngChunk("PLTE", asciiBytes("secret")),
      pngChunk("tRNS", asciiBytes("secret")),
    ]);
    expect(stripMetadata(inserted(ANIMATED_PNG, at, noted), "png")).toEqual(ANIMATED_PNG);
  });

  it("keeps the first of two chunks of one kind, and none behind the picture data", () => {
    const gamma = (value: number) => pngChunk("gAMA", Uint8Array.of(0, 0, 0, value));
    const twice = inserted(PALETTE_PNG, palette, joinBytes([gamma(1), gamma(2)]));
    const once = inserted(PALETTE_PNG, palette, gamma(1));
    expect(stripMetadata(twice, "png")).toEqual(once);
    expect(stripMetadata(inserted(PALETTE_PNG, end, gamma(1)), "png")).toEqual(PALETTE_PNG);
  });

  it("reads the orientation behind the picture data and writes it before", () => {
    const exif = pngChunk(
      "eXIf",
      asciiBytes("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"),
    );
    const late = inserted(PALETTE_PNG, end, exif);
    expect(stripMetadata(late, "png")).toEqual(inserted(PALETTE_PNG, data, exif));
  });

  it("drops the frames of an animation that was not announced", () => {
    const at = text(ANIMATED_PNG).indexOf("acTL") - 4;
    const unannounced = joinBytes([ANIMATED_PNG.subarray(0, at), ANIMATED_PNG.subarray(at + 20)]);
    expect(text(stripMetadata(unannounced, "png"))).not.toMatch(/fcTL|fdAT/);
  });
});

describe("WebP structure", () => {
  const lossy = LOSSY_WEBP.subarray(20);
  const canvas = (flags: number, width = 16) =>
    Uint8Array.of(flags, 0, 0, 0, width - 1, 0, 0, 7, 0, 0);

  it("refuses a picture of another size than its canvas, and one that ends too early", () => {
    expect(readImage(webp(["VP8X", canvas(0)], ["VP8 ", lossy]))).toMatchObject({ width: 16 });
    expect(readImage(webp(["VP8X", canvas(0, 17)], ["VP8 ", lossy]))).toBeNull();
    expect(readImage(webp(["VP8 ", lossy.subarray(0, 12)]))).toBeNull();
    expect(readImage(webp(["VP8 ", patched(lossy, 0, (lossy[0] ?? 0) | 1)]))).toBeNull();
    expect(readImage(webp(["VP8X", canvas(0)]))).toBeNull();
  });

  it("refuses an animation without settings or frames", () => {
    expect(readImage(webp(["VP8X", canvas(2)], ["VP8 ", lossy]))).toBeNull();
    expect(readImage(webp(["VP8X", canvas(2)], ["ANIM", new Uint8Array(6)]))).toBeNull();
  });

  it("reads the orientation with and without the lead that JPEG needs", () => {
    const tiff = asciiBytes("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0");
    const plain = webp(["VP8X", canvas(8)], ["VP8 ", lossy], ["EXIF", tiff]);
    const lead = joinBytes([asciiBytes("Exif\0\0"), tiff]);
    const led = webp(["VP8X", canvas(8)], ["VP8 ", lossy], ["EXIF", lead]);
    expect(stripMetadata(led, "webp")).toEqual(plain);
    expect(stripMetadata(plain, "webp")).toEqual(plain);
  });

  it("drops unknown chunks, a second picture and a profile that the head does not announce", () => {
    const bare = webp(["VP8X", canvas(0)], ["VP8 ", lossy]);
    const dressed = webp(
      ["VP8X", canvas(0x04)],
      ["ICCP", asciiBytes("profile")],
      ["note", asciiBytes("secret")],
      ["VP8 ", lossy],
      ["VP8L", LOSSLESS_WEBP.subarray(20)],
      ["XMP ", asciiBytes("secret")],
    );
    expect(stripMetadata(dressed, "webp")).toEqual(bare);
  });

  it("refuses a chunk that reaches beyond the file", () => {
    const at = text(PHONE_WEBP).indexOf("EXIF") + 4;
    expect(readImage(patched(PHONE_WEBP, at, 0xff, 0xff, 0xff, 0xff))).toBeNull();
  });
});
