import { lchown, stat } from "node:fs/promises";
import { z } from "zod";
import { backupFacts, backupsCommands } from "../../shared/agent-protocol/backups.ts";
import type { InputOf, ResultOf } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx, Progress } from "../ctx.ts";
import { accountOf } from "../root/accounts.ts";
import type { RootCtx } from "../root/root-ctx.ts";
import { listRecords } from "../sites/record.ts";
import { checkedCopy } from "./copies.ts";
import { archivePath, kindOf, openFolder } from "./folder.ts";
import { backupKeys } from "./keys.ts";
import { restoreBackup } from "./restore.ts";
import { runBackup } from "./run.ts";

/** A site's files belong to its own user: only root reads all of them, and puts them back as they were. */
const order = z.discriminatedUnion("command", [
  z.strictObject({
    command: z.literal("backup.run"),
    input: backupsCommands["backup.run"].input,
  }),
  z.strictObject({
    command: z.literal("backup.restore"),
    input: backupsCommands["backup.restore"].input,
  }),
]);

async function backupSite(root: RootCtx, given: z.output<typeof order>): Promise<unknown> {
  const { settings } = root;
  const { target } = given.input;
  const record =
    target.kind === "site" &&
    listRecords(settings).find(
      ({ siteId, rootPath }) => siteId === target.siteId && rootPath === target.rootPath,
    );
  if (!record) throw new CommandError("not_found", "the site is not on this server");
  const ctx = hereAlone(settings);
  if (given.command === "backup.restore") {
    const account = accountOf(settings, record);
    if (!account) throw new CommandError("not_found", "the site has no account on this server");
    const { uid, gid } = account;
    return await restoreBackup(ctx, given.input, () => undefined, { uid, gid });
  }
  const facts = await runBackup(ctx, given.input, () => undefined);
  // The agent lists, sends and proves them without root.
  const { uid, gid } = await stat(settings.backups.dir);
  await lchown(archivePath(ctx, facts.name), uid, gid);
  await lchown(facts.file, uid, gid);
  return facts;
}

/** Root makes no calls and starts nothing of its own kind. */
function hereAlone(settings: AgentCtx["settings"]): AgentCtx {
  const not = () => Promise.reject(new CommandError("unavailable", "not from the privileged half"));
  const silent = () => undefined;
  return {
    ...{ settings, run: not, root: not, edge: not, dryRun: false, now: () => new Date() },
    log: { info: silent, warn: silent, error: silent },
    signal: new AbortController().signal,
  };
}

/** The verbs of this area, for the closed list of the privileged half. */
export const backupVerbs = {
  "site.backup": { input: order, alone: false, run: backupSite },
} as const;

const needsRoot = (name: string): boolean => kindOf(name) === "site" && process.getuid?.() !== 0;

/** `backup.run`, by the privileged half where only that can read the files. */
export async function runHere(
  ctx: AgentCtx,
  input: InputOf<"backup.run">,
  progress: Progress,
): Promise<ResultOf<"backup.run">> {
  if (!needsRoot(input.name) || ctx.dryRun) return await runBackup(ctx, input, progress);
  // Both are the agent's own, so they are made before root would make them its own.
  await backupKeys(ctx);
  await openFolder(ctx);
  return backupFacts.parse(await ctx.root("site.backup", { command: "backup.run", input }));
}

/** `backup.restore`, likewise; a copy from R2 is fetched before, as root makes no calls. */
export async function restoreHere(
  ctx: AgentCtx,
  input: InputOf<"backup.restore">,
  progress: Progress,
): Promise<ResultOf<"backup.restore">> {
  if (!needsRoot(input.name) || ctx.dryRun) return await restoreBackup(ctx, input, progress);
  const { healed } = await checkedCopy(ctx, await backupKeys(ctx), input);
  const given = { command: "backup.restore", input: { ...input, remote: false } };
  const restored = backupsCommands["backup.restore"].result.parse(
    await ctx.root("site.backup", given),
  );
  return { ...restored, healed };
}
