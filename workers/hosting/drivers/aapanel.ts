import type { Aapanel } from "../../../shared/providers/aapanel.ts";
import type { HostDriver, HostResult, SiteRef } from "./driver.ts";
import { probe } from "./probe.ts";
import { refused, resultOf } from "./results.ts";
import { type ChunkWay, uploadInChunks } from "./upload.ts";

const CHUNK_BYTES = 2 * 1024 * 1024;

/** The driver of a server that aaPanel runs. A site's name there is its domain. */
export function aapanelDriver(panel: Aapanel, webAddress: string): HostDriver {
  return {
    ...siteCalls(panel),
    ...accountCalls(panel),
    ...certificateCalls(panel),
    ...fileCalls(panel),
    setDocumentRoot: (site, path) =>
      resultOf(() => panel.setRunPath(named(site), path === "" ? "/" : `/${path}`)),
    probe: (site, path) => probe(webAddress, site.domain, path),
  };
}

const named = ({ hostSiteId, domain }: SiteRef) => ({ id: hostSiteId, name: domain });

/** A path on the server; the client refuses what is not in plain form. */
const below = ({ root }: SiteRef, path: string) => (path === "" ? root : `${root}/${path}`);

type SiteCalls = Pick<
  HostDriver,
  "createSite" | "findSite" | "startSite" | "stopSite" | "deleteSite" | "setLastDay"
>;

const siteCalls = (panel: Aapanel): SiteCalls => ({
  createSite: (input) =>
    resultOf(async () => {
      const { domain, root } = input;
      const { id, ...made } = await panel.addSite({ ...input, path: root });
      return { site: { hostSiteId: id, domain, root }, ...made };
    }),
  findSite: (domain) =>
    resultOf(async () => {
      const found = await panel.findSite(domain);
      if (!found) return null;
      const { id: hostSiteId, path: root, running, note, lastDay } = found;
      return { hostSiteId, domain, root, running, note, lastDay };
    }),
  startSite: (site) => resultOf(() => panel.setRunning(named(site), true)),
  stopSite: (site) => resultOf(() => panel.setRunning(named(site), false)),
  deleteSite: async (site) => {
    const result = await resultOf(() => panel.deleteSite(named(site)));
    // What the panel says of a site that is gone differs by version, so it is asked instead.
    if (result.state !== "refused") return result;
    const left = await resultOf(() => panel.findSite(site.domain));
    const isGone = left.state === "done" && left.value?.id !== site.hostSiteId;
    return isGone ? { state: "done", value: undefined } : result;
  },
  setLastDay: (site, lastDay) => resultOf(() => panel.setLastDay(named(site), lastDay)),
});

type AccountCalls = Pick<
  HostDriver,
  | "addFtp"
  | "findFtp"
  | "setFtpEnabled"
  | "setFtpPassword"
  | "removeFtp"
  | "addDatabase"
  | "findDatabase"
>;

const accountCalls = (panel: Aapanel): AccountCalls => ({
  addFtp: (site, account) =>
    resultOf(() => panel.addFtp({ ...account, path: site.root, note: site.domain })),
  findFtp: (username) =>
    resultOf(async () => {
      const found = await panel.findFtp(username);
      return found && { hostFtpId: found.id, username, enabled: found.enabled };
    }),
  setFtpEnabled: (account, enabled) =>
    resultOf(() => panel.setFtpEnabled({ ...account, id: account.hostFtpId }, enabled)),
  setFtpPassword: (account, password) =>
    resultOf(() => panel.setFtpPassword({ ...account, id: account.hostFtpId }, password)),
  removeFtp: (account) => resultOf(() => panel.deleteFtp({ ...account, id: account.hostFtpId })),
  addDatabase: (site, database) =>
    resultOf(() => panel.addDatabase({ ...database, siteId: site.hostSiteId, note: site.domain })),
  findDatabase: (name) =>
    resultOf(async () => {
      const found = await panel.findDatabase(name);
      return found && { hostDatabaseId: found.id };
    }),
});

type CertificateCalls = Pick<HostDriver, "issueCertificate" | "findCertificate">;

const certificateCalls = (panel: Aapanel): CertificateCalls => ({
  issueCertificate: (site) =>
    resultOf(async () => {
      const issued = await panel.applyCertificate(site.hostSiteId, [site.domain]);
      await panel.installCertificate(site.domain, issued);
    }),
  findCertificate: (site) => resultOf(() => panel.findCertificate(site.domain)),
});

type FileCalls = Pick<
  HostDriver,
  | "uploadFile"
  | "extract"
  | "setPermissions"
  | "makeDirectory"
  | "listDirectory"
  | "move"
  | "removeFile"
  | "removeDirectory"
>;

const fileCalls = (panel: Aapanel): FileCalls => ({
  uploadFile: (site, input) => {
    const path = below(site, input.path);
    const slash = path.lastIndexOf("/");
    const { size } = input.source;
    const file = { folder: path.slice(0, slash), name: path.slice(slash + 1), size };
    const send: ChunkWay["send"] = (start, bytes) =>
      resultOf(() => panel.uploadChunk({ ...file, start, bytes }));
    return uploadInChunks({ chunkBytes: CHUNK_BYTES, send }, input);
  },
  extract: (site, archive, into) =>
    resultOf(() => panel.extract(below(site, archive), below(site, into))),
  setPermissions: (site, path, mode) => resultOf(() => panel.setAccess(below(site, path), mode)),
  makeDirectory: (site, path) => resultOf(() => panel.makeDirectory(below(site, path))),
  listDirectory: async (site, path) => {
    const listed = await resultOf(() => panel.listDirectory(below(site, path)));
    if (listed.state !== "done") return listed;
    const { value } = listed;
    return value ? { state: "done", value } : refused("not_found", "there is no such folder");
  },
  move: (site, from, to) => resultOf(() => panel.move(below(site, from), below(site, to))),
  removeFile: (site, path) => notTheRoot(path, () => panel.removeEntry(below(site, path), "file")),
  removeDirectory: (site, path) =>
    notTheRoot(path, () => panel.removeEntry(below(site, path), "directory")),
});

async function notTheRoot(path: string, remove: () => Promise<void>): Promise<HostResult<void>> {
  if (path === "") return refused("invalid", "the root of a site is not removed");
  return await resultOf(remove);
}
