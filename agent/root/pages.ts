import { constants } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { asCommandError, openBelow, type Place, partsOf } from "../paths.ts";
import type { FirstPage } from "../sites/first-page.ts";
import type { Account } from "./accounts.ts";
import { belowSites, type FolderOwner, ignore, nullWhen } from "./folders.ts";
import type { RootCtx } from "./root-ctx.ts";

/** A document root below the site's root, made where it is missing, with a first page where it is empty. */
export async function putDocumentRoot(
  root: RootCtx,
  owner: FolderOwner & { documentRoot: string },
  account: Account,
  page: FirstPage | null,
): Promise<void> {
  let place = await openBelow(root.settings.sitesRoot, belowSites(root, owner.rootPath));
  try {
    for (const part of partsOf(owner.documentRoot)) {
      await mkdir(place.at(part), { mode: 0o755 }).catch(ignore("EEXIST"));
      const next = await place.folder(part);
      await place.close();
      place = next;
      // Only what was just made is root's; a folder of the user stays as it is.
      if ((await place.handle.stat()).uid === 0) {
        await place.handle.chown(account.uid, account.gid);
      }
    }
    const names = await readdir(place.path);
    if (page && names.every((name) => name === page.name)) await putPage(place, page, account);
  } catch (error) {
    throw asCommandError(error);
  } finally {
    await place.close();
  }
  root.step("document-root-made");
}

/** Whole or not at all: one that was cut off before it was handed over is written again. */
async function putPage(place: Place, { name, text }: FirstPage, account: Account): Promise<void> {
  const there = await place
    .open(name, constants.O_RDONLY | constants.O_NONBLOCK)
    .catch(nullWhen("not_found"));
  if (there) {
    const { uid, nlink } = await there.stat().finally(() => there.close());
    if (uid !== 0 || nlink !== 1) return;
    await rm(place.at(name), { force: true });
  }
  const file = await place.open(name, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    await file.writeFile(text);
    await file.chmod(0o644);
    await file.chown(account.uid, account.gid);
  } catch (error) {
    await rm(place.at(name), { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
