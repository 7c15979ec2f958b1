import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";

/**
 * A folder that all files of one test run share (testing/run-folder.ts), made by whichever needs it first; outside
 * of a run it is made in `elsewhere`.
 */
export async function madeOnce(
  name: string,
  elsewhere: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(process.env.LUMBUNG_RUN_FOLDER ?? elsewhere, name);
  if (existsSync(folder)) return folder;
  const made = `${folder}-${process.pid}`;
  await make(made);
  // Of two that were made at the same time either will do.
  await rename(made, folder).catch((error: unknown) => {
    if (!existsSync(folder)) throw error;
  });
  return folder;
}
