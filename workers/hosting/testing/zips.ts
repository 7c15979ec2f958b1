import { crc32, deflateRawSync } from "node:zlib";

const text = new TextEncoder();

/** One entry of a test's ZIP file; what is left out is as an honest tool writes it. */
export interface ZipEntry {
  name: string | Uint8Array;
  data?: Uint8Array;
  method?: number;
  /** Bits beside those that the form needs. */
  flags?: number;
  level?: number;
  /** How the sizes follow the data, if they do not stand before it. */
  descriptor?: "signed" | "plain" | "signed64" | "plain64";
  /** What the local header says instead of the truth. */
  local?: Partial<Stated>;
  /** What the directory says instead of the truth. */
  central?: Partial<Stated & { offset: number }>;
  localExtra?: Uint8Array;
  centralExtra?: Uint8Array;
  attributes?: number;
  /** The entry is not in the directory. */
  isHidden?: boolean;
}

interface Stated {
  name: string | Uint8Array;
  flags: number;
  method: number;
  crc: number;
  compressed: number;
  size: number;
}

export interface ZipOptions {
  comment?: Uint8Array;
  before?: Uint8Array;
  /** Between the entries and the directory. */
  gap?: Uint8Array;
  after?: Uint8Array;
  is64?: boolean;
  /** What the end record says instead of the truth. */
  end?: { entries?: number; size?: number; offset?: number };
}

const FOLDER = 0o40755 * 65_536 + 0x10;
const FILE = 0o100644 * 65_536;

/** Little-endian fields: [width, value]. */
export function fields(...list: [1 | 2 | 4 | 8, number][]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, [width]) => sum + width, 0));
  const data = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of list) {
    if (width === 8) data.setBigUint64(at, BigInt(value), true);
    else if (width === 4) data.setUint32(at, value >>> 0, true);
    else if (width === 2) data.setUint16(at, value, true);
    else data.setUint8(at, value);
    at += width;
  }
  return bytes;
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const bytesOf = (name: string | Uint8Array) =>
  typeof name === "string" ? text.encode(name) : name;

/** A field of a header's extra part. */
export const extra = (id: number, data: Uint8Array) =>
  concat(fields([2, id], [2, data.length]), data);

/** A ZIP file, built field by field: an honest one, or as crooked as it is asked for. */
export function zipOf(entries: ZipEntry[], options: ZipOptions = {}): Uint8Array<ArrayBuffer> {
  const { before = new Uint8Array(0), gap = new Uint8Array(0) } = options;
  const locals: Uint8Array[] = [before];
  const listed: Uint8Array[] = [];
  let at = before.length;
  for (const entry of entries) {
    const { local, central } = packed(entry, at);
    locals.push(local);
    at += local.length;
    if (!entry.isHidden) listed.push(central);
  }
  const directory = concat(...listed);
  const offset = at + gap.length;
  const found = { entries: listed.length, size: directory.length, offset };
  const ends = options.is64 ? [end64(found), shortEnd(found, options)] : [shortEnd(found, options)];
  return concat(...locals, gap, directory, ...ends, options.after ?? new Uint8Array(0));
}

function packed(entry: ZipEntry, offset: number): { local: Uint8Array; central: Uint8Array } {
  const { data = new Uint8Array(0), method = data.length > 0 ? 8 : 0, descriptor } = entry;
  const content = method === 8 ? deflateRawSync(data, { level: entry.level ?? 6 }) : data;
  const flags = (entry.flags ?? 0) | (descriptor ? 8 : 0) | 0x800;
  const real = { crc: crc32(data), compressed: content.length, size: data.length };
  const truth: Stated = { name: entry.name, flags, method, ...real };
  const silent = descriptor ? { crc: 0, compressed: 0, size: 0 } : {};
  const before = { ...truth, ...silent, ...entry.local };
  const localName = bytesOf(before.name);
  const local = concat(
    fields([4, 0x04034b50], [2, 20]),
    stated(before),
    fields([2, localName.length], [2, entry.localExtra?.length ?? 0]),
    localName,
    entry.localExtra ?? new Uint8Array(0),
    content,
    descriptorOf(descriptor, real),
  );
  const after = { ...truth, offset, ...entry.central };
  const centralName = bytesOf(after.name);
  const isFolder = centralName.at(-1) === 0x2f;
  const central = concat(
    fields([4, 0x02014b50], [2, 0x031e], [2, 20]),
    stated(after),
    fields([2, centralName.length], [2, entry.centralExtra?.length ?? 0], [2, 0], [2, 0], [2, 0]),
    fields([4, entry.attributes ?? (isFolder ? FOLDER : FILE)], [4, after.offset]),
    centralName,
    entry.centralExtra ?? new Uint8Array(0),
  );
  return { local, central };
}

const stated = ({ flags, method, crc, compressed, size }: Stated) =>
  fields([2, flags], [2, method], [2, 0], [2, 0x5821], [4, crc], [4, compressed], [4, size]);

function descriptorOf(
  form: ZipEntry["descriptor"],
  { crc, compressed, size }: Pick<Stated, "crc" | "compressed" | "size">,
): Uint8Array {
  if (!form) return new Uint8Array(0);
  const width = form.endsWith("64") ? 8 : 4;
  const signature = form.startsWith("signed") ? fields([4, 0x08074b50]) : new Uint8Array(0);
  return concat(signature, fields([4, crc], [width, compressed], [width, size]));
}

interface Found {
  entries: number;
  size: number;
  offset: number;
}

function shortEnd(found: Found, { end, comment = new Uint8Array(0), is64 }: ZipOptions) {
  const told = is64
    ? { entries: 0xffff, size: 0xffffffff, offset: 0xffffffff }
    : { ...found, ...end };
  return concat(
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, told.entries], [2, told.entries]),
    fields([4, told.size], [4, told.offset], [2, comment.length]),
    comment,
  );
}

function end64({ entries, size, offset }: Found): Uint8Array {
  return concat(
    fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0]),
    fields([8, entries], [8, entries], [8, size], [8, offset]),
    fields([4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]),
  );
}
