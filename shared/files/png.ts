/**
 * Walks a PNG or APNG chunk by chunk to its end. Source: PNG specification (third edition),
 * sections 5, 11 and 13. Chunks that do not change the picture are dropped,
 * and so are colour profiles (iCCP), which hold bytes of any kind: sRGB, gAMA, cHRM and cICP tell the same in numbers.
 */
import { crc32 } from "./crc32.ts";
import { findOrientation, orientationTiff, UPRIGHT } from "./exif.ts";
import {
  asciiBytes,
  fitsLimits,
  fourLetters,
  hasText,
  joinBytes,
  MAX_PARTS,
  viewOf,
  type WalkedImage,
} from "./image-format.ts";

const SIGNATURE = "\x89PNG\r\n\x1a\n";
const CHUNK_OVERHEAD = 12;
const PALETTE = 3;

const BIT_DEPTHS: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

/** Chunks before the image data that change its look, with the one length that each has, by the colour type where it counts. */
const KEPT: Record<string, (length: number, header: Header, colours: number) => boolean> = {
  cHRM: (length) => length === 32,
  gAMA: (length) => length === 4,
  sBIT: (length, { colour }) => length === SIGNIFICANT[colour],
  sRGB: (length) => length === 1,
  cICP: (length) => length === 4,
  mDCV: (length) => length === 24,
  cLLI: (length) => length === 8,
  bKGD: (length, { colour }) => length === SAMPLES[colour & 3],
  pHYs: (length) => length === 9,
  tRNS: (length, { colour }, colours) =>
    colour === PALETTE ? length >= 1 && length <= colours : length === TRANSPARENT[colour],
};

/** Bytes of sBIT, of a single transparent colour, and of a background. */
const SIGNIFICANT: Record<number, number> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };
const TRANSPARENT: Record<number, number> = { 0: 2, 2: 6 };
const SAMPLES: Record<number, number> = { 0: 2, 2: 6, 3: 1 };

type Chunk = { type: string; data: Uint8Array; whole: Uint8Array };
type Header = { width: number; height: number; colour: number; depth: number };

class Walk {
  at = SIGNATURE.length;
  orientation = UPRIGHT;
  animated = false;
  /** How many colours the palette has. */
  colours = 0;
  idatEnded = false;
  /** The first two bytes of the compressed picture, which may come in several chunks. */
  readonly zlibHead: number[] = [];
  readonly seen = new Set<string>();
  readonly before: Uint8Array[] = [];
  readonly after: Uint8Array[] = [];
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly header: Header;

  constructor(bytes: Uint8Array, header: Header) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.header = header;
  }
}

/** The image, or null when the bytes are not one whole PNG. What follows the end chunk is dropped. */
export function walkPng(bytes: Uint8Array): WalkedImage | null {
  if (!hasText(bytes, 0, SIGNATURE)) return null;
  const header = readHeader(bytes);
  if (header === null) return null;
  const walk = new Walk(bytes, header);
  const first = nextChunk(walk);
  if (first === null || !isIntact(first)) return null;
  walk.before.push(bytes.subarray(0, walk.at));
  for (let i = 0; i < MAX_PARTS; i++) {
    const chunk = nextChunk(walk);
    if (chunk === null) return null;
    if (chunk.type === "IEND") return finish(walk, chunk);
    if (!takeChunk(walk, chunk)) return null;
  }
  return null;
}

function readHeader(bytes: Uint8Array): Header | null {
  const at = SIGNATURE.length;
  if (bytes.length < at + 8 + 13 || !hasText(bytes, at, "\0\0\0\rIHDR")) return null;
  const view = viewOf(bytes);
  const width = view.getUint32(at + 8);
  const height = view.getUint32(at + 12);
  const colour = view.getUint8(at + 17);
  if (!fitsLimits(width, height)) return null;
  const depth = view.getUint8(at + 16);
  if (!BIT_DEPTHS[colour]?.includes(depth)) return null;
  const [compression, filter, interlace] = bytes.subarray(at + 18, at + 21);
  if (compression !== 0 || filter !== 0 || (interlace ?? 2) > 1) return null;
  return { width, height, colour, depth };
}

function nextChunk(walk: Walk): Chunk | null {
  const { at, bytes, view } = walk;
  if (at + CHUNK_OVERHEAD > bytes.length) return null;
  const end = at + CHUNK_OVERHEAD + view.getUint32(at);
  if (end > bytes.length) return null;
  const type = fourLetters(bytes, at + 4);
  if (!/^[A-Za-z]{4}$/.test(type)) return null;
  walk.at = end;
  return { type, data: bytes.subarray(at + 8, end - 4), whole: bytes.subarray(at, end) };
}

function isIntact({ whole }: Chunk): boolean {
  const end = whole.length - 4;
  return crc32(whole.subarray(4, end)) === viewOf(whole).getUint32(end);
}

/** Keeps what the decoder needs, drops what only tells, refuses what no decoder understands. */
function takeChunk(walk: Walk, chunk: Chunk): boolean {
  const { type, data } = chunk;
  const inData = walk.seen.has("IDAT");
  if (inData && type !== "IDAT") walk.idatEnded = true;
  switch (type) {
    case "PLTE":
      return !inData && takePalette(walk, chunk);
    case "IDAT":
      return !walk.idatEnded && takeData(walk, chunk);
    case "eXIf":
      if (walk.orientation === UPRIGHT) walk.orientation = findOrientation(data);
      return true;
    case "acTL":
    case "fcTL":
    case "fdAT":
      return takeAnimation(walk, chunk, inData);
    default:
      // A capital first letter means that the picture cannot be shown without this chunk.
      if (/^[A-Z]/.test(type)) return false;
      return inData || takeAncillary(walk, chunk);
  }
}

/** A picture without a palette may suggest one, for screens of few colours: nobody needs it, and it holds any bytes. */
function takePalette(walk: Walk, chunk: Chunk): boolean {
  const { data } = chunk;
  const { colour, depth } = walk.header;
  if (walk.colours > 0 || colour === 0 || colour === 4 || !isIntact(chunk)) return false;
  const most = colour === PALETTE ? 2 ** depth : 256;
  if (data.length === 0 || data.length > most * 3 || data.length % 3 !== 0) return false;
  walk.colours = data.length / 3;
  if (colour === PALETTE) walk.before.push(chunk.whole);
  return true;
}

function takeData(walk: Walk, chunk: Chunk): boolean {
  if (!isIntact(chunk)) return false;
  if (walk.header.colour === PALETTE && walk.colours === 0) return false;
  walk.seen.add("IDAT");
  for (const byte of chunk.data.subarray(0, 2)) walk.zlibHead.push(byte);
  if (chunk.data.length > 0) walk.after.push(chunk.whole);
  return true;
}

function takeAncillary(walk: Walk, chunk: Chunk): boolean {
  const { type, data, whole } = chunk;
  const fits = Object.hasOwn(KEPT, type) ? KEPT[type] : undefined;
  if (!fits?.(data.length, walk.header, walk.colours) || walk.seen.has(type)) return true;
  if (!isIntact(chunk)) return false;
  walk.seen.add(type);
  walk.before.push(whole);
  return true;
}

/** Frames of an animation, kept when it was announced and every frame lies within the picture. */
function takeAnimation(walk: Walk, chunk: Chunk, inData: boolean): boolean {
  const { type, data, whole } = chunk;
  if (type === "acTL") {
    if (walk.animated || inData || data.length !== 8) return true;
    walk.animated = true;
  } else if (!walk.animated || (type === "fdAT" && !inData)) {
    return true;
  } else if (type === "fcTL" && !isFrameInside(data, walk.header)) {
    return false;
  } else if (type === "fdAT" && data.length <= 4) {
    return false;
  }
  if (!isIntact(chunk)) return false;
  (inData ? walk.after : walk.before).push(whole);
  return true;
}

function isFrameInside(data: Uint8Array, { width, height }: Header): boolean {
  if (data.length !== 26) return false;
  const view = viewOf(data);
  const [across, down] = [view.getUint32(4), view.getUint32(8)];
  if (across === 0 || down === 0) return false;
  return across + view.getUint32(12) <= width && down + view.getUint32(16) <= height;
}

function finish(walk: Walk, end: Chunk): WalkedImage | null {
  const { header, before, after, orientation } = walk;
  const [method = 0, flags = 0] = walk.zlibHead;
  if (end.data.length !== 0 || !isIntact(end)) return null;
  // The picture is a zlib stream: deflate, and a head that is a multiple of 31.
  if (walk.zlibHead.length < 2 || (method & 15) !== 8 || (method * 256 + flags) % 31 !== 0) {
    return null;
  }
  const exif = orientation === UPRIGHT ? [] : [exifChunk(orientation)];
  return {
    width: header.width,
    height: header.height,
    clean: [...before, ...exif, ...after, end.whole],
  };
}

function exifChunk(orientation: number): Uint8Array {
  const named = joinBytes([asciiBytes("eXIf"), orientationTiff(orientation)]);
  const chunk = new Uint8Array(named.length + 8);
  const view = viewOf(chunk);
  view.setUint32(0, named.length - 4);
  chunk.set(named, 4);
  view.setUint32(chunk.length - 4, crc32(named));
  return chunk;
}
