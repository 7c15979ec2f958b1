import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, readdir, rename } from "node:fs/promises";
import { CommandError } from "../command-error.ts";
import { asCommandError, openBelow, type Place, partsOf, withEntry } from "../paths.ts";
import { READ, removeTree } from "./entries.ts";
import { readTarGz } from "./tar-gz.ts";
import type { Unpacker } from "./unpacker.ts";
import { readZip } from "./zip.ts";

/** What a site may be made of. The hosting domain checks archives before, and more strictly. */
const MOST_FILES = 100_000;
const MOST_BYTES = 8 * 1024 ** 3;

/** What is being replaced, beside what takes its place. */
const KEPT = ".nusantara-kept";

const broken = (cause: unknown) =>
  new CommandError("invalid", "the archive cannot be read to its end", { cause });

/** Unpacks beside its place first; only a whole archive is moved in. */
export async function extractArchive(
  root: string,
  { archive, into }: { archive: string; into: string },
): Promise<{ files: number; bytes: number }> {
  const read = archive.endsWith(".zip") ? readZip : readTarGz;
  if (!/\.(zip|tar\.gz|tgz)$/.test(archive)) {
    throw new CommandError("invalid", "only .zip and .tar.gz are unpacked");
  }
  const file = await withEntry(root, archive, (place, name) => place.open(name, READ));
  const target = await openBelow(root, into).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  const draft = `.nusantara-${createHash("sha256").update(archive).digest("hex").slice(0, 24)}.unpack`;
  try {
    await removeTree(target, draft);
    await mkdir(target.at(draft), 0o700);
    const counted = await unpack(target, draft, (unpacker) => read(file, unpacker));
    await withFolders(target, draft, refuseClashes);
    await withFolders(target, draft, async (from, to) => void (await merge(from, to)));
    await removeTree(target, draft);
    return counted;
  } catch (error) {
    await removeTree(target, draft).catch(() => undefined);
    throw asCommandError(error);
  } finally {
    await file.close();
    await target.close();
  }
}

async function unpack(
  target: Place,
  draft: string,
  read: (unpacker: Unpacker) => Promise<void>,
): Promise<{ files: number; bytes: number }> {
  const base = await target.folder(draft);
  const writer = new Writer(base);
  try {
    await read(writer);
    await writer.end();
    return { files: writer.files, bytes: writer.written };
  } catch (error) {
    const known = asCommandError(error);
    throw known instanceof CommandError ? known : broken(error);
  } finally {
    await writer.end().catch(() => undefined);
    await base.close();
  }
}

/** Writes entries below an opened folder: plain names, plain files and folders, never through a link. */
class Writer implements Unpacker {
  readonly #base: Place;
  #open: FileHandle | null = null;
  files = 0;
  written = 0;
  #entries = 0;

  constructor(base: Place) {
    this.#base = base;
  }

  async folder(name: string): Promise<void> {
    await this.#next();
    await (await this.#folders(cleanParts(name))).close();
  }

  async file(name: string): Promise<void> {
    await this.#next();
    const parts = cleanParts(name);
    const last = parts.pop();
    if (last === undefined) throw new CommandError("invalid", "a file of the archive has no name");
    const place = await this.#folders(parts);
    try {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
      this.#open = await place.open(last, flags, 0o644);
      this.files += 1;
    } finally {
      await place.close();
    }
  }

  async bytes(piece: Uint8Array): Promise<void> {
    if (!this.#open) throw new CommandError("invalid", "the archive holds bytes of no file");
    this.written += piece.length;
    if (this.written > MOST_BYTES) throw tooMuch();
    for (let at = 0; at < piece.length; ) {
      at += (await this.#open.write(piece, at, piece.length - at)).bytesWritten;
    }
  }

  async end(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.close();
  }

  async #next(): Promise<void> {
    await this.end();
    this.#entries += 1;
    if (this.#entries > MOST_FILES) throw tooMuch();
  }

  /** Made as they are needed; the last one, opened. */
  async #folders(parts: string[]): Promise<Place> {
    let place = await copyOf(this.#base);
    for (const part of parts) {
      const before = place;
      try {
        await mkdir(before.at(part), 0o755).catch((error: unknown) => {
          if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
        });
        place = await before.folder(part);
      } finally {
        await before.close();
      }
    }
    return place;
  }
}

/** The same folder opened once more, so that each walk may close what it walked through. */
const copyOf = async (place: Place): Promise<Place> => await openBelow(place.path, "");

const tooMuch = () => new CommandError("invalid", "the archive holds more than a site may");

const cleanParts = (name: string): string[] =>
  partsOf(
    name
      .replace(/^(?:\.\/)+/, "")
      .replace(/\/+$/, "")
      .replace(/^\.$/, ""),
  );

type Pair = (from: Place, to: Place) => Promise<void>;

async function withFolders(target: Place, draft: string, work: Pair): Promise<void> {
  const from = await target.folder(draft);
  try {
    await work(from, target);
  } finally {
    await from.close();
  }
}

async function inBoth(from: Place, to: Place, name: string, work: Pair): Promise<void> {
  const inner = await from.folder(name);
  const outer = await to.folder(name).catch(async (error: unknown) => {
    await inner.close();
    throw error;
  });
  try {
    await work(inner, outer);
  } finally {
    await inner.close();
    await outer.close();
  }
}

/** Before anything is moved: a folder does not replace a file, nor a file a folder or a link. */
async function refuseClashes(from: Place, to: Place): Promise<void> {
  for (const name of await readdir(from.path)) {
    if (name === KEPT) throw new CommandError("invalid", "the archive has a name of the agent's");
    const taken = await lstat(to.at(name)).catch(() => null);
    if (!taken) continue;
    const isFolder = (await lstat(from.at(name))).isDirectory();
    if (isFolder !== taken.isDirectory() || (!isFolder && !taken.isFile())) {
      throw new CommandError(
        "conflict",
        "the archive has a file where a folder is, or the reverse",
      );
    }
    if (isFolder) await inBoth(from, to, name, refuseClashes);
  }
}

/** Moves everything in, or nothing. What was replaced lies in the draft then; what comes back undoes it. */
async function merge(from: Place, to: Place): Promise<Pair> {
  const undos: Pair[] = [];
  const undo: Pair = async (source, target) => {
    for (const step of undos.reverse()) await step(source, target);
  };
  try {
    for (const name of await readdir(from.path)) undos.push(await mergeEntry(from, to, name));
    return undo;
  } catch (error) {
    await undo(from, to);
    throw error;
  }
}

async function mergeEntry(from: Place, to: Place, name: string): Promise<Pair> {
  const isFolder = (await lstat(from.at(name))).isDirectory();
  const taken = await lstat(to.at(name)).catch(() => null);
  if (!taken) {
    await rename(from.at(name), to.at(name));
    return (source, target) => rename(target.at(name), source.at(name));
  }
  if (isFolder) {
    let undo: Pair = async () => undefined;
    await inBoth(from, to, name, async (inner, outer) => {
      undo = await merge(inner, outer);
    });
    return (source, target) => inBoth(source, target, name, undo);
  }
  await replace(from, to, name);
  return (source, target) => rename(source.at(name), target.at(name));
}

/** A second name keeps the old file, so that there is no moment without either. Who may not link it moves it away. */
async function replace(from: Place, to: Place, name: string): Promise<void> {
  const [old, kept] = [to.at(name), from.at(KEPT)];
  await link(old, kept).catch(() => rename(old, kept));
  try {
    await rename(from.at(name), old);
    await rename(kept, from.at(name));
  } catch (error) {
    await rename(kept, old);
    throw error;
  }
}
