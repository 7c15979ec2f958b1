import { lstat, mkdir, readdir, realpath, stat } from "node:fs/promises";
import { dirname, join, posix, sep } from "node:path";
import { Refused } from "./answers.ts";

export interface Mode {
  /** Octal digits, `755`. */
  access: string;
  owner: string;
}

export const wwwroot = "/www/wwwroot";
export const backupRoot = "/www/backup";
/** Nothing outside of these is written. */
const writable = [wwwroot, backupRoot, "/tmp"];

/**
 * The server's disk: a scratch folder in which `/www/wwwroot/…` lies. No path leads out of it, neither by dots nor
 * through a link. Modes and owners are kept beside the files, so that nothing here locks its own user out.
 */
export class Area {
  readonly root: string;
  private readonly modes = new Map<string, Mode>();

  constructor(root: string) {
    this.root = root;
  }

  async open(): Promise<void> {
    for (const folder of writable) await mkdir(join(this.root, folder), { recursive: true });
  }

  /** The plain absolute form of a path; refuses what the panel calls unsafe. */
  plain(path: string): string {
    if (path.includes("./") || path.includes("\0")) throw new Refused("Unsafe path");
    if (!path.startsWith("/")) throw new Refused("Unsafe path");
    const plain = posix.normalize(path);
    return plain.length > 1 && plain.endsWith("/") ? plain.slice(0, -1) : plain;
  }

  /** As `plain`, for something to be written: below one of the writable folders, and no `.user.ini`. */
  target(path: string): string {
    const plain = this.plain(path);
    if (!writable.some((folder) => plain.startsWith(`${folder}/`))) {
      throw new Refused("System directories cannot be changed");
    }
    if (posix.basename(plain) === ".user.ini") throw new Refused("Operation not permitted");
    return plain;
  }

  /** Where a plain path lies on this machine; refuses one that a link would lead out of the area. */
  async real(plain: string): Promise<string> {
    const wanted = join(this.root, plain);
    const root = await realpath(this.root);
    for (let near = wanted; ; near = dirname(near)) {
      const found = await realpath(near).catch(() => null);
      const dangling = found === null && (await lstat(near).catch(() => null)) !== null;
      if (dangling) throw new Refused("Unsafe path");
      if (found === null) continue;
      if (found !== root && !found.startsWith(root + sep)) throw new Refused("Unsafe path");
      return wanted;
    }
  }

  saved(): [path: string, mode: Mode][] {
    return [...this.modes];
  }

  load(saved: unknown): void {
    // Written by `saved`, in this form.
    for (const [path, mode] of (saved ?? []) as [string, Mode][]) this.modes.set(path, mode);
  }

  async kind(plain: string): Promise<"file" | "directory" | null> {
    const found = await stat(await this.real(plain)).catch(() => null);
    if (!found) return null;
    return found.isDirectory() ? "directory" : "file";
  }

  modeOf(plain: string, kind: "file" | "directory"): Mode {
    const known = this.modes.get(plain);
    return known ?? { access: kind === "directory" ? "755" : "644", owner: "root" };
  }

  setMode(plain: string, mode: Mode): void {
    this.modes.set(plain, mode);
  }

  /** Sets mode and owner of all that lies below. */
  async setModes(plain: string, mode: Mode): Promise<void> {
    this.setMode(plain, mode);
    if ((await this.kind(plain)) !== "directory") return;
    const entries = await readdir(await this.real(plain), { recursive: true });
    for (const entry of entries) {
      const path = posix.join(plain, entry.replaceAll(sep, "/"));
      if (posix.basename(path) !== ".user.ini") this.setMode(path, mode);
    }
  }

  /** What was known of a path and all below it goes along with a move, or away with a deletion. */
  moveModes(from: string, to: string | null): void {
    for (const [path, mode] of [...this.modes]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.modes.delete(path);
      if (to !== null) this.modes.set(to + path.slice(from.length), mode);
    }
  }

  /** Whether the web server's user `www` may read a file: its own bits and each folder's on the way. */
  mayServe(plain: string, kind: "file" | "directory"): boolean {
    if (!permits(this.modeOf(plain, kind), kind === "file" ? 4 : 1)) return false;
    const above = posix.dirname(plain);
    return above === "/" || this.mayServe(above, "directory");
  }
}

function permits({ access, owner }: Mode, bit: number): boolean {
  const digits = access.slice(-3);
  const digit = Number(owner === "www" ? digits[0] : digits[2]);
  return (digit & bit) === bit;
}
