import type { Limits } from "./meter.ts";
import { refuse } from "./refusal.ts";

export type EntryKind = "file" | "folder";

export interface Entry {
  /** Clean: relative, no "." or "..", no slash at the end; "" is the top itself. */
  path: string;
  kind: EntryKind;
}

/** What lies at the top of an archive. */
export interface TopEntry {
  name: string;
  kind: EntryKind;
  /** Null for a folder. */
  size: number | null;
}

const KEPT_TOP = 100;
const DRIVE = /^[A-Za-z]:/;
/** Packed files that people mistake for their site; what office files and apps are packed in stays allowed. */
const ARCHIVE_NAME = /\.(zip|tar|tgz|taz|tbz2?|txz|tzst|rar|7z|tar\.[a-z0-9]{1,4})$/i;
const PACKED_ANYWAY =
  /\.(docx|xlsx|pptx|odt|ods|odp|odg|epub|jar|apk|aab|ipa|xpi|crx|kmz|usdz|3mf|gz|svgz|wasm|woff2?|sb3)$/i;
/** ZIP (also empty and spanned), RAR, 7-Zip, gzip, xz, bzip2. */
const ARCHIVE_STARTS = [
  [0x50, 0x4b, 0x03, 0x04],
  [0x50, 0x4b, 0x05, 0x06],
  [0x50, 0x4b, 0x07, 0x08],
  [0x52, 0x61, 0x72, 0x21],
  [0x37, 0x7a, 0xbc, 0xaf],
  [0x1f, 0x8b, 0x08],
  [0xfd, 0x37, 0x7a, 0x58],
  [0x42, 0x5a, 0x68],
];
export const SNIFFED_BYTES = 4;

/**
 * Refuses an archive in an archive, by its name and by its first bytes. Nothing here or on the server ever unpacks an
 * inner one; it is refused because it is either a mistake (the site would not show) or a way around these checks.
 */
export function checkNotNested(path: string, start: Uint8Array): void {
  if (ARCHIVE_NAME.test(path)) refuse("nested");
  if (PACKED_ANYWAY.test(path)) return;
  for (const magic of ARCHIVE_STARTS) {
    if (magic.every((byte, at) => start[at] === byte)) refuse("nested");
  }
}

/** Letters of an unknown code page: kept apart from all real ones, so that no two names become one. */
const UNKNOWN_LETTERS = 0xf700;

/** Bytes of a name as text: UTF-8, or where they are not, letter by letter (old tools write their own code page). */
export function nameText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const letter = (byte: number) =>
      String.fromCharCode(byte < 0x80 ? byte : UNKNOWN_LETTERS + byte);
    return Array.from(bytes, letter).join("");
  }
}

/** A name as an archive gives it, made clean, or refused. A folder's name ends in "/". */
export function cleanEntry(name: string, limits: Limits): Entry {
  if (hasControl(name)) refuse("bad_name");
  if (name.startsWith("/") || name.includes("\\") || DRIVE.test(name)) refuse("unsafe_name");
  const kind = name.endsWith("/") || name === "." ? "folder" : "file";
  const bare = kind === "folder" && name !== "." ? name.slice(0, -1) : name;
  const path = bare === "." ? "" : bare.replace(/^\.\//, "");
  if (path === "" && kind === "folder") return { path, kind };
  const segments = path.split("/");
  if (segments.includes("..")) refuse("unsafe_name");
  if (segments.some((segment) => segment === "" || segment === ".")) refuse("bad_name");
  if (segments.length > limits.depth || byteLength(path) > limits.pathBytes) refuse("bad_name");
  if (segments.some((segment) => byteLength(segment) > limits.segmentBytes)) refuse("bad_name");
  return { path, kind };
}

/** C0, DEL and C1. */
function hasControl(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at);
    // A BOM inside a name is as unseen as the others.
    if (code < 0x20 || code === 0xfeff || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

const byteLength = (text: string) => new TextEncoder().encode(text).length;

/** All names of one archive: no double, no file where a folder is, and not more than may be kept. */
export class NameBook {
  readonly #limits: Limits;
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  #bytes = 0;
  readonly top = new Map<string, TopEntry>();
  files = 0;
  /** Of all files together. */
  fileBytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  add({ path, kind }: Entry, size: number): void {
    if (path === "") return;
    const wasFolder = this.#folders.has(path);
    if (this.#files.has(path) || (kind === "file" && wasFolder)) refuse("duplicate");
    if (kind === "file") {
      this.files += 1;
      this.fileBytes += size;
      this.#keep(this.#files, path);
    } else if (!wasFolder) this.#keep(this.#folders, path);
    this.#addParents(path);
    this.#addTop(path, kind, size);
  }

  #keep(names: Set<string>, path: string): void {
    this.#bytes += 2 * path.length;
    if (this.#bytes > 2 * this.#limits.nameBytes) refuse("too_many");
    names.add(path);
  }

  #addParents(path: string): void {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      const parent = path.slice(0, at);
      // Who is known brought its own parents along.
      if (this.#folders.has(parent)) return;
      if (this.#files.has(parent)) refuse("duplicate");
      this.#keep(this.#folders, parent);
    }
  }

  #addTop(path: string, kind: EntryKind, size: number): void {
    const [name = ""] = path.split("/", 1);
    if (this.top.has(name) || this.top.size >= KEPT_TOP) return;
    const isFile = kind === "file" && name === path;
    this.top.set(name, { name, kind: isFile ? "file" : "folder", size: isFile ? size : null });
  }
}
