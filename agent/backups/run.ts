import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BackupFacts, BackupTarget } from "../../shared/agent-protocol/backups.ts";
import type { InputOf } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import { checkArchive, type Feed, type StartCompressing, writeArchive } from "./archive.ts";
import { dumpDatabase } from "./database/dump.ts";
import { archivePath, checkSpace, kindOf, manifestPath, openFolder, subjectOf } from "./folder.ts";
import { type BackupKeys, backupKeys } from "./keys.ts";
import { exclusively } from "./locks.ts";
import {
  factsOf,
  type ManifestBody,
  type ReadManifest,
  readManifest,
  writeManifest,
} from "./manifest.ts";
import type { Stage } from "./processes.ts";
import { withSiteTree } from "./site-tree.ts";
import { feedState } from "./state.ts";
import { packTree, treeError } from "./tree.ts";
import { versionsOf } from "./versions.ts";

type Input = InputOf<"backup.run">;
type Packed = Pick<ManifestBody, "plainBytes" | "content">;

/** Makes a backup on the server's disk. Repeated, it answers with the one that is there, if that is whole. */
export async function runBackup(
  ctx: AgentCtx,
  input: Input,
  progress: Progress,
): Promise<BackupFacts> {
  checkNames(input);
  if (ctx.dryRun) throw new CommandError("unavailable", "a dry run makes no backups");
  const keys = await backupKeys(ctx);
  const dir = await openFolder(ctx);
  return await inTurn(input, async () => {
    const there = await existing(ctx, keys, input);
    if (there) return factsOf(ctx, there);
    await removePartial(dir, input.backupId);
    await checkSpace(ctx, dir, await lastBytes(ctx, keys, input.name));
    progress(1, [`${input.target.kind} backup begins`]);
    const packed = { value: null as Packed | null };
    const feed: Feed = async (compress, start) => {
      packed.value = await feedTarget(ctx, input, compress, start);
    };
    // Beside the work: each is a program's start.
    const tools = versionsOf(ctx, input.target.kind);
    tools.catch(() => undefined);
    const { backupId, name, createdAt } = input;
    try {
      const archive = await writeArchive(ctx, keys, input, feed);
      if (!packed.value) throw new Error("an archive without a source");
      progress(90, ["archive written"]);
      const written = await writeManifest(ctx, keys, {
        ...{ format: 1, backupId, name, createdAt, archive, ...packed.value },
        ...{ kind: kindOf(name), subject: subjectOf(name), serverId: ctx.settings.serverId },
        tools: await tools,
      });
      return factsOf(ctx, written);
    } catch (error) {
      // An archive without its manifest is no backup, and only takes the room that was missing.
      for (const path of [manifestPath, archivePath]) await rm(path(ctx, name), { force: true });
      throw treeError(error);
    }
  });
}

async function feedTarget(
  ctx: AgentCtx,
  { backupId, target }: Input,
  ...[compress, start]: Parameters<Feed>
): Promise<Packed> {
  switch (target.kind) {
    case "site":
      return await withSiteTree(ctx, target.rootPath, async (tree) => {
        const owner = await tree.owner();
        if (!owner) throw new CommandError("not_found", "the site has no folder");
        const { streamBytes, ...facts } = await packTree(await tree.pack(start), start, compress);
        return { plainBytes: streamBytes, content: { kind: "site", ...facts, owner } };
      });
    case "database":
      return await written(compress, (zstd) => dumpDatabase(ctx, target.database, zstd, start));
    case "state":
      return await written(compress, (zstd) => feedState(ctx, backupId, zstd));
    default:
      return target satisfies never;
  }
}

/** For what is written to it here, piece by piece. */
async function written<T>(compress: StartCompressing, write: (to: Stage) => Promise<T>) {
  const zstd = compress("pipe");
  const value = await write(zstd);
  zstd.end();
  return value;
}

/** The name says of what a backup is; one that says something else than the target is a mistake of the edge. */
function checkNames({ name, target }: { name: string; target: BackupTarget }): void {
  if (kindOf(name) !== target.kind || subjectOf(name) !== subjectOfTarget(target)) {
    throw new CommandError("invalid", "invalid backup path");
  }
}

/** While a database is being put back its sessions are ended: no backup of it begins then, nor another restore. */
export function inTurn<T>(
  { target, name }: Pick<Input, "target" | "name">,
  work: () => Promise<T>,
): Promise<T> {
  const subject = `${target.kind}/${subjectOfTarget(target)}`;
  return exclusively(subject, () => exclusively(name, work));
}

export function subjectOfTarget(target: BackupTarget): string {
  if (target.kind === "site") return target.domain;
  return target.kind === "database" ? target.database : "";
}

async function existing(
  ctx: AgentCtx,
  keys: BackupKeys,
  input: Input,
): Promise<ReadManifest | null> {
  let found: ReadManifest;
  try {
    found = await readManifest(ctx, keys, input.name);
  } catch (error) {
    if (error instanceof CommandError && error.code === "not_found") return null;
    throw error;
  }
  if (found.manifest.backupId !== input.backupId) {
    throw new CommandError("exists", "there is another backup of this name");
  }
  await checkArchive(ctx, found.manifest, archivePath(ctx, input.name));
  return found;
}

async function removePartial(dir: string, backupId: string): Promise<void> {
  for (const part of ["archive", "manifest"])
    await rm(join(dir, `.${backupId}.${part}`), { force: true });
}

/** As large as the last of its kind and subject, and a quarter: the best guess before it is made. */
async function lastBytes(ctx: AgentCtx, keys: BackupKeys, name: string): Promise<number> {
  const start = name.replace(/[0-9]{8}_[0-9]{6}\.json$/, "");
  const names = (await readdir(ctx.settings.backups.dir)).filter(
    (other) => other.startsWith(start) && other.endsWith(".json") && other.length === name.length,
  );
  const last = names.sort().at(-1);
  if (last === undefined) return 0;
  const read = await readManifest(ctx, keys, last).catch(() => null);
  return Math.ceil((read?.manifest.archive.bytes ?? 0) * 1.25);
}
