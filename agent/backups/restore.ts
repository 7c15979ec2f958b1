import type { BackupTarget } from "../../shared/agent-protocol/backups.ts";
import type { InputOf, ResultOf } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import { readArchive } from "./archive.ts";
import { type CheckedCopy, checkedCopy } from "./copies.ts";
import { scratchSchema, sweepSchemas, withScratchSchema } from "./database/load.ts";
import { differs, loadAndCompare } from "./database/prove.ts";
import { settleKilledRestores, swapIn } from "./database/restore.ts";
import { checkSpace, withScratch } from "./folder.ts";
import { type BackupKeys, backupKeys } from "./keys.ts";
import { countsOf, type DatabaseContent, type SiteContent, type StateContent } from "./manifest.ts";
import { withStages } from "./processes.ts";
import { inTurn, subjectOfTarget } from "./run.ts";
import { type Owner, type SiteTree, withSiteTree } from "./site-tree.ts";
import { sendState, unpackState } from "./state.ts";
import { digestTree, sameTree, treeError, unpackTree } from "./tree.ts";

type Input = InputOf<"backup.restore">;

/**
 * Puts a backup back. First its manifest and archive are checked, then the disk; then it is restored beside what is
 * there and compared; then it takes the place in one step, and is read back. Whatever differs or fails, before that
 * or after, leaves what was there.
 */
export async function restoreBackup(
  ctx: AgentCtx,
  input: Input,
  progress: Progress,
  account?: Owner,
): Promise<ResultOf<"backup.restore">> {
  if (ctx.dryRun) throw new CommandError("unavailable", "a dry run restores nothing");
  const keys = await backupKeys(ctx);
  return await inTurn(input, async () => {
    const copy = await checkedCopy(ctx, keys, input);
    const { manifest, healed } = copy;
    if (manifest.kind !== input.target.kind)
      throw new CommandError("invalid", "the backup is of another kind");
    if (manifest.subject !== subjectOfTarget(input.target)) {
      throw new CommandError("invalid", "the backup is of something else");
    }
    progress(20, ["archive and manifest are whole"]);
    const began = performance.now();
    await restoreTo(ctx, keys, copy, { ...input, ...(account && { account }) });
    const restoreMs = Math.round(performance.now() - began);
    progress(100, ["restored, read back and compared"]);
    return {
      restoreMs,
      provenAt: ctx.now().toISOString(),
      counts: countsOf(manifest.content),
      healed,
    };
  });
}

async function restoreTo(
  ctx: AgentCtx,
  keys: BackupKeys,
  copy: CheckedCopy,
  input: Input & { account?: Owner },
): Promise<void> {
  const { content } = copy.manifest;
  const { target, account } = input;
  if (content.kind === "site" && target.kind === "site") {
    const given = { content, target, restoreId: input.restoreId };
    return await restoreSite(ctx, keys, copy, { ...given, ...(account && { account }) });
  }
  if (content.kind === "database" && target.kind === "database") {
    return await restoreDatabase(ctx, keys, copy, { content, target, restoreId: input.restoreId });
  }
  if (content.kind === "state")
    return await restoreState(ctx, keys, copy, { content, restoreId: input.restoreId });
  throw new CommandError("invalid", "the backup is of another kind");
}

interface Restore<C, K extends BackupTarget["kind"]> {
  content: C;
  target: Extract<BackupTarget, { kind: K }>;
  restoreId: string;
}

async function restoreSite(
  ctx: AgentCtx,
  keys: BackupKeys,
  { manifest, archive }: CheckedCopy,
  { content, target, restoreId, account }: Restore<SiteContent, "site"> & { account?: Owner },
): Promise<void> {
  await withSiteTree(ctx, target.rootPath, async (tree) => {
    if (await tree.isKept(restoreId)) return await tree.tidy(restoreId);
    await tree.putBack();
    await checkSpace(ctx, tree.diskPath, manifest.plainBytes);
    const [top, within] = ownersOf(await tree.owner(), account);
    try {
      const read = await readArchive(ctx, keys, archive, async (plain, start) =>
        unpackTree(plain, await tree.unpack(start)),
      );
      if (!sameTree(content, read)) throw differs("the files in the archive");
      await tree.giveTo(top, within);
      const written = await withStages(ctx, async (start) => digestTree(await tree.packNew(start)));
      if (!sameTree(content, written)) throw differs("the files on the disk");
      ctx.signal.throwIfAborted();
      await swapAndVerify(ctx, tree, content);
      await tree.keep(restoreId);
    } catch (error) {
      await tree.putBack();
      throw treeError(error);
    } finally {
      await tree.tidy(restoreId);
    }
  });
}

/**
 * Of the site's folder, and of what is in it: the site's account and never the archive's word. The folder's own group
 * may be the web server's; without an account given they stay those of the folder that is there, or become ours.
 */
function ownersOf(found: Owner | null, account: Owner | undefined): [Owner, Owner] {
  const ours = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const within = account ?? found ?? ours;
  return [{ uid: within.uid, gid: found?.gid ?? within.gid }, within];
}

/** Who wrote into the site in the moment of the swap has made a difference: then the old tree is the site's again. */
async function swapAndVerify(ctx: AgentCtx, tree: SiteTree, content: SiteContent): Promise<void> {
  await tree.swap();
  const found = await withStages(ctx, async (start) => digestTree(await tree.pack(start)));
  if (!sameTree(content, found))
    throw differs("the site was written to in that moment, or its disk is at fault");
}

async function restoreDatabase(
  ctx: AgentCtx,
  keys: BackupKeys,
  { manifest, archive }: CheckedCopy,
  { content, target, restoreId }: Restore<DatabaseContent, "database">,
): Promise<void> {
  if (await settleKilledRestores(ctx, target.database, restoreId)) return;
  await sweepSchemas(ctx);
  const schema = scratchSchema(restoreId);
  await withScratch(ctx.settings.backups.scratchDir, restoreId, async (scratch) => {
    await withScratchSchema(ctx, { schema, content }, async (session) => {
      const given = { session, schema, content, scratch, archive, isProof: false };
      const loaded = await loadAndCompare(ctx, keys, manifest, given);
      ctx.signal.throwIfAborted();
      await swapIn(ctx, restoreId, target.database, loaded);
    });
  });
}

/** The edge does it in one transaction; here it is opened and compared first. */
async function restoreState(
  ctx: AgentCtx,
  keys: BackupKeys,
  { manifest, archive }: CheckedCopy,
  { content, restoreId }: { content: StateContent; restoreId: string },
): Promise<void> {
  const { scratchDir } = ctx.settings.backups;
  await withScratch(scratchDir, restoreId, async (scratch) => {
    await checkSpace(ctx, scratch, manifest.plainBytes);
    const file = await unpackState(ctx, keys, manifest, { archive, scratch, content });
    const { backupId } = manifest;
    await sendState(ctx, { backupId, what: "restore", file, content, restoreId });
  });
}
