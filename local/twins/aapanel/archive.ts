import { promisify } from "node:util";
import { constants, crc32, deflateRawSync, gunzip, inflateRaw } from "node:zlib";
import { Refused } from "./answers.ts";

const inflate = promisify(inflateRaw);
const unpackGzip = promisify(gunzip);

export interface Entry {
  /** Relative, without dots or a leading slash: `..` is dropped, as the panel's tools do. */
  name: string;
  directory: boolean;
  /** Octal digits, null where the archive holds none. */
  access: string | null;
  read(): Promise<Buffer>;
}

/** What one archive may become; a real disk has an end, too. */
export interface Limits {
  entries: number;
  bytes: number;
}

const symlink = 0o120000;
const typeBits = 0o170000;

/** `a/../../b\c` becomes `a/b/c`. */
export function safeName(name: string): string {
  const parts = name.replaceAll("\\", "/").split("/");
  return parts.filter((part) => part !== "" && part !== "." && part !== "..").join("/");
}

function accessOf(mode: number): string | null {
  return mode === 0 ? null : (mode & 0o777).toString(8).padStart(3, "0");
}

/** Where the central directory begins and how many entries it has; null in what is no zip file. */
function directoryOf(zip: Buffer): { offset: number; count: number } | null {
  const first = Math.max(0, zip.length - 65_557);
  for (let at = zip.length - 22; at >= first; at -= 1) {
    if (zip.readUInt32LE(at) !== 0x06054b50) continue;
    return { count: zip.readUInt16LE(at + 10), offset: zip.readUInt32LE(at + 16) };
  }
  return null;
}

interface Header {
  flags: number;
  method: number;
  crc: number;
  size: number;
  fullSize: number;
  mode: number;
  name: string;
  data: number;
  length: number;
}

function headerAt(zip: Buffer, at: number): Header | null {
  if (at + 46 > zip.length || zip.readUInt32LE(at) !== 0x02014b50) return null;
  const name = zip.readUInt16LE(at + 28);
  const local = zip.readUInt32LE(at + 42);
  if (local + 30 > zip.length || zip.readUInt32LE(local) !== 0x04034b50) return null;
  const flags = zip.readUInt16LE(at + 8);
  const unix = zip.readUInt8(at + 5) === 3;
  return {
    flags,
    method: zip.readUInt16LE(at + 10),
    crc: zip.readUInt32LE(at + 16),
    size: zip.readUInt32LE(at + 20),
    fullSize: zip.readUInt32LE(at + 24),
    mode: unix ? zip.readUInt32LE(at + 38) >>> 16 : 0,
    name: zip.toString(flags & 0x800 ? "utf8" : "latin1", at + 46, at + 46 + name),
    data: local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28),
    length: 46 + name + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32),
  };
}

async function contentOf(zip: Buffer, header: Header, limits: Limits): Promise<Buffer> {
  const packed = zip.subarray(header.data, header.data + header.size);
  if (header.method !== 0 && header.method !== 8) throw new Error("unknown compression");
  const maxOutputLength = Math.min(header.fullSize, limits.bytes) || 1;
  const full = header.method === 0 ? packed : await inflate(packed, { maxOutputLength });
  if (full.length !== header.fullSize || crc32(full) !== header.crc) throw new Error("bad CRC");
  return full;
}

/** The entries of a zip file by its central directory; ends early where the file is broken, and follows no link. */
export function* zipEntries(zip: Buffer, limits: Limits): Generator<Entry> {
  const directory = zip.length < 22 ? null : directoryOf(zip);
  if (!directory) return;
  let at = directory.offset;
  for (let index = 0; index < directory.count; index += 1) {
    const header = headerAt(zip, at);
    if (!header) return;
    at += header.length;
    if (header.flags & 1) throw new Refused("The archive is encrypted, a password is needed");
    const name = safeName(header.name);
    if (name === "" || (header.mode & typeBits) === symlink) continue;
    yield {
      name,
      directory: /[/\\]$/.test(header.name),
      access: accessOf(header.mode),
      read: () => contentOf(zip, header, limits),
    };
  }
}

function textAt(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}

/** The `path` of a pax header: lines of `length key=value`. */
function paxPath(text: string): string | null {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1] ?? null;
}

/** The entries of a tar file: ustar, pax paths and GNU's long names; links and devices are left out. */
export function* tarEntries(tar: Buffer): Generator<Entry> {
  let longName: string | null = null;
  for (let at = 0; at + 512 <= tar.length; ) {
    const block = tar.subarray(at, at + 512);
    if (block[0] === 0) return;
    const size = Number.parseInt(textAt(block, 124, 12).trim() || "0", 8);
    if (!Number.isSafeInteger(size) || size < 0) return;
    const data = tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    const type = textAt(block, 156, 1);
    if (type === "x") longName = paxPath(data.toString("utf8")) ?? longName;
    else if (type === "L") longName = textAt(data, 0, data.length);
    if (!["", "0", "5", "7"].includes(type)) continue;
    const prefix = textAt(block, 257, 5) === "ustar" ? textAt(block, 345, 155) : "";
    const given =
      longName ?? (prefix ? `${prefix}/${textAt(block, 0, 100)}` : textAt(block, 0, 100));
    longName = null;
    const name = safeName(given);
    if (name === "") continue;
    const mode = Number.parseInt(textAt(block, 100, 8).trim() || "0", 8);
    const directory = type === "5" || given.endsWith("/");
    yield { name, directory, access: accessOf(mode), read: async () => data };
  }
}

/** Unpacks gzip within the limits, and as far as a broken file goes. */
export async function ungzip(packed: Buffer, limits: Limits): Promise<Buffer> {
  // A tar's headers come on top of what it holds.
  const maxOutputLength = limits.bytes + limits.entries * 1024;
  return await unpackGzip(packed, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH });
}

export interface Packed {
  name: string;
  data: Buffer;
}

/** A zip file of these: what a backup is. */
export function zipOf(files: readonly Packed[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data } of files) {
    const path = Buffer.from(name, "utf8");
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(0x5a21_0000, 6);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, path, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), common, rest, path);
    bodies.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, central, end]);
}
