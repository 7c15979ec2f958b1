import { constants, type Stats } from "node:fs";
import { chmod, lstat, mkdir, readdir, rename, statfs } from "node:fs/promises";
import type { FileEntry } from "../../shared/agent-protocol/files.ts";
import { CommandError } from "../command-error.ts";
import { asCommandError, openBelow, type Place, withEntry, withPlace } from "../paths.ts";
import { runProgram } from "../programs.ts";

/** An answer stays well below the longest frame. */
const MOST_ENTRIES = 2_000;
const MOST_NAMES_BYTES = 150_000;
const REMOVAL_MS = 5 * 60_000;

/** A page of a folder, in the order of the names. */
export async function listFolder(
  root: string,
  { path, after }: { path: string; after: string },
): Promise<{ entries: FileEntry[]; complete: boolean }> {
  return await withPlace(root, path, async (place) => {
    const names = (await readdir(place.path)).filter((name) => name > after).sort();
    const entries: FileEntry[] = [];
    let bytes = 0;
    for (const name of names) {
      bytes += Buffer.byteLength(JSON.stringify(name));
      if (entries.length === MOST_ENTRIES || bytes > MOST_NAMES_BYTES) break;
      const found = await statOrNull(place, name);
      if (found) entries.push({ name, kind: kindOf(found), size: found.isFile() ? found.size : 0 });
    }
    const last = names.at(-1);
    return { entries, complete: last === undefined || entries.at(-1)?.name === last };
  });
}

function kindOf(found: Stats): FileEntry["kind"] {
  if (found.isFile()) return "file";
  return found.isDirectory() ? "directory" : "other";
}

async function statOrNull(place: Place, name: string): Promise<Stats | null> {
  try {
    return await lstat(place.at(name));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw asCommandError(error);
  }
}

const codeOf = (error: unknown) =>
  error instanceof Error && "code" in error ? String(error.code) : "";

export async function makeFolder(
  root: string,
  { path }: { path: string },
): Promise<{ made: boolean }> {
  return await withEntry(root, path, async (place, name) => {
    try {
      await mkdir(place.at(name), 0o755);
      return { made: true };
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw asCommandError(error);
      await (await place.folder(name)).close();
      return { made: false };
    }
  });
}

export async function moveEntry(
  root: string,
  { from, to }: { from: string; to: string },
): Promise<Record<never, never>> {
  await withEntry(root, from, async (source, oldName) => {
    await withEntry(root, to, async (target, newName) => {
      const [there, taken] = [await statOrNull(source, oldName), await statOrNull(target, newName)];
      if (!there && taken) return;
      if (!there) throw new CommandError("not_found", "there is no such file or folder");
      if (taken) throw new CommandError("exists", "that name is taken");
      try {
        await rename(source.at(oldName), target.at(newName));
      } catch (error) {
        if (codeOf(error) !== "EINVAL") throw asCommandError(error);
        throw new CommandError("invalid", "a folder cannot be moved into itself");
      }
    });
  });
  return {};
}

export async function removeEntry(
  root: string,
  { path, kind }: { path: string; kind: "file" | "directory" },
): Promise<{ removed: boolean }> {
  const entry = withEntry(root, path, async (place, name) => {
    const found = await statOrNull(place, name);
    if (!found) return { removed: false };
    if (found.isDirectory() !== (kind === "directory")) {
      throw new CommandError("invalid", `that is not a ${kind === "file" ? "file" : "folder"}`);
    }
    await removeTree(place, name);
    return { removed: true };
  });
  return await entry.catch((error: unknown) => {
    if (error instanceof CommandError && error.code === "not_found") return { removed: false };
    throw error;
  });
}

/** GNU rm walks by opened folders, follows no link, and knows no depth that is too deep. */
export async function removeTree(place: Place, name: string): Promise<void> {
  const args = ["-rf", "--one-file-system", "--", `./${name}`];
  place.at(name);
  const { code } = await runProgram("rm", args, { cwd: place.path, timeoutMs: REMOVAL_MS });
  if (code !== 0) throw new CommandError("conflict", "the site's user may not remove all of that");
}

/** Not in Node's list: opens what may be neither read nor written, only to look at it and to change its mode. */
const O_PATH = 0o10000000;
const DEEPEST = 100;
const EXECUTE = 0o111;

/** Sets modes down a tree. Links are left alone; what is no folder is not made executable by a folder's mode. */
export async function setMode(
  root: string,
  { path, mode }: { path: string; mode: string },
): Promise<Record<never, never>> {
  const bits = Number.parseInt(mode, 8);
  if (path === "") {
    // The root's own mode is the wall around the site.
    const place = await openBelow(root, "");
    await setModes(place, bits, 0);
    return {};
  }
  await withEntry(root, path, (place, name) => setModeOf(place, name, bits, 0));
  return {};
}

async function setModeOf(place: Place, name: string, bits: number, depth: number): Promise<void> {
  if (depth > DEEPEST) throw new CommandError("invalid", "the folders are nested too deep");
  const entry = await place.open(name, O_PATH);
  try {
    const found = await entry.stat();
    if (!found.isDirectory() && !found.isFile()) return;
    const wanted = found.isDirectory() || depth === 0 ? bits : bits & ~EXECUTE;
    await chmod(`/proc/self/fd/${entry.fd}`, wanted);
    if (!found.isDirectory()) return;
  } catch (error) {
    throw asCommandError(error);
  } finally {
    await entry.close();
  }
  await setModes(await place.folder(name), bits, depth);
}

/** Of all that is in an opened folder, which is closed. */
async function setModes(place: Place, bits: number, depth: number): Promise<void> {
  try {
    for (const name of await readdir(place.path)) await setModeOf(place, name, bits, depth + 1);
  } finally {
    await place.close();
  }
}

export async function space(root: string): Promise<{ freeBytes: number; freeFiles: number }> {
  const { bavail, bsize, ffree } = await statfs(root);
  return { freeBytes: bavail * bsize, freeFiles: ffree };
}

export const READ = constants.O_RDONLY | constants.O_NONBLOCK;
