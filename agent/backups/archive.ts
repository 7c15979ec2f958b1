import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as after } from "node:timers/promises";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { type DigestedFile, digestFile, FileDigest } from "./file-digest.ts";
import { archivePath, checkSpace, storeFile } from "./folder.ts";
import type { BackupKeys } from "./keys.ts";
import type { Manifest } from "./manifest.ts";
import { type Stage, type StartStage, withStages } from "./processes.ts";

/** How often the disk is looked at while it fills. */
const LOOK_MS = 250;
/**
 * Level 2 costs a third less than 3 of the processor that the sites need at the same time; texts take a tenth more room.
 * Threads cost half as much again: for machines that have processors to spare.
 */
const COMPRESS = ["-q", "-c", "-2", ...(availableParallelism() > 2 ? ["-T0"] : [])];

export interface WrittenArchive extends DigestedFile {
  name: string;
}

/** Starts the program that compresses: another program's output, or what is written to it. */
export type StartCompressing = (from: Readable | "pipe") => Stage;
/** Gives the plain bytes, which are taken only as fast as they can be stored. */
export type Feed = (compress: StartCompressing, start: StartStage) => Promise<void>;

/**
 * Writes an archive: what `feed` gives, compressed and encrypted, to a name of its own and then under the backup's. The
 * programs are connected to each other and the file by the system; the file is read behind them, once, for its checksum.
 * Stopped anywhere, it leaves no archive.
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
  const written = await storeFile(partial, path, async (file) => {
    const digest = await FileDigest.open(ctx, partial);
    try {
      await withStages(ctx, async (start) => {
        const storing = new Storing();
        const compress: StartCompressing = (stdin) => {
          const zstd = start("zstd", COMPRESS, { stdin });
          const options = { stdin: zstd.stdout, stdout: file.fd };
          const age = start("age", ["-e", ...recipients], options);
          storing.add(age, zstd);
          return zstd;
        };
        await withRoom(ctx, feed(compress, start), storing, digest);
      });
      return await digest.catchUp();
    } finally {
      await digest.close();
    }
  });
  return { name: path.slice(path.lastIndexOf("/") + 1), ...written };
}

/** The ends of the programs that store, from whenever they are started; `failed` is the first that fails. */
class Storing {
  readonly ends: Promise<unknown>[] = [];
  #fail: (error: unknown) => void = () => undefined;
  readonly failed = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  add(...stages: Stage[]): void {
    for (const stage of stages) {
      const end = stage.ended();
      end.catch(this.#fail);
      this.ends.push(end);
    }
  }
}

/**
 * Waits until all is fed and stored, and gives up where that eats into what is to stay free on the disk. Where one
 * program's end takes others with it, a full disk is the reason that counts.
 */
async function withRoom(
  ctx: AgentCtx,
  feeding: Promise<void>,
  { ends, failed }: Storing,
  digest: FileDigest,
): Promise<void> {
  const over = new AbortController();
  const watched = watch(ctx, digest, over.signal);
  const stored = feeding.then(async () => void (await Promise.all(ends)));
  try {
    await Promise.race([stored, failed, watched]);
  } catch (error) {
    const seen = await Promise.race([Promise.allSettled(ends), after(LOOK_MS, [])]);
    const reasons = seen.map((end) => (end.status === "rejected" ? end.reason : null));
    throw reasons.find((one) => one instanceof CommandError && one.code === "disk_full") ?? error;
  } finally {
    over.abort();
    await watched.catch(() => undefined);
  }
}

/** Looks at the disk again and again, and reads what has come to the archive; ends when it is over. */
async function watch(ctx: AgentCtx, digest: FileDigest, over: AbortSignal): Promise<void> {
  for (;;) {
    await after(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
    await checkSpace(ctx, ctx.settings.backups.dir, 0);
    await digest.catchUp();
  }
}

/** That the archive is the one the manifest names, to the bit; read in full. */
export async function checkArchive(ctx: AgentCtx, manifest: Manifest, path: string): Promise<void> {
  const { bytes, sha256 } = manifest.archive;
  const { size } = await stat(path).catch(() => ({ size: bytes }));
  if (size !== bytes) throw damaged();
  const found = await digestFile(ctx, path);
  if (found.bytes !== bytes || found.sha256 !== sha256) throw damaged();
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
