import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import { asCommandError } from "../paths.ts";
import {
  IDLE_POOL,
  type PhpFpm,
  type PoolOwner,
  poolFile,
  poolSocket,
  renderIdlePool,
  renderPool,
} from "../sites/pool.ts";
import { draftOf, replaceFile, textIn, writeDraft } from "./atomic.ts";
import { shadowOf } from "./included.ts";
import type { RootCtx, Undo } from "./root-ctx.ts";
import { reload } from "./services.ts";

/** Makes or changes a site's pool and waits until it takes connections; gives back how to undo a change. */
export async function putPool(root: RootCtx, php: PhpFpm, owner: PoolOwner): Promise<Undo | null> {
  const idle = join(php.poolDir, `${IDLE_POOL}.conf`);
  if ((await textIn(idle)) === null) await replaceFile(idle, renderIdlePool(root.settings, php));
  const file = poolFile(php, owner.unixUser);
  return await applyPool(root, php, file, {
    text: renderPool(root.settings, php, owner),
    socket: poolSocket(php, owner.unixUser),
  });
}

export async function removePool(root: RootCtx, php: PhpFpm, user: string): Promise<void> {
  const socket = poolSocket(php, user);
  await applyPool(root, php, poolFile(php, user), { text: null, socket });
  // PHP-FPM leaves the file of a socket that it has closed.
  await rm(socket, { force: true });
}

/** All pools of a site but the one of the version that it uses. */
export async function removeOtherPools(
  root: RootCtx,
  user: string,
  kept: string | null,
): Promise<void> {
  for (const php of root.settings.phpFpm) {
    if (php.version !== kept) await removePool(root, php, user);
  }
}

async function applyPool(
  root: RootCtx,
  php: PhpFpm,
  file: string,
  { text, socket }: { text: string | null; socket: string },
): Promise<Undo | null> {
  const before = await textIn(file);
  const isWanted = text !== null;
  if (before === text) {
    await reloadUntil(root, php, { socket, isWanted, toldAt: 0 });
    return null;
  }
  await stage(root, php, file, text);
  root.step("pool-tested");
  const undo = async () => {
    await replaceFile(file, before);
    await reload(root, php);
    root.step("pool-undone");
  };
  try {
    if (text === null) await rm(file, { force: true });
    else await rename(draftOf(file), file);
    root.step("pool-written");
    await reload(root, php);
    root.step("fpm-reloaded");
    await reloadUntil(root, php, { socket, isWanted, toldAt: Date.now() });
  } catch (error) {
    await undo().catch(() => undefined);
    throw asCommandError(error);
  }
  root.done.push(text === null ? "pool removed" : `pool of PHP ${php.version} written and running`);
  root.step("pool-done");
  return undo;
}

const mainFile = ({ configFile, version }: PhpFpm) =>
  configFile ?? `/etc/php/${version}/fpm/php-fpm.conf`;

/** A reload with a configuration that is wrong ends PHP-FPM and every site with it, so it is tested as it will be. */
async function stage(root: RootCtx, php: PhpFpm, file: string, text: string | null): Promise<void> {
  const draft = text === null ? null : await writeDraft(file, text);
  root.step("pool-drafted");
  const folder = await mkdtemp(join(root.settings.sites.dataDir, ".test-"));
  try {
    const others = (await readdir(php.poolDir))
      .filter((name) => name.endsWith(".conf") && !name.startsWith("."))
      .map((name) => join(php.poolDir, name))
      .filter((path) => path !== file);
    const copy = join(folder, "php-fpm.conf");
    await writeFile(
      copy,
      shadowOf({
        main: mainFile(php),
        folder: php.poolDir,
        files: draft === null ? others : [...others, draft],
        include: /^[ \t]*include[ \t]*=[ \t]*"?([^"\n;]+?)"?[ \t]*$/gm,
        write: (path) => `include=${path}`,
        copy: () => {
          throw new CommandError("broken_config", "PHP-FPM's configuration is nested too deep");
        },
      }),
    );
    const fault = await faultOf(root, php, copy);
    if (fault === null) return;
    const now = await faultOf(root, php, mainFile(php));
    const isOurs = now === null || now.startsWith(`${file}:`);
    throw new CommandError(
      "broken_config",
      isOurs
        ? "PHP-FPM refuses the site's pool: nothing was changed"
        : `PHP-FPM's configuration is broken${now && ` at ${now}`}, which is not the site's: nothing was changed`,
    );
  } catch (error) {
    if (draft !== null) await rm(draft, { force: true });
    throw asCommandError(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function faultOf(root: RootCtx, php: PhpFpm, file: string): Promise<string | null> {
  const { code, stderr } = await root.run(`php-fpm${php.version}`, ["-t", "-y", file]);
  return code === 0 ? null : (/\[(\/[^\]\n]+:\d+)\]/.exec(stderr)?.[1] ?? "");
}

const PAUSE_MS = 15;
/** An order to reload that comes while PHP-FPM is reloading is lost, so it is given again. */
const REPEAT_MS = 1_500;

/** Waits until the pool takes connections, or does no longer, and reloads where it does not come to that. */
async function reloadUntil(
  root: RootCtx,
  php: PhpFpm,
  { socket, isWanted, toldAt }: { socket: string; isWanted: boolean; toldAt: number },
): Promise<void> {
  const until = Date.now() + root.settings.sites.patienceMs;
  for (let told = toldAt; (await isListening(socket)) !== isWanted; ) {
    const now = Date.now();
    if (now > until) {
      const words = "PHP-FPM does not bring the site's pool to its new shape";
      throw new CommandError("tool_failed", words, { retryable: true });
    }
    if (now - told > REPEAT_MS) {
      await reload(root, php);
      told = now;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function isListening(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
