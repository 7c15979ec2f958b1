import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CommandError } from "../command-error.ts";
import { asCommandError, openBelow, type Place, partsOf, relativeTo, withPlace } from "../paths.ts";
import { listRecords } from "../sites/record.ts";
import { type Account, systemGroup } from "./accounts.ts";
import type { RootCtx, Undo } from "./root-ctx.ts";

/**
 * A site's folders. The root is 0750, its user's, with the web server's group: nobody else's site gets in, and what is
 * in it may have any mode. Logs, temporary files and sockets lie elsewhere, in a folder that belongs to root.
 */
export interface FolderOwner {
  siteId: string;
  unixUser: string;
  rootPath: string;
}

const ROOT_MODE = 0o750;
const MODE_BITS = 0o7777;

/** The site's root below the folder of all sites, as text. */
export function belowSites(root: RootCtx, rootPath: string): string {
  const relative = relativeTo(root.settings.sitesRoot, rootPath);
  if (relative === null || relative === "") {
    throw new CommandError("invalid", "the folder is not below the server's folder of sites");
  }
  partsOf(relative);
  return relative;
}

/** Throws `conflict` when the folder is, holds or lies in another site's. */
export function refuseOverlap({ settings }: RootCtx, owner: FolderOwner): void {
  const overlaps = listRecords(settings).some(
    ({ siteId, rootPath }) =>
      siteId !== owner.siteId &&
      (relativeTo(rootPath, owner.rootPath) !== null ||
        relativeTo(owner.rootPath, rootPath) !== null),
  );
  if (overlaps) throw new CommandError("conflict", "the folder belongs to another site");
}

/**
 * Logs (root's), temporary files (the user's), the place of the process's socket (the user's, passable for the web
 * server, whose group what is made in it gets): made, or brought to their owners and modes.
 */
export async function putDataFolders(root: RootCtx, account: Account): Promise<void> {
  const { dataDir } = root.settings.sites;
  const own = join(dataDir, account.name);
  await mkdir(own, { recursive: true, mode: 0o755 });
  for (const [name, uid, gid, mode] of [
    ["log", 0, account.gid, 0o750],
    ["tmp", account.uid, account.gid, 0o700],
    ["run", account.uid, systemGroup(root.settings.sites.webGroup), 0o2710],
  ] as const) {
    await mkdir(join(own, name)).catch(ignore("EEXIST"));
    await withPlace(own, name, async ({ handle }) => {
      await handle.chown(uid, gid);
      await handle.chmod(mode);
    });
  }
  root.step("data-folders-made");
}

/** The root of a site, made or brought to its owner and mode; gives back how to undo a new one. */
export async function putRootFolder(
  root: RootCtx,
  owner: FolderOwner,
  account: Account,
): Promise<Undo | null> {
  const { sitesRoot } = root.settings;
  const relative = belowSites(root, owner.rootPath);
  const name = basename(relative);
  const above = await openParents(root, dirname(relative));
  try {
    const there = await above.folder(name).catch(nullWhen("not_found"));
    if (there) {
      await there.close();
      await adopt(root, above, name, owner, account);
      return null;
    }
    const draft = `.nusantara-new-${account.name}`;
    await mkdir(above.at(draft), { mode: 0o700 }).catch(ignore("EEXIST"));
    await own(above, draft, account, root);
    root.step("folder-drafted");
    await rename(above.at(draft), above.at(name));
  } catch (error) {
    throw asCommandError(error);
  } finally {
    await above.close();
  }
  root.done.push("folder made");
  root.step("folder-made");
  return async () => await removeTree(root, join(sitesRoot, relative));
}

/** Folders between all sites' and the site's: root's own, so that no user can put something else in their place. */
async function openParents(root: RootCtx, relative: string): Promise<Place> {
  let place = await openBelow(root.settings.sitesRoot, "");
  for (const part of relative === "." ? [] : partsOf(relative)) {
    const before = place;
    try {
      await mkdir(before.at(part), { mode: 0o755 }).catch(ignore("EEXIST"));
      place = await before.folder(part);
    } finally {
      await before.close();
    }
    const { uid, mode } = await place.handle.stat();
    if (uid !== 0 || (mode & 0o022) !== 0) {
      await place.close();
      throw new CommandError("conflict", "a folder above the site's is not the server's own");
    }
  }
  return place;
}

async function own(above: Place, name: string, account: Account, root: RootCtx): Promise<void> {
  const place = await above.folder(name);
  try {
    const { uid, gid, mode } = await place.handle.stat();
    const web = systemGroup(root.settings.sites.webGroup);
    if (uid !== account.uid || gid !== web) await place.handle.chown(account.uid, web);
    if ((mode & MODE_BITS) !== ROOT_MODE) await place.handle.chmod(ROOT_MODE);
  } finally {
    await place.close();
  }
}

/** A folder that is there already becomes the site's only when it is empty, was kept for this, or is the site's. */
async function adopt(
  root: RootCtx,
  above: Place,
  name: string,
  owner: FolderOwner,
  account: Account,
): Promise<void> {
  const place = await above.folder(name);
  try {
    const { uid } = await place.handle.stat();
    const entries = await readdir(place.path);
    if (uid !== account.uid && entries.length > 0) {
      if (uid !== 0 || !(await isKept(root, owner.rootPath))) {
        throw new CommandError("conflict", "the folder belongs to somebody else");
      }
      // As long as the folder itself is root's alone nobody can change anything in it meanwhile.
      const user = `${account.uid}:${account.gid}`;
      const { code } = await root.run("chown", ["-R", "-h", "-P", "--", user, "."], {
        cwd: join(root.settings.sitesRoot, belowSites(root, owner.rootPath)),
      });
      if (code !== 0) throw new CommandError("tool_failed", `chown ended with ${code}`);
      root.step("folder-handed-over");
    }
  } finally {
    await place.close();
  }
  await own(above, name, account, root);
  await rm(keptFile(root, owner.rootPath), { force: true });
}

/** Remembers a folder whose site is gone and whose files stay. */
const keptFile = ({ settings }: RootCtx, rootPath: string) =>
  join(
    settings.sites.dataDir,
    "kept",
    createHash("sha256").update(rootPath).digest("hex").slice(0, 32),
  );

const isKept = async (root: RootCtx, rootPath: string): Promise<boolean> =>
  (await readFile(keptFile(root, rootPath), "utf8").catch(() => "")) === rootPath;

/** Leaves the files where they are, behind a door that only root can open. */
export async function keepFolder(root: RootCtx, owner: FolderOwner): Promise<void> {
  const file = keptFile(root, owner.rootPath);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, owner.rootPath, { mode: 0o600 });
  root.step("folder-noted");
  const place = await openRoot(root, owner.rootPath);
  if (!place) return;
  try {
    await place.handle.chmod(0o700);
    await place.handle.chown(0, 0);
  } finally {
    await place.close();
  }
  root.done.push("files kept");
  root.step("folder-kept");
}

/** Removes the site's files. Renamed first: whatever cuts this off, a half of them is never served or adopted. */
export async function removeFolder(root: RootCtx, owner: FolderOwner): Promise<boolean> {
  const relative = belowSites(root, owner.rootPath);
  const above = await openBelow(root.settings.sitesRoot, parentOf(relative)).catch(
    nullWhen("not_found"),
  );
  if (!above) return false;
  const trash = `.nusantara-trash-${owner.unixUser}`;
  const trashPath = join(root.settings.sitesRoot, dirname(relative), trash);
  let isRemoved = false;
  try {
    for (const name of await readdir(above.path)) {
      if (name === trash || isRestoreOf(basename(relative), name)) {
        await removeTree(root, join(dirname(trashPath), name));
      }
    }
    const place = await above.folder(basename(relative)).catch(nullWhen("not_found"));
    if (place) {
      await place.close();
      await rename(above.at(basename(relative)), above.at(trash));
      isRemoved = true;
      root.step("folder-renamed");
    }
  } finally {
    await above.close();
  }
  await removeTree(root, trashPath);
  await rm(keptFile(root, owner.rootPath), { force: true });
  if (isRemoved) root.done.push("files removed");
  root.step("folder-removed");
  return isRemoved;
}

/** What a restore that was cut off has left beside a site's folder: its files as well. */
function isRestoreOf(site: string, name: string): boolean {
  const rest = name.startsWith(`.${site}.`) ? name.slice(site.length + 2) : "";
  return rest === "restore" || rest === "before" || /^after-[A-Za-z0-9_-]+$/.test(rest);
}

const parentOf = (relative: string) => (dirname(relative) === "." ? "" : dirname(relative));

/** Whose files a site's folder are, by the folder itself; null when there is none. */
export async function folderOwner(root: RootCtx, rootPath: string): Promise<number | null> {
  const place = await openRoot(root, rootPath);
  if (!place) return null;
  try {
    return (await place.handle.stat()).uid;
  } finally {
    await place.close();
  }
}

const openRoot = async (root: RootCtx, rootPath: string): Promise<Place | null> =>
  await openBelow(root.settings.sitesRoot, belowSites(root, rootPath)).catch(nullWhen("not_found"));

/** GNU rm walks by opened folders and follows no link. Everything it is given here is below root's own folders. */
export async function removeTree(root: RootCtx, path: string): Promise<void> {
  const { code } = await root.run("rm", ["-rf", "--one-file-system", "--", path]);
  if (code !== 0) throw new CommandError("tool_failed", `rm ended with ${code}`);
}

export async function removeDataFolders(root: RootCtx, user: string): Promise<void> {
  await removeTree(root, join(root.settings.sites.dataDir, user));
  root.step("data-folders-removed");
}

/** For a `catch`: lets one code of the system pass. */
export const ignore =
  (code: string) =>
  (error: unknown): void => {
    if (!(error instanceof Error && "code" in error && error.code === code)) throw error;
  };

/** For a `catch`: null for one code of ours. */
export const nullWhen =
  (code: CommandError["code"]) =>
  (error: unknown): null => {
    if (error instanceof CommandError && error.code === code) return null;
    throw error;
  };
