import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import {
  archivePath,
  checkSpace,
  createPrivate,
  diskError,
  openStored,
  putInPlace,
} from "./folder.ts";
import type { BackupKeys } from "./keys.ts";
import type { Manifest } from "./manifest.ts";
import { type Stage, type StartStage, withStages } from "./processes.ts";

/** How often the disk is looked at while it fills. */
const LOOK_EVERY_BYTES = 64 * 1024 * 1024;

export interface WrittenArchive {
  name: string;
  bytes: number;
  sha256: string;
}

/** Gives the plain bytes to `zstd`, which only takes them as fast as it can. */
export type Feed = (zstd: Stage, start: StartStage) => Promise<void>;

/**
 * Writes an archive: what `feed` gives, compressed and encrypted, to a name of its own and then under the backup's.
 * No more than some pipes' worth of it is ever in memory; stopped anywhere, it leaves no archive.
 */
export async function writeArchive(
  ctx: AgentCtx,
  keys: BackupKeys,
  given: { name: string; backupId: string },
  feed: Feed,
): Promise<WrittenArchive> {
  const path = archivePath(ctx, given.name);
  const partial = join(path, "..", `.${given.backupId}.archive`);
  const recipients = (await keys.recipients()).flatMap((recipient) => ["-r", recipient]);
  const handle = await createPrivate(partial);
  try {
    const written = await withStages(ctx, async (start) => {
      const zstd = start("zstd", ["-q", "-c", "-3", "-T0"], { stdin: "pipe" });
      const age = start("age", ["-e", ...recipients], { stdin: zstd.stdout });
      const storing = store(ctx, age, async (chunk) => void (await handle.write(chunk)));
      const feeding = feed(zstd, start).then(() => zstd.end());
      // The first failure ends it: the others might wait for ever on what has failed.
      const [stored] = await Promise.all([storing, feeding, zstd.ended(), age.ended()]);
      return stored;
    });
    await putInPlace(handle, partial, path);
    return { name: path.slice(path.lastIndexOf("/") + 1), ...written };
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw diskError(error);
  }
}

async function store(ctx: AgentCtx, age: Stage, write: (chunk: Buffer) => Promise<void>) {
  const hash = createHash("sha256");
  let bytes = 0;
  let looked = 0;
  for await (const chunk of age.stdout as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes - looked >= LOOK_EVERY_BYTES) {
      looked = bytes;
      await checkSpace(ctx, ctx.settings.backups.dir, 0);
    }
    await write(chunk);
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** That the archive is the one the manifest names, to the bit; read in full. */
export async function checkArchive(ctx: AgentCtx, manifest: Manifest, path: string): Promise<void> {
  const { handle, bytes } = await openStored(path);
  try {
    if (bytes !== manifest.archive.bytes) throw damaged();
    const hash = createHash("sha256");
    const stream = handle.createReadStream({
      autoClose: false,
      highWaterMark: 1024 * 1024,
      start: 0,
    });
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (ctx.signal.aborted) throw new CommandError("cancelled", "stopped before its end");
      hash.update(chunk);
    }
    if (hash.digest("hex") !== manifest.archive.sha256) throw damaged();
  } finally {
    await handle.close();
  }
}

export const damaged = () => new CommandError("integrity", "the archive is damaged or was altered");

/** Takes the plain bytes of an archive; what it returns is the result. */
export type Drain<T> = (plain: Stage, start: StartStage) => Promise<T>;

/** Opens a checked archive: `drain` gets the output of `age -d | zstd -d`. */
export async function readArchive<T>(
  ctx: AgentCtx,
  keys: BackupKeys,
  path: string,
  drain: Drain<T>,
): Promise<T> {
  return await withStages(ctx, async (start) => {
    const age = start("age", ["-d", "-i", keys.identityFile, path]);
    const zstd = start("zstd", ["-q", "-d", "-c"], { stdin: age.stdout });
    // What cannot be opened or unpacked is damaged, whichever program found it.
    const opened = Promise.all([age.ended(), zstd.ended()]).catch((error: unknown) => {
      if (ctx.signal.aborted) throw error;
      throw damaged();
    });
    const [result] = await Promise.all([drain(zstd, start), opened]);
    return result;
  });
}
