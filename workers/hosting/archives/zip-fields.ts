/** The fixed parts of a ZIP file (PKWARE APPNOTE 6.3.10), read and judged. */
import { refuse } from "./refusal.ts";

export const LOCAL = 0x04034b50;
export const CENTRAL = 0x02014b50;
export const DESCRIPTOR = 0x08074b50;
export const END_64 = 0x06064b50;
export const LOCATOR_64 = 0x07064b50;
export const END = 0x06054b50;
/** Stands where a directory is encrypted. */
export const ARCHIVE_EXTRA = 0x08064b50;

export const STORED = 0;
export const DEFLATED = 8;
const AES = 99;

export const NOT_HERE = 0xffffffff;
const NOT_HERE_16 = 0xffff;

const FLAG_ENCRYPTED = 0x0001;
const FLAG_DESCRIPTOR = 0x0008;
const FLAG_PATCH = 0x0020;
const FLAG_STRONG = 0x0040;
const FLAG_UTF8 = 0x0800;
const FLAG_MASKED = 0x2000;
/** What the two headers of an entry must agree on; the rest is hints. */
const FLAGS_COMPARED = FLAG_ENCRYPTED | FLAG_DESCRIPTOR | FLAG_UTF8;

const EXTRA_ZIP64 = 0x0001;
const EXTRA_PKWARE_UNIX = 0x000d;
const EXTRA_ASI_UNIX = 0x756e;
const EXTRA_UNICODE_PATH = 0x7075;

export const view = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit number; what no safe integer holds is as wrong as any other huge number here. */
export const uint64 = (data: DataView, at: number) => Number(data.getBigUint64(at, true));

/** What both headers of an entry say. */
export interface Stated {
  flags: number;
  method: number;
  crc: number;
  compressed: number;
  size: number;
  nameLength: number;
  extraLength: number;
}

/** The part that local and central header share; `at` is where the flags stand. */
export function readStated(data: DataView, at: number): Stated {
  return {
    flags: data.getUint16(at, true),
    method: data.getUint16(at + 2, true),
    crc: data.getUint32(at + 8, true),
    compressed: data.getUint32(at + 12, true),
    size: data.getUint32(at + 16, true),
    nameLength: data.getUint16(at + 20, true),
    extraLength: data.getUint16(at + 22, true),
  };
}

export const hasDescriptor = ({ flags }: Stated) => (flags & FLAG_DESCRIPTOR) !== 0;
export const comparedFlags = ({ flags }: Stated) => flags & FLAGS_COMPARED;

export function checkReadable({ flags, method }: Stated): void {
  if (flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED) || method === AES) refuse("encrypted");
  if (flags & FLAG_PATCH || (method !== STORED && method !== DEFLATED)) refuse("method");
}

/** The extra fields of a header: each at most once, none that makes a link or another name unseen. */
export class Extras {
  readonly #fields = new Map<number, Uint8Array>();

  constructor(bytes: Uint8Array) {
    const data = view(bytes);
    let at = 0;
    while (at + 4 <= bytes.length) {
      const id = data.getUint16(at, true);
      const end = at + 4 + data.getUint16(at + 2, true);
      if (end > bytes.length || this.#fields.has(id)) refuse("broken");
      this.#fields.set(id, bytes.slice(at + 4, end));
      at = end;
    }
    // Some tools pad with up to three zeros; anything longer is a field.
    if (bytes.subarray(at).some((byte) => byte !== 0)) refuse("broken");
    this.#checkLinks();
  }

  /** Two old fields carry the target of a link behind their fixed part. */
  #checkLinks(): void {
    const pkware = this.#fields.get(EXTRA_PKWARE_UNIX);
    if (pkware && pkware.length > 12) refuse("link");
    const asi = this.#fields.get(EXTRA_ASI_UNIX);
    if (!asi) return;
    if (asi.length < 14) refuse("broken");
    if (!isPlainMode(view(asi).getUint16(4, true)) || asi.length > 14) refuse("link");
  }

  /** The name in UTF-8 by which some tools go instead of the header's own. */
  unicodeName(): Uint8Array | null {
    const field = this.#fields.get(EXTRA_UNICODE_PATH);
    if (!field) return null;
    if (field.length < 6) refuse("broken");
    return field.subarray(5);
  }

  /** Fills in what stands here because it does not fit there; `offset` only in a central header. */
  widen(stated: Stated, offset: number | null): { stated: Stated; offset: number | null } {
    const field = this.#fields.get(EXTRA_ZIP64);
    if (!field) return { stated, offset };
    const data = view(field);
    let at = 0;
    const next = (narrow: number) => {
      if (narrow !== NOT_HERE) return narrow;
      if (at + 8 > field.length) refuse("broken");
      at += 8;
      return uint64(data, at - 8);
    };
    const size = next(stated.size);
    const compressed = next(stated.compressed);
    return {
      stated: { ...stated, size, compressed },
      offset: offset === null ? null : next(offset),
    };
  }
}

const TYPE_MASK = 0xf000;
const FOLDER_TYPE = 0x4000;
const FILE_TYPE = 0x8000;

const isPlainMode = (mode: number) => [0, FOLDER_TYPE, FILE_TYPE].includes(mode & TYPE_MASK);

/** A regular file or a folder, whatever system claims to have made it: extractors do not look at that alike. */
export function checkAttributes(attributes: number, isFolder: boolean): void {
  const type = (attributes >>> 16) & TYPE_MASK;
  if (!isPlainMode(type)) refuse("link");
  const saysFolder = type === FOLDER_TYPE || (attributes & 0x10) !== 0;
  if (isFolder ? type === FILE_TYPE : saysFolder) refuse("mismatch");
}

/** The end of a directory: how many entries, and where. */
export interface DirectoryEnd {
  entries: number;
  size: number;
  offset: number;
}

/** The record's fields, without its signature; all of it must be of this one file. */
export function readEnd(data: DataView): DirectoryEnd & { commentLength: number } {
  const disks = [data.getUint16(0, true), data.getUint16(2, true)];
  const [here, all] = [data.getUint16(4, true), data.getUint16(6, true)];
  if (disks.some((disk) => disk !== 0 && disk !== NOT_HERE_16) || here !== all) refuse("broken");
  return {
    entries: all,
    size: data.getUint32(8, true),
    offset: data.getUint32(12, true),
    commentLength: data.getUint16(16, true),
  };
}

/** True if the short record says the same as what was seen, or that another record says it. */
export function endAgrees(end: DirectoryEnd, seen: DirectoryEnd, is64: boolean): boolean {
  const agrees = (stated: number, real: number, notHere: number) =>
    stated === real || (is64 && stated === notHere);
  return (
    agrees(end.entries, seen.entries, NOT_HERE_16) &&
    agrees(end.size, seen.size, NOT_HERE) &&
    agrees(end.offset, seen.offset, NOT_HERE)
  );
}
