import { constants } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { asCommandError } from "../paths.ts";

/** Beside the file, under a name that no configuration includes. */
export const draftOf = (file: string): string => join(dirname(file), `.${basename(file)}.new`);

/** Writes a draft beside a file of root's; whole and on the disk, or gone. */
export async function writeDraft(file: string, text: string, mode = 0o644): Promise<string> {
  const draft = draftOf(file);
  try {
    await rm(draft, { force: true });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = await open(draft, flags, mode);
    try {
      await handle.writeFile(text);
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return draft;
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw asCommandError(error);
  }
}

/** Puts text, or nothing, in a file's place in one step. */
export async function replaceFile(file: string, text: string | null): Promise<void> {
  if (text === null) await rm(file, { force: true });
  else await rename(await writeDraft(file, text), file);
}

/** A file's text, or null where there is none. */
export async function textIn(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
