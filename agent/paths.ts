import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CommandError } from "./command-error.ts";

/**
 * Paths that stay below a root whatever others do to the folders meanwhile. Every part is opened through the folder
 * before it (`/proc/self/fd/<n>/<part>` is openat(2), which Node lacks) and never through a link, so a link that is
 * put in place between a check and its use finds nobody: there is no check, only the opened folder itself.
 */

const MOST_PARTS = 64;
const MOST_PART_BYTES = 255;
const MOST_PATH_BYTES = 4_096;
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** The parts of a clean relative path; "" has none. Throws `invalid` for everything else. */
export function partsOf(path: string): string[] {
  if (path === "") return [];
  const parts = path.split("/");
  const isClean =
    parts.length <= MOST_PARTS && Buffer.byteLength(path) <= MOST_PATH_BYTES && parts.every(isPart);
  if (!isClean) throw new CommandError("invalid", "that is not a path below the root");
  return parts;
}

function isPart(part: string): boolean {
  if (part === "" || part === "." || part === "..") return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return Buffer.byteLength(part) <= MOST_PART_BYTES && !/[\u0000-\u001f\u007f/]/.test(part);
}

/** What an absolute path is below a root; null when it is not below it. Text only: open it with `openBelow`. */
export function relativeTo(root: string, path: string): string | null {
  if (path === root) return "";
  const prefix = root.endsWith("/") ? root : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
}

/** An opened folder. Its name may change or be linked away; the folder that is worked in does not. */
export class Place {
  readonly handle: FileHandle;

  constructor(handle: FileHandle) {
    this.handle = handle;
  }

  /** The path of an entry in this very folder, for calls that do not follow the last part. */
  at(name: string): string {
    if (!isPart(name)) throw new CommandError("invalid", "that is not a name");
    return `/proc/self/fd/${this.handle.fd}/${name}`;
  }

  /** The folder itself, for calls that list it. */
  get path(): string {
    return `/proc/self/fd/${this.handle.fd}`;
  }

  /** Opens an entry, never through a link. */
  async open(name: string, flags: number, mode?: number): Promise<FileHandle> {
    try {
      return await open(this.at(name), flags | constants.O_NOFOLLOW, mode);
    } catch (error) {
      throw asCommandError(error);
    }
  }

  async folder(name: string): Promise<Place> {
    return new Place(await this.open(name, DIRECTORY));
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Opens a folder below a root. The root's own path is the operator's and may hold links. */
export async function openBelow(root: string, path: string): Promise<Place> {
  const parts = partsOf(path);
  let place: Place;
  try {
    place = new Place(await open(root, constants.O_RDONLY | constants.O_DIRECTORY));
  } catch (error) {
    throw asCommandError(error);
  }
  for (const part of parts) {
    const before = place;
    try {
      place = await before.folder(part);
    } finally {
      await before.close();
    }
  }
  return place;
}

/** Works in a folder below a root, which is closed again whatever happens. */
export async function withPlace<T>(
  root: string,
  path: string,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const place = await openBelow(root, path);
  try {
    return await work(place);
  } finally {
    await place.close();
  }
}

/** The folder of an entry and its name there; the root itself is no entry. */
export async function withEntry<T>(
  root: string,
  path: string,
  work: (place: Place, name: string) => Promise<T>,
): Promise<T> {
  const parts = partsOf(path);
  const name = parts.pop();
  if (name === undefined) throw new CommandError("invalid", "the root itself is left as it is");
  return await withPlace(root, parts.join("/"), (place) => work(place, name));
}

const CODES: Record<string, [code: ConstructorParameters<typeof CommandError>[0], words: string]> =
  {
    ENOENT: ["not_found", "there is no such file or folder"],
    ENOTDIR: ["invalid", "a part of the path is not a folder"],
    EISDIR: ["invalid", "that is a folder"],
    ELOOP: ["invalid", "a part of the path is a link"],
    EEXIST: ["exists", "that name is taken"],
    ENOTEMPTY: ["conflict", "the folder is not empty"],
    ENAMETOOLONG: ["invalid", "the name is too long"],
    EACCES: ["conflict", "the site's user may not do that"],
    EPERM: ["conflict", "the site's user may not do that"],
    ENOSPC: ["disk_full", "the disk is full"],
    EDQUOT: ["disk_full", "the disk quota is used up"],
    EFBIG: ["disk_full", "the file is larger than the disk allows"],
    EROFS: ["unavailable", "the disk is read-only"],
  };

/** What a system call's error means to the operator; anything else stays as it is. */
export function asCommandError(error: unknown): unknown {
  if (error instanceof CommandError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  if (!known) return error;
  return new CommandError(known[0], known[1], { cause: error });
}
