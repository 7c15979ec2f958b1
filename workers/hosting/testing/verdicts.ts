import { ArchiveCheck, ArchiveRefusal } from "../archives/archive.ts";
import { LIMITS, type Limits } from "../archives/meter.ts";
import { type TarEntry, tgzOf } from "./tars.ts";
import { type ZipEntry, type ZipOptions, zipOf } from "./zips.ts";

const text = new TextEncoder();

/** What is honest about an archive that is otherwise not. */
export const page = { name: "index.html", data: text.encode("<h1>Halo</h1>") };

/** "taken", or why the archive is refused. */
export function verdict(archive: Uint8Array, limits: Partial<Limits> = {}): string {
  const check = new ArchiveCheck({ ...LIMITS, ...limits });
  try {
    for (let at = 0; at < archive.length; at += 4_096) check.push(archive.slice(at, at + 4_096));
    check.end();
    return "taken";
  } catch (error) {
    if (error instanceof ArchiveRefusal) return error.reason;
    throw error;
  }
}

export const zipVerdict = (entry: Partial<ZipEntry>, options?: ZipOptions) =>
  verdict(zipOf([page, { name: "lain.txt", data: text.encode("lain"), ...entry }], options));
export const tarVerdict = (...entries: TarEntry[]) => verdict(tgzOf([page, ...entries]));
