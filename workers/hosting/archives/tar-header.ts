/** One 512-byte header of a tar file (POSIX.1-2017 pax, ustar; GNU tar), read and judged. */
import { nameText } from "./names.ts";
import { refuse } from "./refusal.ts";

export const BLOCK = 512;

export interface TarHeader {
  name: string;
  type: string;
  size: number;
}

const MAGIC_AT = 257;
const PREFIX_AT = 345;
const CHECKSUM_AT = 148;

/** Null when these are not the 512 bytes of a header. */
export function readTarHeader(block: Uint8Array): TarHeader | null {
  if (!hasChecksum(block)) return null;
  const magic = nameText(block.subarray(MAGIC_AT, MAGIC_AT + 8));
  const isPosix = magic.startsWith("ustar\0");
  if (!isPosix && magic !== "ustar  \0" && !magic.startsWith("\0")) return null;
  const prefix = text(block, PREFIX_AT, 155);
  // Extractors do not agree whether these bytes are a part of the name in a header that is not POSIX'.
  if (!isPosix && block[PREFIX_AT] !== 0) refuse("mismatch");
  const name = text(block, 0, 100);
  return {
    name: prefix === "" || !isPosix ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] ?? 0),
    size: number(block, 124, 12),
  };
}

/** The sum of all bytes, its own eight taken as spaces; a block of zeros has none. */
function hasChecksum(block: Uint8Array): boolean {
  const stated = octal(block.subarray(CHECKSUM_AT, CHECKSUM_AT + 8));
  if (stated === null) return false;
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at += 1) {
    if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 8) sum += block[at] ?? 0;
  }
  return sum === stated;
}

export const isZeroBlock = (block: Uint8Array) => block.every((byte) => byte === 0);

/** Up to the first NUL; what stands behind it is read by nobody and hidden from nobody. */
function text(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return nameText(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or GNU's base 256. */
function number(block: Uint8Array, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  const [first = 0] = field;
  if (first < 0x80) return octal(field) ?? refuse("broken");
  if (first !== 0x80) refuse("broken");
  return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
}

function octal(field: Uint8Array): number | null {
  const match = /^ *([0-7]+)[ \0]*$/.exec(nameText(field));
  return match ? Number.parseInt(match[1] ?? "", 8) : null;
}

export interface PaxRecords {
  path: string | null;
  size: number | null;
}

/**
 * The records of an extended header (`length key=value\n`). Those that make links, sparse files or other bytes of what
 * follows are refused; dates and the like pass.
 */
export function readPax(bytes: Uint8Array): PaxRecords {
  const records: PaxRecords = { path: null, size: null };
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? "" : nameText(bytes.subarray(at, Math.min(space, at + 7)));
    const length = /^[1-9]\d{0,5}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space);
    const isWhole = length > 0 && end <= bytes.length && bytes[end - 1] === 0x0a;
    if (!isWhole || equals < 0 || equals >= end) refuse("broken");
    const key = nameText(bytes.subarray(space + 1, equals));
    takeRecord(records, key, nameText(bytes.subarray(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

function takeRecord(records: PaxRecords, key: string, value: string): void {
  if (key === "linkpath") refuse("link");
  if (key.startsWith("GNU.sparse") || key === "hdrcharset" || key === "charset") refuse("method");
  if (key === "path") {
    if (records.path !== null) refuse("duplicate");
    records.path = value;
  }
  if (key === "size") {
    if (records.size !== null || !/^\d{1,15}$/.test(value)) refuse("broken");
    records.size = Number(value);
  }
}
