import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { backupName } from "../../shared/agent-protocol/backups.ts";
import type { InputOf, ResultOf } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { archivePath, manifestPath, openFolder, syncFolder } from "./folder.ts";
import { backupKeys } from "./keys.ts";
import { exclusively } from "./locks.ts";
import { factsOf, readManifest } from "./manifest.ts";

const MOST_ITEMS = 500;
const MOST_UNREADABLE = 100;

/** Manifest first: an archive without one is no backup, so a removal that is killed leaves none that is half one. */
export async function removeBackups(
  ctx: AgentCtx,
  { names }: InputOf<"backup.remove">,
): Promise<ResultOf<"backup.remove">> {
  if (ctx.dryRun) throw new CommandError("unavailable", "a dry run removes nothing");
  const dir = await openFolder(ctx);
  for (const name of names) {
    await exclusively(name, async () => {
      await rm(manifestPath(ctx, name), { force: true });
      await syncFolder(dir);
      await rm(archivePath(ctx, name), { force: true });
    });
  }
  await syncFolder(dir);
  return { removed: names };
}

/** The backups in the folder, newest first; what cannot be read or is not this server's is named apart. */
export async function listBackups(ctx: AgentCtx): Promise<ResultOf<"backup.list">> {
  const keys = await backupKeys(ctx);
  const dir = await openFolder(ctx);
  const names = (await readdir(dir)).filter((name) => backupName.safeParse(name).success);
  const newestFirst = names.sort((a, b) => (momentOf(a) < momentOf(b) ? 1 : -1));
  const items: ResultOf<"backup.list">["items"] = [];
  const unreadable: string[] = [];
  for (const name of newestFirst.slice(0, MOST_ITEMS)) {
    try {
      items.push(factsOf(ctx, await readManifest(ctx, keys, name)));
    } catch {
      if (unreadable.length < MOST_UNREADABLE)
        unreadable.push(join(ctx.settings.backups.dir, name));
    }
  }
  return { dir: ctx.settings.backups.dir, items, unreadable };
}

const momentOf = (name: string): string => name.slice(-"20261121_140000.json".length);
