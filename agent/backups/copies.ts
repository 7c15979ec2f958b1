import { createHash } from "node:crypto";
import { join } from "node:path";
import { backupCallPaths, MAX_MANIFEST_BYTES } from "../../shared/agent-protocol/backups.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { checkArchive, damaged } from "./archive.ts";
import { archivePath, checkSpace, openFolder, storeFile } from "./folder.ts";
import type { BackupKeys } from "./keys.ts";
import {
  type Manifest,
  parseManifest,
  putManifest,
  type ReadManifest,
  readManifest,
} from "./manifest.ts";
import { call, fetchObject } from "./upload.ts";

export interface KnownBackup {
  backupId: string;
  name: string;
  manifestSha256: string;
  remote: boolean;
}

export interface CheckedCopy {
  manifest: Manifest;
  archive: string;
  healed: boolean;
}

/**
 * The backup on the disk, its manifest and archive checked to the bit before anything is done with it. Where they are
 * gone or damaged and R2 has the whole of it, both are fetched from there first.
 */
export async function checkedCopy(
  ctx: AgentCtx,
  keys: BackupKeys,
  known: KnownBackup,
): Promise<CheckedCopy> {
  const archive = archivePath(ctx, known.name);
  try {
    const read = await readManifest(ctx, keys, known.name);
    checkKnown(read, known);
    await checkArchive(ctx, read.manifest, archive);
    return { manifest: read.manifest, archive, healed: false };
  } catch (error) {
    if (!known.remote || !isDamage(error)) throw error;
  }
  const manifest = await fetchCopy(ctx, keys, known);
  return { manifest, archive, healed: true };
}

function checkKnown({ manifest, sha256 }: ReadManifest, known: KnownBackup): void {
  if (sha256 !== known.manifestSha256 || manifest.backupId !== known.backupId) {
    throw new CommandError("integrity", "the manifest is not the one that was made");
  }
}

const isDamage = (error: unknown): boolean =>
  error instanceof CommandError && ["not_found", "integrity", "version"].includes(error.code);

/** From R2 to the disk, checked on its way; until it is whole, what lies on the disk stays as it is. */
async function fetchCopy(ctx: AgentCtx, keys: BackupKeys, known: KnownBackup): Promise<Manifest> {
  const dir = await openFolder(ctx);
  const response = await call(ctx, backupCallPaths.manifest(known.backupId), {});
  const text = await response.text();
  if (text.length > MAX_MANIFEST_BYTES) throw damaged();
  const read = parseManifest(ctx, keys, known.name, text);
  checkKnown(read, known);
  const { archive } = read.manifest;
  await checkSpace(ctx, dir, archive.bytes);
  const partial = join(dir, `.${known.backupId}.archive`);
  await storeFile(partial, archivePath(ctx, known.name), async (file) => {
    const hash = createHash("sha256");
    await fetchObject(ctx, known.backupId, archive.bytes, async (chunk) => {
      hash.update(chunk);
      await file.write(chunk);
    });
    if (hash.digest("hex") !== archive.sha256) throw damaged();
  });
  await putManifest(ctx, read.manifest, text);
  return read.manifest;
}
