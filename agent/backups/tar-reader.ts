import { ContentDigest, isZero } from "./content-digest.ts";

/** What is wrong with a tar stream; `reason` is for us, an archive of ours never has it. */
export class TarError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "TarError";
  }
}

export type EntryType = "file" | "directory" | "link" | "hardlink" | "fifo";

export interface TarEntry {
  type: EntryType;
  /** As it stands in the archive, below "./". */
  name: Buffer;
  target: Buffer;
  mode: number;
  mtime: number;
  /** Of the file itself, holes included. */
  size: number;
  /** Of its content (ContentDigest); empty for what has none. */
  content: Buffer;
}

const BLOCK = 512;
const TYPES: Record<string, EntryType> = {
  "0": "file",
  "\0": "file",
  S: "file",
  "5": "directory",
  "2": "link",
  "1": "hardlink",
  "6": "fifo",
};
/** Paths are at most 4 KiB on Linux. */
const LONGEST_NAME = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** A piece of a sparse file that holds data. */
interface Extent {
  offset: number;
  bytes: number;
}

/**
 * Reads a tar stream in GNU format as it passes, and hands out its entries with a digest of their content. Of an entry,
 * only its header is ever held.
 */
export class TarReader {
  readonly #onEntry: (entry: TarEntry) => void;
  readonly #header = Buffer.alloc(BLOCK);
  #filled = 0;
  /** What the bytes that come are. */
  #state: "header" | "name" | "data" | "extents" | "padding" | "end" = "header";
  #left = 0;
  #padding = 0;
  #longName: Buffer | null = null;
  #longTarget: Buffer | null = null;
  #longKind = "";
  #long: Buffer[] = [];
  #entry: Omit<TarEntry, "content"> | null = null;
  #extents: Extent[] = [];
  #extentAt = 0;
  #extentDone = 0;
  #stored = 0;
  #zeroBlocks = 0;
  #digest = new ContentDigest();

  constructor(onEntry: (entry: TarEntry) => void) {
    this.#onEntry = onEntry;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case "end":
          // Tar fills its last record with zeros.
          return;
        case "header":
        case "extents":
          at = this.#fill(chunk, at);
          break;
        case "name":
        case "data":
          at = this.#take(chunk, at);
          break;
        case "padding": {
          const skipped = Math.min(this.#padding, chunk.length - at);
          this.#padding -= skipped;
          at += skipped;
          if (this.#padding === 0) this.#state = "header";
          break;
        }
        default:
          this.#state satisfies never;
      }
    }
  }

  /** Says that no more comes; a stream that just stops is not whole. */
  end(): void {
    if (this.#state !== "end") throw new TarError("truncated");
  }

  #fill(chunk: Buffer, at: number): number {
    const taken = Math.min(BLOCK - this.#filled, chunk.length - at);
    chunk.copy(this.#header, this.#filled, at, at + taken);
    this.#filled += taken;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      if (this.#state === "extents") this.#moreExtents();
      else this.#readHeader();
    }
    return at + taken;
  }

  #take(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#left, chunk.length - at);
    const piece = chunk.subarray(at, at + taken);
    if (this.#state === "name") this.#long.push(Buffer.from(piece));
    else this.#content(piece);
    this.#left -= taken;
    if (this.#left === 0) this.#finish();
    return at + taken;
  }

  /** Data of a sparse file belongs to its extents, one after another. */
  #content(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      const extent = this.#extents[this.#extentAt];
      if (!extent) throw new TarError("more data than extents");
      const taken = Math.min(extent.bytes - this.#extentDone, rest.length);
      this.#digest.update(extent.offset + this.#extentDone, rest.subarray(0, taken));
      this.#extentDone += taken;
      rest = rest.subarray(taken);
      if (this.#extentDone === extent.bytes) {
        this.#extentAt += 1;
        this.#extentDone = 0;
      }
    }
  }

  #readHeader(): void {
    const block = this.#header;
    if (isZero(block)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = "end";
      return;
    }
    if (this.#zeroBlocks > 0) throw new TarError("data behind the end");
    checkSum(block);
    const flag = block.toString("latin1", 156, 157);
    const size = number(block, 124, 12);
    if (flag === "L" || flag === "K") {
      if (size > LONGEST_NAME) throw new TarError("name too long");
      this.#longKind = flag;
      this.#long = [];
      this.#begin("name", size);
      return;
    }
    const type = TYPES[flag];
    if (!type) throw new TarError(`entry of kind ${JSON.stringify(flag)}`);
    this.#beginEntry(type, flag === "S", size);
  }

  #beginEntry(type: EntryType, isSparse: boolean, size: number): void {
    const block = this.#header;
    const name = this.#longName ?? text(block, 0, 100);
    const target = this.#longTarget ?? text(block, 157, 100);
    this.#longName = null;
    this.#longTarget = null;
    this.#entry = {
      ...{ type, name, target, mode: number(block, 100, 8), mtime: number(block, 136, 12) },
      size: type === "file" ? (isSparse ? number(block, 483, 12) : size) : 0,
    };
    checkNames(this.#entry);
    this.#extentAt = 0;
    this.#extentDone = 0;
    this.#digest = new ContentDigest();
    const stored = type === "file" ? size : 0;
    if (!isSparse) {
      this.#extents = stored > 0 ? [{ offset: 0, bytes: stored }] : [];
      this.#begin("data", stored);
      return;
    }
    this.#extents = [];
    this.#stored = stored;
    this.#readExtents(386, 4);
    if (block[482]) this.#state = "extents";
    else this.#begin("data", stored);
  }

  #moreExtents(): void {
    this.#readExtents(0, 21);
    if (!this.#header[504]) this.#begin("data", this.#stored);
  }

  #readExtents(from: number, most: number): void {
    for (let i = 0; i < most; i += 1) {
      const at = from + i * 24;
      if (this.#header[at] === 0) return;
      const extent = {
        offset: number(this.#header, at, 12),
        bytes: number(this.#header, at + 12, 12),
      };
      if (extent.bytes > 0) this.#extents.push(extent);
    }
  }

  #begin(state: "name" | "data", bytes: number): void {
    this.#state = state;
    this.#left = bytes;
    this.#padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
    if (bytes === 0) this.#finish();
  }

  #finish(): void {
    if (this.#state === "name") {
      const long = cut(Buffer.concat(this.#long));
      if (this.#longKind === "L") this.#longName = long;
      else this.#longTarget = long;
    } else if (this.#entry) {
      const { size, type } = this.#entry;
      const content = type === "file" ? this.#digest.end(size) : NOTHING;
      this.#onEntry({ ...this.#entry, content });
      this.#entry = null;
    }
    this.#state = this.#padding > 0 ? "padding" : "header";
  }
}

/** An entry that would be written, or lead, outside is not ours. A link may point anywhere: it is only a text. */
function checkNames({ type, name, target }: Pick<TarEntry, "type" | "name" | "target">): void {
  if (!isInside(name)) throw new TarError("a name that leads outside");
  if (type === "hardlink" && !isInside(target))
    throw new TarError("a hard link that leads outside");
}

function isInside(path: Buffer): boolean {
  if (path.length === 0 || path[0] === 0x2f) return false;
  return !path.toString("latin1").split("/").includes("..");
}

function text(block: Buffer, at: number, bytes: number): Buffer {
  return Buffer.from(cut(block.subarray(at, at + bytes)));
}

function cut(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Octal text, or, where that is too short, 0x80 and a big-endian number (negative times stay what they are). */
function number(block: Buffer, at: number, bytes: number): number {
  const first = block[at] ?? 0;
  if (first === 0x80 || first === 0xff) {
    const value = BigInt.asIntN(64, block.readBigUInt64BE(at + bytes - 8));
    return Number(value);
  }
  const digits = cut(block.subarray(at, at + bytes))
    .toString("latin1")
    .trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarError("a number that is none");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function checkSum(block: Buffer): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
  if (sum !== number(block, 148, 8)) throw new TarError("a header's checksum");
}
