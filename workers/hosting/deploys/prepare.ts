import type { HostEntry } from "../drivers/index.ts";
import type { DeployWork } from "./rows.ts";
import { enter, GivenUp, goOn, need, type Run, StepFailed } from "./run.ts";

const MODE = "755";
/** Listing more folders than that takes too long; the top is compared in any case. */
const MOST_LISTED = 40;
/** Uploading, as a part of the whole. */
const [UPLOAD_FROM, UPLOAD_TO] = [5, 60];

/** Its panel may keep this one file of a site to itself (providers/aapanel.md), for the limits that it sets to PHP. */
const PHP_LIMITS = ".user.ini";

/** Words of the contract. */
const UPLOAD = "Upload gagal";
const EXTRACT = "Extract gagal";

/**
 * Brings the archive to the server and unpacks it into the release's own folder, which nobody is served yet. Every step
 * may be repeated, and a repeat does: after a kill all of it, save the bytes that are there.
 */
export async function prepareRelease(run: Run): Promise<void> {
  const { deploy, site, turn } = run;
  const { driver } = turn;
  const { archive, folder } = deploy;
  if (archive === null) throw new GivenUp("File tidak ditemukan");
  await goOn(run, UPLOAD_FROM);
  await need(UPLOAD, driver.makeDirectory(site, "releases"));
  await need(UPLOAD, driver.makeDirectory(site, folder));
  await enter(run, "uploading");
  const packed = archivePath(folder, archive.format);
  await upload(run, packed, archive);
  await enter(run, "extracting");
  await goOn(run, UPLOAD_TO + 5);
  const renamed = renamedFolder(run.deploy);
  // Of an attempt that was cut off: what is unpacked now takes its place.
  if (renamed) await need(EXTRACT, driver.removeDirectory(site, renamed.to));
  await need(EXTRACT, driver.extract(site, packed, folder));
  await enter(run, "verifying");
  await goOn(run, UPLOAD_TO + 15);
  await verify(run);
  if (renamed) await rename(run, renamed);
  await need(EXTRACT, driver.removeFile(site, packed));
  await goOn(run, UPLOAD_TO + 20);
  await placeMarker(run);
  await need(EXTRACT, driver.setPermissions(site, folder, MODE));
}

const MAC_OS = ["__MACOSX", ".DS_Store"];

interface Renamed {
  name: string;
  from: string;
  to: string;
}

/** The only folder of an archive, where it is served under a plainer name; see SQL function `hosting_web_folder`. */
function renamedFolder({ archive, folder, documentRoot }: DeployWork): Renamed | null {
  const only = archive?.top.find(({ name }) => !MAC_OS.includes(name));
  const from = `${folder}/${only?.name}`;
  if (!only || documentRoot === folder || documentRoot === from) return null;
  return { name: only.name, from, to: documentRoot };
}

async function rename({ site, turn }: Run, { name, from, to }: Renamed): Promise<void> {
  const moved = await turn.driver.move(site, from, to);
  if (moved.state === "refused" && moved.reason === "invalid") {
    throw new GivenUp(
      `Deploy gagal: nama folder "${name}" di arsip tidak didukung. Pakai huruf, angka, titik, "-" atau "_" saja.`,
    );
  }
  if (moved.state !== "done") throw new StepFailed(moved, EXTRACT);
}

/** Beside the release, not in it, under the same name that nobody can guess. */
export const archivePath = (folder: string, format: "zip" | "tar.gz" | "tar") =>
  `${folder}.${format === "zip" ? "zip" : "tar.gz"}`;

/** In pieces, each read from R2 by its range: the whole archive is never in memory. */
async function upload(
  run: Run,
  path: string,
  { key, size }: { key: string; size: number },
): Promise<void> {
  const { ctx, site, turn } = run;
  const read = async (offset: number, length: number) => {
    const object = await ctx.assets.get(key, { range: { offset, length } });
    if (object === null) throw new GivenUp("File tidak ditemukan");
    return new Uint8Array(await object.arrayBuffer());
  };
  const onProgress = async (sent: number) => {
    await goOn(run, UPLOAD_FROM + ((UPLOAD_TO - UPLOAD_FROM) * sent) / size);
    return true;
  };
  await need(UPLOAD, turn.driver.uploadFile(site, { path, source: { size, read }, onProgress }));
}

/** An archive that the server unpacked in part is said to be unpacked, too: what lies there is counted. */
async function verify(run: Run): Promise<void> {
  const { deploy, site, turn } = run;
  const top = await need(EXTRACT, turn.driver.listDirectory(site, deploy.folder));
  const missing = (deploy.archive?.top ?? []).filter(
    ({ name, kind, size }) =>
      !top.some(
        (entry) =>
          entry.name === name &&
          (entry.kind === "directory") === (kind === "folder") &&
          (size === null || entry.size === size),
      ),
  );
  if (missing.some(({ name }) => name !== PHP_LIMITS)) throw incomplete();
  const all = await countAll(run, top);
  if (all === null) return;
  const bytes = all.bytes + missing.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const isWhole = all.files + missing.length === deploy.files && bytes === deploy.unpackedBytes;
  if (!isWhole) throw incomplete();
}

/** As a failure of the server that may pass: unpacked again, it may be whole. */
const incomplete = () =>
  new StepFailed(
    { state: "refused", reason: "refused", retryable: true, detail: "the folder is incomplete" },
    EXTRACT,
  );

/** Files and bytes of a release; null when it has too many folders, or one of a name that cannot be asked for. */
async function countAll(
  { deploy, site, turn }: Run,
  top: HostEntry[],
): Promise<{ files: number; bytes: number } | null> {
  const found = { files: 0, bytes: 0 };
  const waiting: { path: string; entries: HostEntry[] | null }[] = [
    { path: deploy.folder, entries: top },
  ];
  for (let listed = 0; waiting.length > 0; listed += 1) {
    const { path, entries } = waiting.pop() ?? { path: "", entries: [] };
    if (listed > MOST_LISTED) return null;
    const result = entries ? null : await turn.driver.listDirectory(site, path);
    if (result?.state === "refused" && result.reason === "invalid") return null;
    if (result && result.state !== "done") throw new StepFailed(result, EXTRACT);
    for (const { name, kind, size } of entries ?? result?.value ?? []) {
      if (kind === "directory") waiting.push({ path: `${path}/${name}`, entries: null });
      else if (name !== deploy.marker) {
        found.files += 1;
        found.bytes += size;
      }
    }
  }
  return found;
}

/** An earlier release that is to be served again must still be there. */
export async function prepareRollback(run: Run): Promise<void> {
  const { deploy, site, turn } = run;
  await goOn(run, UPLOAD_TO);
  const listed = await turn.driver.listDirectory(site, deploy.documentRoot);
  if (listed.state === "refused" && listed.reason === "not_found") {
    throw new GivenUp("Rilis sudah tidak ada di server");
  }
  if (listed.state !== "done") throw new StepFailed(listed, "Rollback gagal");
  await placeMarker(run);
  const marker = `${deploy.documentRoot}/${deploy.marker}`;
  await need("Rollback gagal", turn.driver.setPermissions(site, marker, MODE));
}

/** A file that no other release has: who gets it from the web server is served this release. */
async function placeMarker({ deploy, site, turn }: Run): Promise<void> {
  const bytes = new TextEncoder().encode(deploy.id);
  const source = {
    size: bytes.length,
    read: async (start: number, length: number) => bytes.slice(start, start + length),
  };
  const path = `${deploy.documentRoot}/${deploy.marker}`;
  await need(UPLOAD, turn.driver.uploadFile(site, { path, source }));
}
