import { constants } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  realpath,
  rename,
  rm,
  statfs,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type BackupKind, backupName } from "../../shared/agent-protocol/backups.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";

const ARCHIVE_SUFFIX: Record<BackupKind, string> = {
  state: ".json.zst.age",
  site: ".tar.zst.age",
  database: ".sql.zst.age",
};

export const manifestPath = (ctx: Pick<AgentCtx, "settings">, name: string): string =>
  join(ctx.settings.backups.dir, safeName(name));

/** The archive lies beside its manifest; which kind it is, its name says. */
export function archivePath(ctx: Pick<AgentCtx, "settings">, name: string): string {
  const kind = kindOf(name);
  return manifestPath(ctx, name).replace(/\.json$/, ARCHIVE_SUFFIX[kind]);
}

export function kindOf(name: string): BackupKind {
  const kind = /^nusantara_(state|site|database)_/.exec(name)?.[1];
  return kind === "state" || kind === "site" ? kind : "database";
}

/** What stands between the kind and the date: the domain, the database, or nothing. */
export function subjectOf(name: string): string {
  return /^nusantara_(?:site|database)_(.*)_[0-9]{8}_[0-9]{6}\.json$/.exec(name)?.[1] ?? "";
}

/** Names come over the wire checked; one that is a path is refused here all the same. */
function safeName(name: string): string {
  if (!backupName.safeParse(name).success || basename(name) !== name) {
    throw new CommandError("invalid", "invalid backup path");
  }
  return name;
}

/** The backup folder, made if it is missing: only for this user, and no link. */
export async function openFolder(ctx: Pick<AgentCtx, "settings">): Promise<string> {
  const { dir } = ctx.settings.backups;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const found = await lstat(dir);
  if (!found.isDirectory())
    throw new CommandError("broken_config", "the backup folder is no folder");
  return await realpath(dir);
}

const SCRATCH_PREFIX = "backup-";
/** Of commands that run now, so that the sweep leaves them alone. */
const inUse = new Set<string>();

/** A place of its own for `work`, on the disk that `beside` names; gone afterwards, whatever happened. */
export async function withScratch<T>(
  parent: string,
  id: string,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const dir = join(parent, `${SCRATCH_PREFIX}${id}`);
  if (inUse.has(dir))
    throw new CommandError("conflict", "this backup is being worked on", { retryable: true });
  inUse.add(dir);
  try {
    await removeTree(dir);
    await mkdir(dir, { mode: 0o700 });
    return await work(dir);
  } finally {
    await removeTree(dir);
    inUse.delete(dir);
  }
}

/** A tree may hold folders without a right to write or look into them. */
export async function removeTree(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 2 });
}

/** Removes what commands that were killed have left. */
export async function sweepScratch(parent: string): Promise<void> {
  const { readdir } = await import("node:fs/promises");
  for (const name of await readdir(parent).catch(() => [])) {
    const dir = join(parent, name);
    if (name.startsWith(SCRATCH_PREFIX) && !inUse.has(dir)) await removeTree(dir);
  }
}

/** Creates a file that nobody else can read, never through a link. */
async function createPrivate(path: string): Promise<FileHandle> {
  await rm(path, { force: true });
  return await open(
    path,
    constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW,
    0o600,
  );
}

/** Opens a plain file of the folder; a link, a pipe or a folder in its place is not what we stored. */
export async function openStored(path: string): Promise<{ handle: FileHandle; bytes: number }> {
  const handle = await open(
    path,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  ).catch((error: unknown) => {
    throw missing(error);
  });
  const facts = await handle.stat();
  if (facts.isFile()) return { handle, bytes: facts.size };
  await handle.close();
  throw new CommandError("integrity", "the backup is not a plain file");
}

function missing(error: unknown): unknown {
  const code = codeOf(error);
  if (code === "ENOENT") return new CommandError("not_found", "backup not found");
  if (code === "ELOOP") return new CommandError("integrity", "the backup is not a plain file");
  return error;
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;

/** Fills a file under a name of its own; under the name `to` it is whole and on the disk. What fails leaves nothing. */
export async function storeFile<T>(
  from: string,
  to: string,
  fill: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await createPrivate(from);
  try {
    const value = await fill(file);
    await file.sync();
    await file.close();
    await rename(from, to);
    await syncFolder(dirname(to));
    return value;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(from, { force: true });
    throw diskError(error);
  }
}

export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, constants.O_RDONLY);
  await folder.sync().finally(() => folder.close());
}

/** Refuses before anything is written when the disk cannot hold it and keep its reserve. */
export async function checkSpace(
  ctx: Pick<AgentCtx, "settings">,
  dir: string,
  neededBytes: number,
): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize < neededBytes + ctx.settings.backups.reserveBytes) {
    throw new CommandError("disk_full", "not enough space on the disk");
  }
}

/** What the system says when the disk is full, in our words. */
export function diskError(error: unknown): unknown {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new CommandError("disk_full", "the disk is full", { cause: error });
  return error;
}
