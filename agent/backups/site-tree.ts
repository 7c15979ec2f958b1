import type { Stats } from "node:fs";
import { lchown, lstat, mkdir, opendir, rename } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { openBelow, type Place, partsOf, relativeTo } from "../paths.ts";
import { codeOf, removeTree } from "./folder.ts";
import type { Stage, StartStage } from "./processes.ts";
import { startPacking, startUnpacking } from "./tree.ts";

export interface Owner {
  uid: number;
  gid: number;
}

/**
 * A site's folder, and what a restore puts beside it: `.<name>.restore` holds the new tree where the site's user cannot
 * reach it, `.<name>.before` is the old one until the new one has been read back, `.<name>.after-<id>` the old one from
 * then on. So what a killed restore has come to can be told by the names alone.
 */
export class SiteTree {
  readonly #above: Place;
  readonly #name: string;
  readonly #opened: Place[] = [];

  private constructor(above: Place, name: string) {
    this.#above = above;
    this.#name = name;
  }

  static async open({ settings }: Pick<AgentCtx, "settings">, rootPath: string): Promise<SiteTree> {
    const relative = relativeTo(settings.sitesRoot, rootPath);
    const parts = relative ? partsOf(relative) : [];
    const name = parts.pop();
    if (name === undefined)
      throw new CommandError("invalid", "the site's folder is not below the folder of sites");
    return new SiteTree(await openBelow(settings.sitesRoot, parts.join("/")), name);
  }

  async close(): Promise<void> {
    for (const place of this.#opened) await place.close();
    await this.#above.close();
  }

  get #restore(): string {
    return `.${this.#name}.restore`;
  }
  get #before(): string {
    return `.${this.#name}.before`;
  }
  #after(restoreId: string): string {
    return `.${this.#name}.after-${restoreId}`;
  }

  /** Of the site's folder; null when there is none. */
  async owner(): Promise<Owner | null> {
    const found = await this.#stat(this.#name);
    return found && { uid: found.uid, gid: found.gid };
  }

  /** Where the new tree lies: its disk is the one that must have room. */
  get diskPath(): string {
    return this.#above.path;
  }

  /** The site's folder as a tar stream. */
  async pack(start: StartStage): Promise<Stage> {
    return startPacking(start, await this.#folder(this.#above, this.#name));
  }

  /** The new tree as a tar stream. */
  async packNew(start: StartStage): Promise<Stage> {
    return startPacking(start, await this.#newFolder());
  }

  /** An empty place for the new tree, and tar that fills it. */
  async unpack(start: StartStage): Promise<Stage> {
    await removeTree(this.#at(this.#restore));
    await mkdir(this.#at(this.#restore), { mode: 0o700 });
    await mkdir(join(this.#at(this.#restore), "tree"), { mode: 0o700 });
    return startUnpacking(start, await this.#newFolder());
  }

  /** A site that was made again has another user: what was its user's is given to the one it has now. */
  async giveTo(from: Owner, to: Owner): Promise<void> {
    if (from.uid === to.uid && from.gid === to.gid) return;
    await chownTree(join(this.#at(this.#restore), "tree"), (found) => ({
      uid: found.uid === from.uid ? to.uid : found.uid,
      gid: found.gid === from.gid ? to.gid : found.gid,
    }));
  }

  /** The new tree takes the site's place. */
  async swap(): Promise<void> {
    // A site without a folder had an empty one: so there is always something to go back to.
    if (!(await this.#stat(this.#name))) await mkdir(this.#at(this.#name), { mode: 0o750 });
    await rename(this.#at(this.#name), this.#at(this.#before));
    await rename(join(this.#at(this.#restore), "tree"), this.#at(this.#name));
    await this.#above.handle.sync();
  }

  /** What was there is there again, from wherever the swap had come to; nothing where there was none. */
  async putBack(): Promise<void> {
    if (!(await this.#stat(this.#before))) return;
    if (await this.#stat(this.#name)) {
      await removeTree(this.#at(this.#restore));
      await mkdir(this.#at(this.#restore), { mode: 0o700 });
      await rename(this.#at(this.#name), join(this.#at(this.#restore), "tree"));
    }
    await rename(this.#at(this.#before), this.#at(this.#name));
    await this.#above.handle.sync();
  }

  /** From here on there is no way back: the new tree was read and is right. */
  async keep(restoreId: string): Promise<void> {
    if (await this.#stat(this.#before)) {
      await rename(this.#at(this.#before), this.#at(this.#after(restoreId)));
      await this.#above.handle.sync();
    }
  }

  /** Whether this restore had come to its good end before it was killed. */
  async isKept(restoreId: string): Promise<boolean> {
    return (await this.#stat(this.#after(restoreId))) !== null;
  }

  /** Removes what is left beside the site's folder. */
  async tidy(restoreId: string): Promise<void> {
    await removeTree(this.#at(this.#restore));
    await removeTree(this.#at(this.#after(restoreId)));
  }

  #at(name: string): string {
    return this.#above.at(name);
  }

  async #stat(name: string): Promise<Stats | null> {
    try {
      return await lstat(this.#at(name));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return null;
      throw error;
    }
  }

  async #newFolder(): Promise<string> {
    const holding = await this.#above.folder(this.#restore);
    this.#opened.push(holding);
    return await this.#folder(holding, "tree");
  }

  /** Opened through its parent and never through a link; a child of this process sees it by our own number. */
  async #folder(above: Place, name: string): Promise<string> {
    const place = await above.folder(name);
    this.#opened.push(place);
    return `/proc/${process.pid}/fd/${place.handle.fd}`;
  }
}

async function chownTree(path: string, ownerOf: (found: Stats) => Owner): Promise<void> {
  const found = await lstat(path);
  const { uid, gid } = ownerOf(found);
  if (uid !== found.uid || gid !== found.gid) await lchown(path, uid, gid);
  if (!found.isDirectory()) return;
  for await (const entry of await opendir(path)) await chownTree(join(path, entry.name), ownerOf);
}

/** Works with a site's folder and closes it, whatever happens. */
export async function withSiteTree<T>(
  ctx: Pick<AgentCtx, "settings">,
  rootPath: string,
  work: (tree: SiteTree) => Promise<T>,
): Promise<T> {
  const tree = await SiteTree.open(ctx, rootPath);
  try {
    return await work(tree);
  } finally {
    await tree.close();
  }
}
