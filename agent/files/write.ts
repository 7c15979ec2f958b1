import { createHash } from "node:crypto";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { rename } from "node:fs/promises";
import { CommandError } from "../command-error.ts";
import { asCommandError, type Place, withEntry } from "../paths.ts";

interface Chunk {
  path: string;
  size: number;
  offset: number;
  base64: string;
}

/** An upload that is not whole lies beside its place, under a name of its own. */
const partOf = (name: string, size: number): string =>
  `.nusantara-${createHash("sha256").update(`${name}/${size}`).digest("hex").slice(0, 24)}.part`;

/** Writes one piece of an upload where the file ends, and puts a whole file in its place. */
export async function writeChunk(
  root: string,
  { path, size, offset, base64 }: Chunk,
): Promise<{ at: number; whole: boolean }> {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0 || offset + bytes.length > size) {
    throw new CommandError("invalid", "the piece does not lie in the file");
  }
  return await withEntry(root, path, async (place, name) => {
    const part = partOf(name, size);
    const file = await openOrNull(place, part, constants.O_RDWR);
    if (!file) {
      if (await isEndOf(place, name, { size, offset, bytes })) return { at: size, whole: true };
      if (offset > 0) return { at: 0, whole: false };
    }
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    const handle = file ?? (await place.open(part, flags, 0o644));
    try {
      return await append(place, handle, { name, part, size, offset, bytes });
    } catch (error) {
      throw asCommandError(error);
    } finally {
      await handle.close();
    }
  });
}

async function append(
  place: Place,
  file: FileHandle,
  piece: { name: string; part: string; size: number; offset: number; bytes: Buffer },
): Promise<{ at: number; whole: boolean }> {
  const { name, part, size, offset, bytes } = piece;
  let at = (await file.stat()).size;
  if (at === offset) {
    try {
      await writeAll(file, bytes, at);
    } catch (error) {
      await file.truncate(at);
      throw error;
    }
    at += bytes.length;
  }
  if (at < size) return { at, whole: false };
  if (at > size) throw new CommandError("conflict", "the file has grown past its size");
  await file.sync();
  await rename(place.at(part), place.at(name));
  return { at, whole: true };
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

/** The last piece of a file that is whole already: its answer was lost. */
async function isEndOf(
  place: Place,
  name: string,
  { size, offset, bytes }: { size: number; offset: number; bytes: Buffer },
): Promise<boolean> {
  if (offset + bytes.length !== size) return false;
  const file = await openOrNull(place, name, constants.O_RDONLY | constants.O_NONBLOCK);
  if (!file) return false;
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size !== size) return false;
    const there = Buffer.alloc(bytes.length);
    const { bytesRead } = await file.read(there, 0, bytes.length, offset);
    return bytesRead === bytes.length && there.equals(bytes);
  } finally {
    await file.close();
  }
}

async function openOrNull(place: Place, name: string, flags: number): Promise<FileHandle | null> {
  try {
    return await place.open(name, flags);
  } catch (error) {
    if (error instanceof CommandError && error.code === "not_found") return null;
    throw error;
  }
}
