import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { posix } from "node:path";
import { done, Refused, refused } from "./answers.ts";
import { type Entry, tarEntries, ungzip, zipEntries } from "./archive.ts";
import { type Call, need } from "./call.ts";
import type { Panel } from "./engine.ts";

/** From here on an archive is unpacked by the queue (50 MiB). */
const queueFrom = 52_428_800;

function isTar(path: string): boolean {
  return path.endsWith(".tar.gz") || path.endsWith(".tgz");
}

async function* entriesOf(panel: Panel, path: string, bytes: Buffer): AsyncGenerator<Entry> {
  const limits = panel.unzipLimits;
  if (/\.(zip|war)$/.test(path)) yield* zipEntries(bytes, limits);
  else if (isTar(path)) yield* tarEntries(await ungzip(bytes, limits));
  else {
    const data = await ungzip(bytes, limits);
    const name = posix.basename(path).replace(/\.gz$/, "");
    yield { name, directory: false, access: null, read: async () => data };
  }
}

/** Writes what an archive holds, as far as it is whole and within the limits; says how many entries came out. */
async function extract(panel: Panel, from: string, to: string, most: number): Promise<number> {
  const bytes = await readFile(await panel.area.real(from));
  let left = panel.unzipLimits.bytes;
  let count = 0;
  for await (const entry of entriesOf(panel, from, bytes)) {
    if (count >= Math.min(most, panel.unzipLimits.entries)) return count;
    const path = posix.join(to, entry.name);
    // Written to by nobody: the panel has it locked.
    if (posix.basename(path) === ".user.ini" && panel.isRoot(posix.dirname(path))) continue;
    const file = await panel.area.real(path);
    if (entry.directory) await mkdir(file, { recursive: true });
    else {
      const data = await entry.read();
      left -= data.length;
      if (left < 0) return count;
      await mkdir(posix.dirname(file), { recursive: true });
      await writeFile(file, data);
    }
    if (entry.access) panel.area.setMode(path, { access: entry.access, owner: "root" });
    count += 1;
  }
  return count;
}

/** Reads the first header, for the only errors that the panel tells of. */
function problemOf(path: string, bytes: Buffer, panel: Panel): string | null {
  if (/\.(rar|7z|bz2)$/.test(path)) return "This twin does not unpack rar, 7z and bz2";
  if (!/\.(zip|war)$/.test(path)) return null;
  try {
    for (const _ of zipEntries(bytes, panel.unzipLimits));
    return null;
  } catch (error) {
    return error instanceof Refused ? error.message : null;
  }
}

/** Says yes to broken archives, to bombs that were cut off and to a queued one that has not begun: look with GetDir. */
export async function unzip(panel: Panel, call: Call): Promise<unknown> {
  const from = panel.area.plain(need(call, "sfile"));
  const to = panel.area.target(`${need(call, "dfile").replace(/\/+$/, "")}`);
  if ((await panel.area.kind(from)) !== "file") return refused("Specified file does not exist!");
  const real = await panel.area.real(from);
  const { size } = await stat(real);
  const problem = size < queueFrom ? problemOf(from, await readFile(real), panel) : null;
  if (problem) return refused(problem);
  await mkdir(await panel.area.real(to), { recursive: true });
  const silent = panel.own.take("unzipSilent", call.text);
  const most = silent ? Number(silent.value === true ? 0 : silent.value) : Number.POSITIVE_INFINITY;
  const run = async () => {
    try {
      return `${await extract(panel, from, to, most)} entries`;
    } catch (error) {
      return `broken: ${error instanceof Error ? error.message : error}`;
    }
  };
  const delayed = panel.own.take("queueUnzip", call.text);
  if (delayed || size >= queueFrom) {
    const ms = typeof delayed?.value === "number" ? delayed.value : 300;
    panel.queue({ name: `Unzip ${from}`, type: 2, shell: from }, ms, run);
    return done("The task has been added to the queue!");
  }
  await run();
  return done("Successfully unzipped!");
}
