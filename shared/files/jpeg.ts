/**
 * Walks a JPEG marker by marker to its end. Source: ITU-T T.81 annex B, JFIF 1.02, ICC.1 annex B.4.
 * Only what browsers decode is accepted: 8-bit baseline, extended and progressive Huffman frames.
 */
import { findOrientation, orientationTiff, UPRIGHT } from "./exif.ts";
import {
  asciiBytes,
  fitsLimits,
  hasText,
  MAX_PARTS,
  viewOf,
  type WalkedImage,
} from "./image-format.ts";
import { isHuffmanTables, isQuantTables } from "./jpeg-tables.ts";

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const EXIF_LEAD = "Exif\0\0";
const ICC_LEAD = "ICC_PROFILE\0";
/** Real progressive files have about ten; a hundred thousand would only keep a viewer busy. */
const MAX_SCANS = 100;

type Frame = { width: number; height: number; components: Set<number> };
type Segment = { marker: number; whole: Uint8Array; payload: Uint8Array };

class Walk {
  at = 2;
  scans = 0;
  frame: Frame | null = null;
  hasQuant = false;
  hasHuffman = false;
  orientation = UPRIGHT;
  jfif: Uint8Array | null = null;
  adobe: Uint8Array | null = null;
  readonly scanned = new Set<number>();
  readonly icc: Segment[] = [];
  readonly body: Uint8Array[] = [];
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

/** The image, or null when the bytes are not one whole JPEG. What follows the end marker is dropped. */
export function walkJpeg(bytes: Uint8Array): WalkedImage | null {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) return null;
  const walk = new Walk(bytes);
  for (let i = 0; i < MAX_PARTS; i++) {
    const marker = nextMarker(walk);
    if (marker === EOI) return finish(walk);
    const segment = nextSegment(walk, marker);
    if (segment === null) return null;
    const taken = marker === SOS ? takeScan(walk, segment) : takeSegment(walk, segment);
    if (!taken) return null;
  }
  return null;
}

/** Steps over a marker and the 0xFF bytes that may fill the room before it; 0 when there is none. */
function nextMarker(walk: Walk): number {
  const { bytes } = walk;
  if (bytes[walk.at] !== 0xff) return 0;
  while (bytes[walk.at] === 0xff) walk.at++;
  const marker = bytes[walk.at] ?? 0;
  walk.at++;
  return marker;
}

function nextSegment(walk: Walk, marker: number): Segment | null {
  const { at, bytes, view } = walk;
  if (at + 2 > bytes.length) return null;
  const length = view.getUint16(at);
  if (length < 2 || at + length > bytes.length) return null;
  walk.at = at + length;
  return {
    marker,
    whole: bytes.subarray(at - 2, walk.at),
    payload: bytes.subarray(at + 2, walk.at),
  };
}

/** Keeps what the decoder needs, drops what only tells, refuses what no browser decodes. */
function takeSegment(walk: Walk, segment: Segment): boolean {
  const { marker, payload, whole } = segment;
  switch (marker) {
    case 0xc0: // SOF0 to SOF2
    case 0xc1:
    case 0xc2:
      if (walk.frame !== null) return false;
      walk.frame = readFrame(payload);
      if (walk.frame === null) return false;
      break;
    case 0xc4:
      if (!isHuffmanTables(payload)) return false;
      walk.hasHuffman = true;
      break;
    case 0xdb:
      if (!isQuantTables(payload)) return false;
      walk.hasQuant = true;
      break;
    case 0xdd: // restart interval
      if (payload.length !== 2) return false;
      break;
    case 0xdc: // line count, which the frame gave already
    case 0xfe: // comment
      return true;
    default:
      if (marker < 0xe0 || marker > 0xef) return false;
      if (walk.scans === 0) takeApplication(walk, segment);
      return true;
  }
  walk.body.push(whole);
  return true;
}

/** The first of each kind counts, as in browsers; colour profiles come in several pieces. */
function takeApplication(walk: Walk, segment: Segment): void {
  const { marker, payload } = segment;
  if (marker === 0xe0 && walk.jfif === null && payload.length >= 14) {
    if (hasText(payload, 0, "JFIF\0")) walk.jfif = payload.subarray(0, 12);
  } else if (marker === 0xe1 && walk.orientation === UPRIGHT && hasText(payload, 0, EXIF_LEAD)) {
    walk.orientation = findOrientation(payload.subarray(EXIF_LEAD.length));
  } else if (marker === 0xe2 && hasText(payload, 0, ICC_LEAD)) {
    walk.icc.push(segment);
  } else if (marker === 0xee && walk.adobe === null && payload.length >= 12) {
    if (hasText(payload, 0, "Adobe")) walk.adobe = payload.subarray(0, 12);
  }
}

function readFrame(payload: Uint8Array): Frame | null {
  if (payload.length < 6) return null;
  const view = viewOf(payload);
  const count = view.getUint8(5);
  const width = view.getUint16(3);
  const height = view.getUint16(1);
  if (view.getUint8(0) !== 8 || ![1, 3, 4].includes(count)) return null;
  if (payload.length !== 6 + 3 * count || !fitsLimits(width, height)) return null;
  const components = new Set<number>();
  for (let at = 6; at < payload.length; at += 3) {
    const sampling = view.getUint8(at + 1);
    const [across, down] = [sampling >> 4, sampling & 15];
    if (across < 1 || across > 4 || down < 1 || down > 4 || view.getUint8(at + 2) > 3) return null;
    components.add(view.getUint8(at));
  }
  return components.size === count ? { width, height, components } : null;
}

/** A scan header and the entropy-coded data behind it, which must be there. */
function takeScan(walk: Walk, { whole, payload }: Segment): boolean {
  const { bytes, frame } = walk;
  if (frame === null || !walk.hasQuant || !walk.hasHuffman) return false;
  const count = payload[0] ?? 0;
  if (count < 1 || count > 4 || payload.length !== 4 + 2 * count) return false;
  for (let i = 0; i < count; i++) {
    const component = payload[1 + 2 * i] ?? -1;
    if (!frame.components.has(component)) return false;
    walk.scanned.add(component);
  }
  const end = entropyEnd(bytes, walk.at);
  if (end <= walk.at || ++walk.scans > MAX_SCANS) return false;
  walk.body.push(whole, bytes.subarray(walk.at, end));
  walk.at = end;
  return true;
}

/** Where the next true marker stands: stuffed zeros and restart markers belong to the data. */
function entropyEnd(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(0xff, from);
  while (at !== -1 && at + 1 < bytes.length) {
    const next = bytes[at + 1] ?? 0;
    const isData = next === 0 || (next >= 0xd0 && next <= 0xd7);
    if (!isData && next !== 0xff) return at;
    at = bytes.indexOf(0xff, isData ? at + 2 : at + 1);
  }
  return -1;
}

function finish(walk: Walk): WalkedImage | null {
  const { frame, jfif, adobe, orientation } = walk;
  if (frame === null || walk.scanned.size !== frame.components.size) return null;
  const clean: Uint8Array[] = [Uint8Array.of(0xff, SOI)];
  // Behind the 12 bytes stand the thumbnail's width and height: none.
  if (jfif) clean.push(Uint8Array.of(0xff, 0xe0, 0, 16), jfif, Uint8Array.of(0, 0));
  if (orientation !== UPRIGHT) {
    clean.push(Uint8Array.of(0xff, 0xe1, 0, 34), asciiBytes(EXIF_LEAD));
    clean.push(orientationTiff(orientation));
  }
  if (isWholeProfile(walk.icc)) clean.push(...walk.icc.map((segment) => segment.whole));
  if (adobe) clean.push(Uint8Array.of(0xff, 0xee, 0, 14), adobe);
  clean.push(...walk.body, Uint8Array.of(0xff, EOI));
  return { width: frame.width, height: frame.height, clean };
}

/** Decoders ignore a profile with a missing or double piece, so it is kept whole or not at all. */
function isWholeProfile(pieces: readonly Segment[]): boolean {
  const numbers = new Set<number>();
  for (const { payload } of pieces) {
    const number = payload[ICC_LEAD.length] ?? 0;
    if (payload[ICC_LEAD.length + 1] !== pieces.length) return false;
    if (number < 1 || number > pieces.length) return false;
    // A profile carries this signature 36 bytes into its header.
    if (number === 1 && !hasText(payload, ICC_LEAD.length + 2 + 36, "acsp")) return false;
    numbers.add(number);
  }
  return numbers.size === pieces.length;
}
