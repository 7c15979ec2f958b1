import { describe, expect, it } from "vitest";
import { sha256Hex } from "../crypto/index.ts";
import { asJpeg } from "./as-jpeg.ts";
import { type CleanImage, cleanImage, readImage } from "./image.ts";
import { ANIMATED_PNG, LOSSY_WEBP, PHONE_JPEG, PHONE_PNG, pngChunk } from "./image-samples.ts";
import { encodeJpeg } from "./jpeg-encoder.ts";
import { pixelsOfPng } from "./png-pixels.ts";

interface Png {
  width: number;
  height: number;
  depth?: number;
  colour?: number;
  interlaced?: boolean;
  /** Each line with its filter in front. */
  lines: number[];
  palette?: number[];
  alphas?: number[];
}

async function png({ width, height, depth = 8, colour = 2, ...rest }: Png): Promise<Uint8Array> {
  const { lines, palette, alphas, interlaced = false } = rest;
  const head = Uint8Array.of(
    0,
    0,
    0,
    width,
    0,
    0,
    0,
    height,
    depth,
    colour,
    0,
    0,
    interlaced ? 1 : 0,
  );
  const packed = new Blob([Uint8Array.from(lines)])
    .stream()
    .pipeThrough(new CompressionStream("deflate"));
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    pngChunk("IHDR", head),
    ...(palette ? [pngChunk("PLTE", Uint8Array.from(palette))] : []),
    ...(alphas ? [pngChunk("tRNS", Uint8Array.from(alphas))] : []),
    pngChunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    pngChunk("IEND", new Uint8Array()),
  ];
  const bytes = new Uint8Array(
    await new Blob(parts.map((part) => new Uint8Array(part))).arrayBuffer(),
  );
  expect(readImage(bytes)).not.toBeNull();
  return bytes;
}

const rgbOf = async (picture: Png) => {
  const pixels = await pixelsOfPng(await png(picture), 1_000);
  return pixels && [...pixels.rgb];
};

const clean = (bytes: Uint8Array): CleanImage => {
  const image = cleanImage(bytes);
  if (!image) throw new Error("no image");
  return image;
};

describe("the pixels of a PNG", () => {
  it("come out of every filter", async () => {
    // Two pixels a line: 10 20 30, 40 50 60, and so on by 5 more each line.
    const lines = [
      ...[0, 10, 20, 30, 40, 50, 60],
      ...[1, 15, 25, 35, 30, 30, 30],
      ...[2, 5, 5, 5, 5, 5, 5],
      ...[3, 15, 20, 25, 18, 18, 18],
      ...[4, 5, 5, 5, 5, 5, 5],
    ];
    const wanted = [0, 5, 10, 15, 20].flatMap((n) => [10, 20, 30, 40, 50, 60].map((v) => v + n));
    expect(await rgbOf({ width: 2, height: 5, lines })).toEqual(wanted);
  });

  it.each([
    ["grey of one bit", { depth: 1, colour: 0, lines: [0, 0b10000000] }, [255, 0]],
    ["grey of four bits", { depth: 4, colour: 0, lines: [0, 0x1f] }, [17, 255]],
    ["grey of two bytes", { depth: 16, colour: 0, lines: [0, 200, 9, 7, 250] }, [200, 7]],
    ["grey that is half there", { colour: 4, lines: [0, 0, 128, 90, 255] }, [127, 90]],
  ] as const)("%s are three of each", async (_name, picture, [one, other]) => {
    const rgb = await rgbOf({ width: 2, height: 1, ...picture, lines: [...picture.lines] });
    expect(rgb).toEqual([one, one, one, other, other, other]);
  });

  it("of a palette are its colours, on white where it lets white through", async () => {
    const palette = [10, 20, 30, 200, 100, 0, 0, 0, 0];
    const picture = { width: 4, height: 1, depth: 2, colour: 3, lines: [0, 0b00011000], palette };
    expect(await rgbOf({ ...picture, alphas: [255, 255, 0] })).toEqual([
      ...[10, 20, 30],
      ...[200, 100, 0],
      ...[255, 255, 255],
      ...[10, 20, 30],
    ]);
  });

  it("that let all through are white", async () => {
    const lines = [0, 1, 2, 3, 0, 4, 5, 6, 255];
    expect(await rgbOf({ width: 2, height: 1, colour: 6, lines })).toEqual([
      255, 255, 255, 4, 5, 6,
    ]);
  });

  it.each([
    ["too few lines", { height: 3 }],
    ["a filter that there is not", { lines: [5, 1, 2, 3, 4, 5, 6] }],
    ["interlaced ones", { interlaced: true }],
  ] as const)("are not told of %s", async (_name, change) => {
    const lines = "lines" in change ? [...change.lines] : [0, 1, 2, 3, 4, 5, 6];
    expect(await rgbOf({ width: 2, height: 1, ...change, lines })).toBeNull();
  });

  it("are not told of more than are wanted", async () => {
    const bytes = await png({ width: 2, height: 1, lines: [0, 1, 2, 3, 4, 5, 6] });
    expect(await pixelsOfPng(bytes, 1)).toBeNull();
    expect(await pixelsOfPng(bytes, 2)).not.toBeNull();
  });
});

/** Steps of colour, whose edges no unit of sixteen meets. */
function steps(width: number, height: number) {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return (x * 7 * (c + 1) + y * 5) & 255;
  });
  return { width, height, rgb };
}

describe("a JPEG that is made of pixels", () => {
  it.each([
    [1, 1],
    [16, 16],
    [17, 33],
    [203, 117],
  ])("is whole, at %i × %i", (width, height) => {
    const bytes = encodeJpeg(steps(width, height), 90);
    expect(readImage(bytes)).toEqual({ type: "jpeg", width, height });
  });

  it("is the one that other decoders have read as the same picture", async () => {
    // Read by libjpeg when this was written: as near to the pixels as libjpeg's own JPEG of this quality.
    expect(await sha256Hex(encodeJpeg(steps(48, 40), 90))).toBe(
      "77752436909ebcf23775c0b10e8e533da97fc0208f2901d2d79a360de57674cc",
    );
  });

  it("is smaller the lower its quality", () => {
    const [low, high] = [40, 95].map((quality) => encodeJpeg(steps(64, 64), quality).length);
    expect(low).toBeLessThan((high ?? 0) / 2);
  });
});

describe("as a JPEG", () => {
  it("a JPEG is what it was, a PNG of the same size, of an animation the still picture", async () => {
    const jpeg = clean(PHONE_JPEG);
    expect(await asJpeg(jpeg)).toBe(jpeg);
    const made = await asJpeg(clean(ANIMATED_PNG));
    expect(made && readImage(made.bytes)).toMatchObject({ type: "jpeg", width: 16, height: 8 });
  });

  it("nothing is told of WebP, and of a PNG that its metadata turns", async () => {
    expect(await asJpeg(clean(LOSSY_WEBP))).toBeNull();
    expect(await asJpeg(clean(PHONE_PNG))).toBeNull();
  });
});
