/** The pixels of a PNG that `walkPng` has passed. Source: PNG specification (third edition), sections 7, 9 and 11. */
import { findOrientation, UPRIGHT } from "./exif.ts";
import { fourLetters, viewOf } from "./image-format.ts";

/** Three bytes a pixel, from the top left on. */
export interface Pixels {
  width: number;
  height: number;
  rgb: Uint8Array;
}

const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const [GREY, PALETTE, GREY_ALPHA, RGB_ALPHA] = [0, 3, 4, 6];
const FIRST_CHUNK = 8;

interface Parts {
  width: number;
  height: number;
  depth: number;
  colour: number;
  interlaced: boolean;
  isTurned: boolean;
  palette: Uint8Array;
  alphas: Uint8Array;
  data: Uint8Array[];
}

/**
 * The picture on white, or null where it cannot be told here: interlaced, turned by its metadata, larger than
 * `mostPixels`, or with less data than it needs. Of an animation it is the still picture.
 */
export async function pixelsOfPng(bytes: Uint8Array, mostPixels: number): Promise<Pixels | null> {
  const parts = partsOf(bytes);
  const { width, height, depth, colour } = parts;
  if (parts.interlaced || parts.isTurned || width * height > mostPixels) return null;
  const bits = depth * (CHANNELS[colour] ?? 1);
  const line = Math.ceil((width * bits) / 8);
  const raw = await inflate(parts.data, (line + 1) * height);
  if (!raw || !unfilter(raw, line, Math.max(1, bits >> 3))) return null;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) paintLine(parts, raw, y * (line + 1) + 1, rgb, y);
  return { width, height, rgb };
}

function partsOf(bytes: Uint8Array): Parts {
  const view = viewOf(bytes);
  const none = new Uint8Array();
  const parts: Parts = {
    width: view.getUint32(FIRST_CHUNK + 8),
    height: view.getUint32(FIRST_CHUNK + 12),
    depth: view.getUint8(FIRST_CHUNK + 16),
    colour: view.getUint8(FIRST_CHUNK + 17),
    interlaced: view.getUint8(FIRST_CHUNK + 20) !== 0,
    ...{ isTurned: false, palette: none, alphas: none, data: [] },
  };
  for (let at = FIRST_CHUNK; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const type = fourLetters(bytes, at + 4);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === "IDAT") parts.data.push(data);
    else if (type === "PLTE") parts.palette = data;
    else if (type === "tRNS" && parts.colour === PALETTE) parts.alphas = data;
    else if (type === "eXIf") parts.isTurned ||= findOrientation(data) !== UPRIGHT;
    at += length + 12;
  }
  return parts;
}

/** Exactly `length` bytes, or null where the stream is broken or holds fewer. What it holds besides is not read. */
async function inflate(parts: Uint8Array[], length: number): Promise<Uint8Array | null> {
  const raw = new Uint8Array(length);
  let at = 0;
  try {
    const packed = new Blob(parts.map((part) => new Uint8Array(part)));
    const reader = packed.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    while (at < length) {
      const { done, value } = await reader.read();
      if (done) return null;
      raw.set(value.subarray(0, length - at), at);
      at += value.length;
    }
    await reader.cancel();
    return raw;
  } catch {
    return at >= length ? raw : null;
  }
}

/** Undoes the filter of each line, in place; false for a filter that there is not. */
function unfilter(raw: Uint8Array, line: number, step: number): boolean {
  for (let start = 0; start < raw.length; start += line + 1) {
    const filter = raw[start] ?? 0;
    if (filter > 4) return false;
    const [first, above] = [start + 1, start - line];
    for (let i = 0; i < line && filter > 0; i += 1) {
      const left = i >= step ? (raw[first + i - step] ?? 0) : 0;
      const up = above > 0 ? (raw[above + i] ?? 0) : 0;
      const corner = above > 0 && i >= step ? (raw[above + i - step] ?? 0) : 0;
      raw[first + i] = (raw[first + i] ?? 0) + guess(filter, left, up, corner);
    }
  }
  return true;
}

function guess(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  const about = left + up - corner;
  const [a, b, c] = [Math.abs(about - left), Math.abs(about - up), Math.abs(about - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function paintLine(parts: Parts, raw: Uint8Array, from: number, rgb: Uint8Array, y: number): void {
  const { width, depth, colour, palette, alphas } = parts;
  const channels = CHANNELS[colour] ?? 1;
  const hasAlpha = colour === GREY_ALPHA || colour === RGB_ALPHA;
  const second = channels > 2 ? 1 : 0;
  const line = depth === 8 ? raw.subarray(from) : numbersOf(parts, raw, from);
  for (let x = 0; x < width; x += 1) {
    const n = x * channels;
    const entry = line[n] ?? 0;
    const isNamed = colour === PALETTE;
    const [from3, at] = [entry * 3, (y * width + x) * 3];
    const alpha = isNamed
      ? (alphas[entry] ?? 255)
      : hasAlpha
        ? (line[n + channels - 1] ?? 255)
        : 255;
    rgb[at] = onWhite(isNamed ? (palette[from3] ?? 0) : entry, alpha);
    rgb[at + 1] = onWhite((isNamed ? palette[from3 + 1] : line[n + second]) ?? 0, alpha);
    rgb[at + 2] = onWhite((isNamed ? palette[from3 + 2] : line[n + second * 2]) ?? 0, alpha);
  }
}

const onWhite = (value: number, alpha: number) =>
  alpha === 255 ? value : 255 + Math.round(((value - 255) * alpha) / 255);

/** The numbers of a line that are not a byte each: of two bytes the first, of less than one all of its own. */
function numbersOf({ width, depth, colour }: Parts, raw: Uint8Array, from: number): Uint8Array {
  const numbers = new Uint8Array(width * (CHANNELS[colour] ?? 1));
  const most = 2 ** depth - 1;
  for (let n = 0; n < numbers.length; n += 1) {
    const byte = raw[from + ((n * depth) >> 3)] ?? 0;
    const part = (byte >> (8 - depth - ((n * depth) & 7))) & most;
    if (depth === 16) numbers[n] = byte;
    else numbers[n] = colour === GREY ? Math.round((part * 255) / most) : part;
  }
  return numbers;
}
