import { writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CommandError } from "../command-error.ts";
import { asCommandError } from "../paths.ts";
import type { Settings } from "../settings.ts";
import { type Answer, visit } from "../sites/visit.ts";
import { draftOf, replaceFile, textIn, writeDraft } from "./atomic.ts";
import { shadowOf } from "./included.ts";
import type { RootCtx } from "./root-ctx.ts";
import { haveRetired, nginxWorkers, reload } from "./services.ts";

const mainFile = ({ nginx }: Settings) => nginx.configFile ?? "/etc/nginx/nginx.conf";

const prefixOf = ({ nginx }: Settings) => (nginx.prefix === undefined ? [] : ["-p", nginx.prefix]);

/** Where nginx says that a configuration is wrong; null when it is right. */
async function faultOf(root: RootCtx, file: string): Promise<string | null> {
  const { code, stderr } = await root.run("nginx", [
    "-t",
    "-q",
    ...prefixOf(root.settings),
    "-c",
    file,
  ]);
  if (code === 0) return null;
  const [, where] = / in ([^\s:]+:\d+)\s*$/m.exec(stderr) ?? [];
  if (where !== undefined) return where;
  // A log, a certificate or a key: nginx names it in quotes.
  return /"(\/[^"\n]+)"/.exec(stderr)?.[1] ?? "";
}

/** Throws `broken_config` when nginx's configuration is broken by something that is not this site's own file. */
export async function refuseBrokenNginx(root: RootCtx, ownFile: string): Promise<void> {
  const fault = await faultOf(root, mainFile(root.settings));
  if (fault === null || fault.startsWith(`${ownFile}:`)) return;
  throw brokenBy(fault);
}

const brokenBy = (fault: string) =>
  new CommandError(
    "broken_config",
    fault === ""
      ? "nginx's configuration is broken and not by us: nothing was changed"
      : `nginx's configuration is broken at ${fault}, which is not the site's: nothing was changed`,
  );

/** A question to the web server, and what may be answered: null is no answer. */
export interface Check {
  domain: string;
  path: string;
  tls?: boolean;
  isRight(answer: Answer | null): boolean;
}

export interface Wanted {
  file: string;
  /** Null: the file goes. */
  text: string | null;
  /** All are right when nginx serves what is wanted. */
  checks: Check[];
  /** The answers alone do not tell: nginx is to read its configuration again in any case. */
  isUnsure?: boolean;
}

/**
 * Changes one vhost file: draft, `nginx -t` of the configuration with the draft in the file's place, move, reload, look.
 * Whatever fails, the file is as it was and nginx serves what it served.
 */
export async function applyVhost(root: RootCtx, wanted: Wanted): Promise<void> {
  const { file, text, checks, isUnsure = false } = wanted;
  await mkdir(dirname(file), { recursive: true, mode: 0o755 });
  const before = await textIn(file);
  if (before === text) {
    if (!isUnsure && (await areRight(root, checks))) return;
    await refuseBrokenNginx(root, file);
  } else {
    await stage(root, file, text);
    root.step("vhost-tested");
  }
  try {
    if (before !== text) {
      if (text === null) await rm(file, { force: true });
      else await rename(draftOf(file), file);
      root.step("vhost-written");
    }
    const former = await nginxWorkers(root);
    await reload(root, "nginx");
    root.step("nginx-reloaded");
    await untilRight(root, checks, former);
    root.step("vhost-verified");
  } catch (error) {
    if (before !== text) {
      await replaceFile(file, before);
      await reload(root, "nginx").catch(() => undefined);
    }
    throw asCommandError(error);
  }
  root.done.push(text === null ? "vhost removed" : "vhost written, tested and served");
}

/** Tests nginx's configuration as it will be. The copy of the main file lies beside it: includes are relative to there. */
async function stage(root: RootCtx, file: string, text: string | null): Promise<void> {
  const { settings } = root;
  const main = mainFile(settings);
  const draft = text === null ? null : await writeDraft(file, text);
  root.step("vhost-drafted");
  await removeStale(settings);
  const folder = await mkdtemp(join(settings.sites.dataDir, ".test-"));
  const copy = join(dirname(main), `.nusantara-${basename(folder)}.conf`);
  try {
    const names = await readdir(dirname(file));
    const others = names
      .filter((name) => name.endsWith(".conf") && !name.startsWith(".") && name !== basename(file))
      .map((name) => join(dirname(file), name));
    const shadow = shadowOf({
      main,
      folder: dirname(file),
      files: draft === null ? others : [...others, draft],
      include: /(?<=^[^#\n]*?[\s;{}]|^)include\s+"?([^\s";]+)"?\s*;/gm,
      write: (path) => `include ${path};`,
      copy: copier(folder),
    });
    await writeFile(copy, shadow);
    const fault = await faultOf(root, copy);
    if (fault === null) return;
    await refuseBrokenNginx(root, file);
    throw new CommandError(
      "broken_config",
      "nginx refuses the site's configuration: nothing was changed",
    );
  } catch (error) {
    if (draft !== null) await rm(draft, { force: true });
    throw asCommandError(error);
  } finally {
    await rm(copy, { force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a test that was cut off has left: there is only one at a time. */
async function removeStale(settings: Settings): Promise<void> {
  const { dataDir } = settings.sites;
  await mkdir(dataDir, { recursive: true, mode: 0o755 });
  for (const [folder, prefix] of [
    [dataDir, ".test-"],
    [dirname(mainFile(settings)), ".nusantara-"],
  ] as const) {
    for (const name of await readdir(folder)) {
      if (name.startsWith(prefix)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

function copier(folder: string): (text: string) => string {
  let count = 0;
  return (text) => {
    count += 1;
    const path = join(folder, `${count}.conf`);
    writeFileSync(path, text);
    return path;
  };
}

const PAUSE_MS = 15;
const VISIT_MS = 2_000;

/** A reload takes effect a moment after it was ordered, and for another moment the workers of before answer, too. */
async function untilRight(root: RootCtx, checks: Check[], former: number[]): Promise<void> {
  const until = Date.now() + root.settings.sites.patienceMs;
  for (;;) {
    const isOver = Date.now() > until;
    const isRight = (isOver || (await haveRetired(former))) && (await areRight(root, checks));
    if (isRight) return;
    if (isOver) break;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const words = "the web server does not serve the site as it should";
  throw new CommandError("tool_failed", words, { retryable: true });
}

async function areRight({ settings }: RootCtx, checks: Check[]): Promise<boolean> {
  for (const { domain, path, tls = false, isRight } of checks) {
    const ask = { domain, path, tls, timeoutMs: VISIT_MS };
    if (!isRight(await visit(settings, ask).catch(() => null))) return false;
  }
  return true;
}
