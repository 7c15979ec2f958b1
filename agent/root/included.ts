import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CommandError } from "../command-error.ts";

/**
 * A configuration as it would be with one folder of it changed, for a test before anything is changed: the main file is
 * copied, and where it (or a file that it includes) includes that folder, the copy names the folder's files one by one.
 */
export interface Shadow {
  main: string;
  /** The folder whose files are named. */
  folder: string;
  /** The files that would be there. */
  files: string[];
  /** How one include stands in this program's language; its first group is the pattern. */
  include: RegExp;
  write(path: string): string;
  /** Gives a place for the copy of an included file. */
  copy(text: string): string;
}

const DEPTH = 4;

/** The text of the main file's copy. Throws `broken_config` when nothing includes the folder. */
export function shadowOf(shadow: Shadow): string {
  const text = shadowText(shadow, shadow.main, DEPTH);
  if (text !== null) return text;
  throw new CommandError(
    "broken_config",
    `${shadow.main} does not include ${shadow.folder}: nothing was changed`,
  );
}

/** Null when the file does not lead to the folder. */
function shadowText(shadow: Shadow, file: string, depth: number): string | null {
  let found = false;
  const text = readText(file).replace(shadow.include, (line: string, pattern: string) => {
    const path = resolve(dirname(shadow.main), pattern);
    if (dirname(path) === shadow.folder) {
      found = true;
      return shadow.files.map(shadow.write).join("\n");
    }
    const files = depth > 0 ? filesOf(path) : [];
    const copies = files.map((one) => ({ one, text: shadowText(shadow, one, depth - 1) }));
    if (copies.every((one) => one.text === null)) return line;
    found = true;
    return copies
      .map((one) => shadow.write(one.text === null ? one.one : shadow.copy(one.text)))
      .join("\n");
  });
  return found ? text : null;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CommandError("broken_config", `${file} cannot be read: nothing was changed`, {
      cause,
    });
  }
}

/** The files of a pattern whose last part alone has stars. */
export function filesOf(pattern: string): string[] {
  const folder = dirname(pattern);
  if (/[*?[]/.test(folder)) return [];
  const escaped = basename(pattern).replace(/[.+^${}()|\\[\]]/g, "\\$&");
  const name = new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
  try {
    return readdirSync(folder)
      .filter(
        (one) => name.test(one) && (!one.startsWith(".") || basename(pattern).startsWith(".")),
      )
      .sort()
      .map((one) => join(folder, one));
  } catch {
    return [];
  }
}
