import { rm, statfs } from "node:fs/promises";
import { z } from "zod";
import { siteRef, sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { CommandError } from "../command-error.ts";
import { openBelow } from "../paths.ts";
import { firstPage } from "../sites/first-page.ts";
import { POOL_PONG } from "../sites/pool.ts";
import { findSite, type SiteRecord, siteRecord, vhostFile } from "../sites/record.ts";
import { renderVhost } from "../sites/vhost.ts";
import {
  type Account,
  accountOf,
  endProcesses,
  findAccount,
  putAccount,
  removeAccount,
} from "./accounts.ts";
import { draftOf } from "./atomic.ts";
import * as folders from "./folders.ts";
import { putNameless } from "./nameless.ts";
import { applyVhost, type Check, refuseBrokenNginx } from "./nginx.ts";
import { putDocumentRoot } from "./pages.ts";
import { putPool, removeOtherPools } from "./pools.ts";
import { allOrNothing, type RootCtx, type Undo } from "./root-ctx.ts";
import { recordFor, refuseForeignFiles, refuseOther, refuseTakenNames } from "./site-shape.ts";
import { putUnit, removeUnit, restartUnit } from "./units.ts";

export const siteAnswer = z.object({ record: siteRecord, uid: z.number(), gid: z.number() });
export type SiteAnswer = z.output<typeof siteAnswer>;

export const putSiteInput = sitesCommands["site.provision"].input;

/** Makes a site, or brings it to another shape. */
export async function putSite(
  root: RootCtx,
  input: z.output<typeof putSiteInput>,
): Promise<SiteAnswer> {
  const before = findSite(root.settings, { siteId: input.siteId });
  return await bring(root, recordFor(root.settings, input, before), true);
}

export const changeSiteInput = z.strictObject({
  siteId: siteRef.shape.siteId,
  /** Given where the caller knows them: a site that differs is another one. */
  ref: siteRef.optional(),
  change: siteRecord
    .pick({ suspended: true, documentRoot: true, lastDay: true, certificate: true })
    .partial(),
});

/** Changes something of a site that is there. */
export async function changeSite(
  root: RootCtx,
  { siteId, ref, change }: z.output<typeof changeSiteInput>,
): Promise<SiteAnswer> {
  const before = findSite(root.settings, { siteId });
  if (!before) throw new CommandError("not_found", "the site is not on this server");
  if (ref) refuseOther(before, ref);
  const record = siteRecord.parse({ ...before, ...change });
  if (change.documentRoot !== undefined) await refuseMissing(root, record);
  return await bring(root, record, false);
}

async function refuseMissing(root: RootCtx, record: SiteRecord): Promise<void> {
  const below = folders.belowSites(root, record.rootPath);
  const path = record.documentRoot === "" ? below : `${below}/${record.documentRoot}`;
  const place = await openBelow(root.settings.sitesRoot, path);
  await place.close();
}

/** Brings user, folders, pool or service, and vhost to what the record says, or leaves all as it was. */
async function bring(root: RootCtx, record: SiteRecord, isMade: boolean): Promise<SiteAnswer> {
  const { settings } = root;
  folders.belowSites(root, record.rootPath);
  refuseTakenNames(settings, record);
  folders.refuseOverlap(root, record);
  refuseForeignFiles(settings, record);
  const vhost = renderVhost(settings, record);
  await refuseFullDisk(root);
  await refuseBrokenNginx(root, vhostFile(settings, record.siteId));
  const account = await allOrNothing(async (undo) => {
    const account = await place(root, record, isMade, undo);
    const undone = await runWith(root, record, account);
    if (undone) undo(undone);
    const file = vhostFile(settings, record.siteId);
    await applyVhost(root, { file, text: vhost.text, checks: checksOf(record, vhost) });
    return account;
  });
  const { runtime, suspended, phpVersion, unixUser } = record;
  await removeOtherPools(root, unixUser, runtime === "php" && !suspended ? phpVersion : null);
  if (suspended || runtime === "php" || runtime === "static") await removeUnit(root, unixUser);
  if (suspended) await endProcesses(settings, account.uid);
  // Now that the site is known to be served: nobody would take it back where something else has the port of TLS.
  await putNameless(root, record);
  return { record, uid: account.uid, gid: account.gid };
}

const LEAST_BYTES = 2 * 1024 * 1024;

async function refuseFullDisk({ settings }: RootCtx): Promise<void> {
  const { bavail, bsize } = await statfs(settings.sitesRoot);
  if (bavail * bsize < LEAST_BYTES) throw new CommandError("disk_full", "the disk is full");
}

/** The site's user and folders. */
async function place(
  root: RootCtx,
  record: SiteRecord,
  isMade: boolean,
  undo: (step: Undo) => void,
): Promise<Account> {
  const { account, isNew } = await putAccount(root, record);
  if (isNew) undo(async () => await removeAccount(root, record));
  if (isNew) undo(async () => await folders.removeDataFolders(root, record.unixUser));
  await folders.putDataFolders(root, account);
  const undoFolder = await folders.putRootFolder(root, record, account);
  if (undoFolder) undo(undoFolder);
  if (isMade) await putPages(root, record, account);
  return account;
}

async function putPages(root: RootCtx, record: SiteRecord, account: Account): Promise<void> {
  const page = firstPage(record);
  const isFile = record.runtime === "static" || record.runtime === "php";
  await putDocumentRoot(root, record, account, isFile ? page : null);
  if (!isFile && page) {
    await putDocumentRoot(root, { ...record, documentRoot: "" }, account, page);
  }
}

async function runWith(root: RootCtx, record: SiteRecord, account: Account): Promise<Undo | null> {
  if (record.suspended) return null;
  switch (record.runtime) {
    case "php": {
      const php = root.settings.phpFpm.find(({ version }) => version === record.phpVersion);
      if (!php) throw new CommandError("unavailable", "that version of PHP is not on this server");
      return await putPool(root, php, { ...record, ...account });
    }
    case "node":
    case "python":
      return await putUnit(root, record);
    case "static":
      return null;
    default:
      return record.runtime satisfies never;
  }
}

function checksOf(record: SiteRecord, vhost: ReturnType<typeof renderVhost>): Check[] {
  const { domain, certificate } = record;
  const { marker, markerPath, poolPath } = vhost;
  const isMarker: Check["isRight"] = (answer) => answer?.status === 200 && answer.body === marker;
  const checks: Check[] = [{ domain, path: markerPath, isRight: isMarker }];
  if (certificate) checks.push({ domain, path: markerPath, tls: true, isRight: isMarker });
  if (poolPath) {
    const isPong: Check["isRight"] = (answer) => answer?.body.trim() === POOL_PONG;
    checks.push({ domain, path: poolPath, isRight: isPong });
  }
  return checks;
}

export const restartSiteInput = siteRef.pick({ siteId: true });

/** For a site whose files are others now. */
export async function restartSite(
  root: RootCtx,
  { siteId }: z.output<typeof restartSiteInput>,
): Promise<void> {
  const record = findSite(root.settings, { siteId });
  if (!record) throw new CommandError("not_found", "the site is not on this server");
  await restartUnit(root, record.unixUser);
}

export const removeSiteInput = sitesCommands["site.deprovision"].input;

/**
 * Takes a site away. Its user goes last: as long as it is there a repeat knows whose the folder is. What is not known to
 * be this site's stays.
 */
export async function removeSite(
  root: RootCtx,
  input: z.output<typeof removeSiteInput>,
): Promise<{ removedFiles: boolean }> {
  const { settings } = root;
  folders.belowSites(root, input.rootPath);
  const record = findSite(settings, { siteId: input.siteId });
  if (record) refuseOther(record, input);
  const file = vhostFile(settings, input.siteId);
  const account = ownAccount(root, input);
  const checks = record ? goneChecks(root, record) : [];
  // With a user and without a file, a removal was cut off before or after nginx was told.
  await applyVhost(root, { file, text: null, checks, isUnsure: account !== null });
  // Of a user who is neither there nor on record nothing is known to be this site's.
  if (account || record) {
    await removeUnit(root, input.unixUser);
    await removeOtherPools(root, input.unixUser, null);
  }
  if (account) {
    await endProcesses(settings, account.uid);
    root.step("processes-ended");
  }
  const owner = await folders.folderOwner(root, input.rootPath);
  const isOurs = account !== null && (owner === null || owner === account.uid);
  let removedFiles = false;
  if (isOurs && input.removeFiles) removedFiles = await folders.removeFolder(root, input);
  else if (isOurs && owner !== null) await folders.keepFolder(root, input);
  await removeAccount(root, input);
  // Also the rest of a removal that was cut off after the user was gone.
  if (account || findAccount(settings, input.unixUser) === null) {
    await folders.removeDataFolders(root, input.unixUser);
  }
  await rm(draftOf(file), { force: true });
  return { removedFiles };
}

function ownAccount(root: RootCtx, input: z.output<typeof removeSiteInput>): Account | null {
  try {
    return accountOf(root.settings, input);
  } catch {
    // A user of that name who is not the site's is not touched.
    return null;
  }
}

function goneChecks(root: RootCtx, record: SiteRecord): Check[] {
  try {
    const { marker, markerPath } = renderVhost(root.settings, record);
    return [
      { domain: record.domain, path: markerPath, isRight: (answer) => answer?.body !== marker },
    ];
  } catch {
    // Of a version of PHP that is gone there is nothing that could be served.
    return [];
  }
}
