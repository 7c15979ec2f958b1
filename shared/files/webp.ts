/**
 * Walks a WebP chunk by chunk and writes it anew from the chunks that make up the picture.
 * Source: RFC 9649 (WebP container) section 2, RFC 6386 section 9.1 (VP8 frame header).
 */
import { findOrientation, orientationTiff, UPRIGHT } from "./exif.ts";
import {
  asciiBytes,
  fitsLimits,
  fourLetters,
  hasText,
  MAX_PARTS,
  uint24le,
  viewOf,
  type WalkedImage,
} from "./image-format.ts";

const FLAG_ICC = 0x20;
const FLAG_ALPHA = 0x10;
const FLAG_EXIF = 0x08;
const FLAG_ANIMATION = 0x02;
const FRAME_HEAD = 16;

type Chunk = { type: string; data: Uint8Array };
type Size = { width: number; height: number };

/** The image, or null when the bytes are not one whole WebP. What follows the RIFF end is dropped. */
export function walkWebp(bytes: Uint8Array): WalkedImage | null {
  if (!hasText(bytes, 0, "RIFF") || !hasText(bytes, 8, "WEBP")) return null;
  const end = 8 + viewOf(bytes).getUint32(4, true);
  if (end > bytes.length) return null;
  const chunks = readChunks(bytes.subarray(12, end));
  const first = chunks?.[0];
  if (!chunks || !first) return null;
  if (first.type === "VP8X") return walkExtended(first.data, chunks.slice(1));
  const size = bitstreamSize(first);
  return size && fitsLimits(size.width, size.height)
    ? { ...size, clean: riff([chunkParts(first.type, [first.data])]) }
    : null;
}

/** All chunks, or null when one reaches beyond the end. An odd chunk is padded to even. */
function readChunks(bytes: Uint8Array): Chunk[] | null {
  const view = viewOf(bytes);
  const chunks: Chunk[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length || chunks.length >= MAX_PARTS) return null;
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length;
    if (end > bytes.length) return null;
    chunks.push({ type: fourLetters(bytes, at), data: bytes.subarray(at + 8, end) });
    at = end + (length & 1);
  }
  return chunks;
}

/** The size that a VP8 key frame or a VP8L stream announces; null for anything else. */
function bitstreamSize({ type, data }: Chunk): Size | null {
  const view = viewOf(data);
  if (type === "VP8 " && data.length > 10) {
    const isKeyFrame = (view.getUint8(0) & 1) === 0;
    const firstPartition = uint24le(view, 0) >> 5;
    if (!isKeyFrame || !hasText(data, 3, "\x9d\x01\x2a")) return null;
    if (10 + firstPartition > data.length) return null;
    return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  }
  if (type === "VP8L" && data.length > 5 && view.getUint8(0) === 0x2f) {
    const bits = view.getUint32(1, true);
    if (bits >>> 29 !== 0) return null;
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return null;
}

function walkExtended(head: Uint8Array, chunks: readonly Chunk[]): WalkedImage | null {
  if (head.length !== 10) return null;
  const view = viewOf(head);
  const flags = view.getUint8(0);
  const canvas = { width: uint24le(view, 4) + 1, height: uint24le(view, 7) + 1 };
  if (!fitsLimits(canvas.width, canvas.height)) return null;
  const animated = (flags & FLAG_ANIMATION) !== 0;
  const picture = animated ? animation(chunks, canvas) : still(chunks, canvas);
  if (picture === null) return null;

  const profile = flags & FLAG_ICC ? chunks.find((chunk) => chunk.type === "ICCP") : undefined;
  const orientation = exifOrientation(chunks);
  const turned = orientation !== UPRIGHT;
  const newHead = head.slice();
  newHead.fill(0, 0, 4);
  newHead[0] =
    (flags & (FLAG_ALPHA | FLAG_ANIMATION)) | (profile ? FLAG_ICC : 0) | (turned ? FLAG_EXIF : 0);

  const parts = [chunkParts("VP8X", [newHead])];
  if (profile) parts.push(chunkParts("ICCP", [profile.data]));
  parts.push(...picture);
  if (turned) parts.push(chunkParts("EXIF", [orientationTiff(orientation)]));
  return { ...canvas, clean: riff(parts) };
}

/** One picture, with its separate alpha plane if it has one; null when it is not of that size. */
function still(chunks: readonly Chunk[], size: Size): Uint8Array[][] | null {
  const at = chunks.findIndex(({ type }) => type === "VP8 " || type === "VP8L");
  const image = chunks[at];
  const found = image && bitstreamSize(image);
  if (!found || found.width !== size.width || found.height !== size.height) return null;
  const parts = [chunkParts(image.type, [image.data])];
  const alpha = chunks.slice(0, at).find(({ type }) => type === "ALPH");
  if (alpha && image.type === "VP8 ") parts.unshift(chunkParts("ALPH", [alpha.data]));
  return parts;
}

/** The animation's settings and frames, each frame written anew without chunks of its own choice. */
function animation(chunks: readonly Chunk[], canvas: Size): Uint8Array[][] | null {
  const settings = chunks.find(({ type }) => type === "ANIM");
  const frames = chunks.filter(({ type }) => type === "ANMF");
  if (settings?.data.length !== 6 || frames.length === 0) return null;
  const parts = [chunkParts("ANIM", [settings.data])];
  for (const { data } of frames) {
    const frame = animationFrame(data, canvas);
    if (frame === null) return null;
    parts.push(chunkParts("ANMF", frame));
  }
  return parts;
}

function animationFrame(data: Uint8Array, canvas: Size): Uint8Array[] | null {
  if (data.length <= FRAME_HEAD) return null;
  const view = viewOf(data);
  const size = { width: uint24le(view, 6) + 1, height: uint24le(view, 9) + 1 };
  if (uint24le(view, 0) * 2 + size.width > canvas.width) return null;
  if (uint24le(view, 3) * 2 + size.height > canvas.height) return null;
  const chunks = readChunks(data.subarray(FRAME_HEAD));
  const picture = chunks && still(chunks, size);
  return picture && [data.subarray(0, FRAME_HEAD), ...picture.flat()];
}

/** Some writers put the JPEG lead "Exif\0\0" before the TIFF block. */
function exifOrientation(chunks: readonly Chunk[]): number {
  const exif = chunks.find(({ type }) => type === "EXIF")?.data;
  if (!exif) return UPRIGHT;
  return findOrientation(hasText(exif, 0, "Exif\0\0") ? exif.subarray(6) : exif);
}

function byteCount(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, part) => total + part.length, 0);
}

/** A chunk as its head, its data and the byte that makes it even. */
function chunkParts(type: string, data: readonly Uint8Array[]): Uint8Array[] {
  const length = byteCount(data);
  const head = new Uint8Array(8);
  head.set(asciiBytes(type));
  viewOf(head).setUint32(4, length, true);
  return [head, ...data, ...(length & 1 ? [Uint8Array.of(0)] : [])];
}

function riff(chunks: readonly Uint8Array[][]): Uint8Array[] {
  const parts = chunks.flat();
  const head = new Uint8Array(12);
  head.set(asciiBytes("RIFF"));
  viewOf(head).setUint32(4, 4 + byteCount(parts), true);
  head.set(asciiBytes("WEBP"), 8);
  return [head, ...parts];
}
