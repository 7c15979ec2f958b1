import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { chmod, mkdir, open, readdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  compareVersions,
  type ReleaseManifest,
  type SignedRelease,
} from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";
import {
  currentLink,
  type Places,
  PROGRAM,
  privilegedLink,
  releaseDir,
  releaseFile,
  releasesDir,
  stagingDir,
  VERSION,
  versionAt,
} from "./layout.ts";
import { type Trust, verifyRelease } from "./verify.ts";

const KEEP = 3;

/**
 * Puts a staged release beside the others. Runs as root and believes nobody: signature and version are checked here
 * again, and the hash over the copy that nobody else can write, so a file that is swapped meanwhile is found. A version
 * that lies there already was put there by this very function.
 */
export async function installRelease(
  places: Places,
  release: SignedRelease,
  trust: Trust,
): Promise<ReleaseManifest> {
  const facts = verifyRelease(release, trust);
  const target = releaseDir(places, facts.version);
  const old = await hashOf(join(target, PROGRAM));
  if (old === facts.sha256) return facts;
  const draft = join(releasesDir(places), `.new-${facts.version}`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o755 });
  try {
    await copyStaged(
      join(stagingDir(places), `${facts.version}.mjs`),
      join(draft, PROGRAM),
      facts.size,
    );
    if ((await hashOf(join(draft, PROGRAM))) !== facts.sha256) {
      throw new CommandError("integrity", "the staged file is not the one that was signed");
    }
    await chmod(join(draft, PROGRAM), 0o644);
    await chmod(draft, 0o755);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  await prune(places, facts.version);
  return facts;
}

async function copyStaged(from: string, to: string, size: number): Promise<void> {
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
  if (!source) throw new CommandError("not_found", "no release has been staged");
  try {
    const stat = await source.stat();
    if (!stat.isFile() || stat.size !== size) {
      throw new CommandError("integrity", "the staged file is not the one that was signed");
    }
    const bytes = Buffer.alloc(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await source.read(bytes, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    const copy = await open(to, "wx", 0o644);
    await copy.writeFile(bytes.subarray(0, at));
    await copy.sync();
    await copy.close();
  } finally {
    await source.close();
  }
}

async function hashOf(file: string): Promise<string | null> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
  if (!handle) return null;
  try {
    const hash = createHash("sha256");
    for await (const piece of handle.createReadStream({ autoClose: false })) hash.update(piece);
    return hash.digest("hex");
  } finally {
    await handle.close();
  }
}

/** Of the releases the newest few stay, and whatever a link names. */
async function prune(places: Places, added: string): Promise<void> {
  const folder = releasesDir(places);
  const all = (await readdir(folder)).filter((name) => VERSION.test(name)).sort(compareVersions);
  const kept = new Set([
    ...all.slice(-KEEP),
    ...[added, versionAt(currentLink(places)), versionAt(privilegedLink(places))],
  ]);
  for (const version of all) {
    if (!kept.has(version)) await rm(join(folder, version), { recursive: true, force: true });
  }
}

/**
 * Makes an installed release the privileged half too, once its other half has proven itself. Whoever holds the agent's
 * own half may ask for this, so the release is asked for its signature again: an older one, whose faults are known,
 * comes back only where its own manifest says so. `check` runs it and answers the version that it says it is: one that
 * cannot even say that never gets a root's rights.
 */
export async function adoptRelease(
  places: Places,
  release: SignedRelease,
  trust: Trust,
  check: (file: string) => Promise<string>,
): Promise<ReleaseManifest> {
  const now = versionAt(privilegedLink(places));
  const facts = verifyRelease(release, { ...trust, version: now ?? trust.version });
  const { version } = facts;
  const hash = await hashOf(releaseFile(places, version));
  if (hash === null) throw new CommandError("not_found", `release ${version} is not installed`);
  if (hash !== facts.sha256) {
    throw new CommandError("integrity", `release ${version} is not installed as it was signed`);
  }
  if (now === version) return facts;
  if ((await check(releaseFile(places, version))) !== version) {
    throw new CommandError("tool_failed", `release ${version} does not run here`);
  }
  await replaceLink(privilegedLink(places), releaseDir(places, version));
  return facts;
}

/** Points a link elsewhere in one step: whoever follows it finds the old one or the new one. */
export async function replaceLink(link: string, target: string): Promise<void> {
  const draft = `${link}.new`;
  await mkdir(dirname(link), { recursive: true });
  await rm(draft, { force: true });
  await symlink(target, draft);
  await rename(draft, link);
}
