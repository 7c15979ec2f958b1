import { gzipSync } from "node:zlib";
import { concat } from "./zips.ts";

const text = new TextEncoder();
const BLOCK = 512;

/** One record of a test's tar file; what is left out is as an honest tool writes it. */
export interface TarEntry {
  name: string;
  data?: Uint8Array;
  type?: string;
  link?: string;
  /** What the header says instead of the truth. */
  size?: number | Uint8Array;
  prefix?: string;
  magic?: string;
  checksum?: number;
}

export interface TarOptions {
  /** Behind the last record; two blocks of zeros. */
  end?: Uint8Array;
}

/** A tar file, built field by field. */
export function tarOf(entries: TarEntry[], { end }: TarOptions = {}): Uint8Array<ArrayBuffer> {
  return concat(...entries.map(recordOf), end ?? new Uint8Array(2 * BLOCK));
}

export const tgzOf = (entries: TarEntry[], options: TarOptions = {}): Uint8Array<ArrayBuffer> =>
  new Uint8Array(gzipSync(tarOf(entries, options)));

function recordOf(entry: TarEntry): Uint8Array {
  const { data = new Uint8Array(0) } = entry;
  const padding = new Uint8Array((BLOCK - (data.length % BLOCK)) % BLOCK);
  return concat(headerOf(entry, data.length), data, padding);
}

function headerOf(entry: TarEntry, length: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, value: string | Uint8Array) =>
    block.set(typeof value === "string" ? text.encode(value) : value, at);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  put(0, text.encode(entry.name).subarray(0, 100));
  put(100, octal(0o644, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  const { size = length } = entry;
  put(124, typeof size === "number" ? octal(size, 12) : size);
  put(136, octal(1_700_000_000, 12));
  put(156, entry.type ?? "0");
  put(157, entry.link ?? "");
  put(257, entry.magic ?? "ustar\x0000");
  put(345, entry.prefix ?? "");
  put(148, "        ");
  const sum = entry.checksum ?? block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 7)} `);
  return block;
}

/** A pax record, with its own length in front. */
export function pax(key: string, value: string): Uint8Array {
  const rest = text.encode(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return text.encode(`${length} ${key}=${value}\n`);
}
