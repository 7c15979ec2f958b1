import type { Stats } from "node:fs";
import { chmod, lchown, lstat, mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { openBelow, type Place, partsOf, relativeTo } from "../paths.ts";
import { codeOf, removeTree } from "./folder.ts";
import type { Stage, StartStage } from "./processes.ts";
import { startPacking, startUnpacking } from "./tree.ts";
import { PLAIN_MODE } from "./tree-digest.ts";

const ALL_BITS = 0o7777;

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

  /**
   * Every file of the new tree is the site's account's, without setuid, setgid and sticky, whatever the archive says:
   * who can write an archive could otherwise have root make a program of root's. Throws for devices and sockets.
   */
  async giveTo(top: Owner, within: Owner): Promise<void> {
    const tree = join(this.#at(this.#restore), "tree");
    await settle(Buffer.from(tree), within);
    await lchown(tree, top.uid, top.gid);
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

/** Below a folder that nobody else can enter, so nothing changes between a look and what follows. */
async function settle(path: Buffer, owner: Owner): Promise<void> {
  const found = await lstat(path);
  if (found.isBlockDevice() || found.isCharacterDevice() || found.isSocket())
    throw new CommandError("integrity", "the archive holds what is no file of a site");
  if (found.uid !== owner.uid || found.gid !== owner.gid) await lchown(path, owner.uid, owner.gid);
  if (found.isSymbolicLink()) return;
  if (found.isDirectory()) {
    // Names are bytes: not all of them are text.
    for (const name of await readdir(path, { encoding: "buffer" }))
      await settle(Buffer.concat([path, Buffer.from("/"), name]), owner);
  }
  // After the owner: a change of that may take bits away, never add them.
  if ((found.mode & ALL_BITS) !== (found.mode & PLAIN_MODE))
    await chmod(path, found.mode & PLAIN_MODE);
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
