import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { InputOf, ResultOf } from "../../shared/agent-protocol/index.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import { readArchive } from "./archive.ts";
import { checkedCopy } from "./copies.ts";
import { scratchSchema, sweepSchemas, withScratchSchema } from "./database/load.ts";
import { differs, loadAndCompare } from "./database/prove.ts";
import { checkSpace, sweepScratch, withScratch } from "./folder.ts";
import { type BackupKeys, backupKeys } from "./keys.ts";
import { exclusively } from "./locks.ts";
import { countsOf, type Manifest, type SiteContent } from "./manifest.ts";
import { sendState, unpackState } from "./state.ts";
import { sameTree, startUnpacking, treeError, treeOf, unpackTree } from "./tree.ts";

/**
 * Restores a backup into a scratch place and compares it with what was counted when it was made. Only this makes a
 * backup a proven one. The scratch place is gone afterwards, and what killed proofs have left with it.
 */
export async function proveBackup(
  ctx: AgentCtx,
  input: InputOf<"backup.prove">,
  progress: Progress,
): Promise<ResultOf<"backup.prove">> {
  const keys = await backupKeys(ctx);
  const { scratchDir } = ctx.settings.backups;
  return await exclusively(input.name, async () => {
    const { manifest, archive, healed } = await checkedCopy(ctx, keys, input);
    progress(20, ["archive and manifest are whole"]);
    const began = performance.now();
    await sweepScratch(scratchDir);
    await withScratch(scratchDir, input.backupId, async (scratch) => {
      // A database's rows go into the server's own folder, which only the server can look at.
      if (manifest.kind !== "database") await checkSpace(ctx, scratch, manifest.plainBytes);
      await restoreInto(ctx, keys, manifest, { archive, scratch });
    });
    const restoreMs = Math.round(performance.now() - began);
    progress(100, ["restored in a scratch place and compared"]);
    return {
      restoreMs,
      provenAt: ctx.now().toISOString(),
      counts: countsOf(manifest.content),
      healed,
    };
  });
}

interface Places {
  archive: string;
  scratch: string;
}

async function restoreInto(
  ctx: AgentCtx,
  keys: BackupKeys,
  manifest: Manifest,
  places: Places,
): Promise<void> {
  const { content, backupId } = manifest;
  switch (content.kind) {
    case "site":
      return await proveSite(ctx, keys, content, places);
    case "database": {
      await sweepSchemas(ctx);
      const schema = scratchSchema(backupId);
      return await withScratchSchema(ctx, { schema, content }, async (session) => {
        await loadAndCompare(ctx, keys, manifest, {
          ...{ session, schema, content, isProof: true },
          ...places,
        });
      });
    }
    case "state": {
      const file = await unpackState(ctx, keys, manifest, { ...places, content });
      return await sendState(ctx, { backupId, what: "prove", file, content });
    }
    default:
      return content satisfies never;
  }
}

async function proveSite(
  ctx: AgentCtx,
  keys: BackupKeys,
  content: SiteContent,
  { archive, scratch }: Places,
) {
  const dir = join(scratch, "tree");
  await mkdir(dir, { mode: 0o700 });
  const read = await readArchive(ctx, keys, archive, (plain, start) =>
    unpackTree(plain, startUnpacking(start, dir)),
  ).catch((error: unknown) => {
    throw treeError(error);
  });
  if (!sameTree(content, read)) throw differs("the files in the archive");
  // From the disk again: what tar was given is not yet what it wrote.
  if (!sameTree(content, await treeOf(ctx, dir))) throw differs("the files on the disk");
}
