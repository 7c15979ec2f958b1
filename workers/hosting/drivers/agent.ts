import { hash } from "bcryptjs";
import type { FileEntry } from "../../../shared/agent-protocol/files.ts";
import type { AgentLine } from "./agent-line.ts";
import {
  filePath,
  nameOf,
  type OwnName,
  ownName,
  phpOf,
  sha1Twice,
  splitId,
} from "./agent-words.ts";
import type { HostDriver, HostEntry, HostResult, SiteRef } from "./driver.ts";
import { done, refused } from "./results.ts";
import { uploadInChunks } from "./upload.ts";

/** Below the longest frame once it is text. */
const CHUNK_BYTES = 256 * 1024;
/** bcrypt's; a password of twenty random characters needs no more. */
const COST = 10;

export interface AgentServer {
  /** Whom a certificate authority writes to. */
  email: string;
  hasDatabases: boolean;
}

/**
 * The driver of a server that our own agent runs. A site's user there is its SFTP account, and its database has the
 * same name: hosting gives all three one name.
 */
export function agentDriver(line: AgentLine, server: AgentServer): HostDriver {
  return {
    ...siteCalls(line, server),
    ...accountCalls(line),
    ...databaseCalls(line),
    ...certificateCalls(line, server),
    ...fileCalls(line),
    setDocumentRoot: (site, path) =>
      plain(line.tell("site.set-document-root", { ...refOf(site), documentRoot: path })),
    probe: async (site, path) => {
      const encoded = path.split("/").map(encodeURIComponent).join("/");
      return await line.ask("site.probe", { domain: site.domain, path: `/${encoded}`, tls: false });
    },
  };
}

/** The agent's words for a site of ours. */
const refOf = ({ hostSiteId, domain, root }: SiteRef) => ({
  ...splitId(hostSiteId),
  ...{ domain, rootPath: root },
});

/** What counts is that it was done. */
async function plain(result: Promise<HostResult<unknown>>): Promise<HostResult<void>> {
  const ended = await result;
  return ended.state === "done" ? done(undefined) : ended;
}

type SiteCalls = Pick<
  HostDriver,
  "createSite" | "findSite" | "startSite" | "stopSite" | "deleteSite" | "setLastDay"
>;

const siteCalls = (line: AgentLine, { hasDatabases }: AgentServer): SiteCalls => ({
  createSite: async (input) => {
    const { domain, root, aliases, phpVersion, ftp, database, note } = input;
    const own = ownName(note, ftp.username);
    const site: SiteRef = { hostSiteId: nameOf(own), domain, root };
    const made = await line.tell("site.provision", {
      ...{ ...own, domain, rootPath: root, aliases, note },
      ...(phpVersion === null
        ? { runtime: "static" }
        : { runtime: "php", phpVersion: phpOf(phpVersion) }),
    });
    if (made.state !== "done") return made;
    const ftpMade = (await setPassword(line, site, ftp.password)).state === "done";
    const databaseMade = database === null || (await makeDatabase(line, database)).state === "done";
    return done({ site, ftpMade, databaseMade });
  },
  findSite: async (domain) => {
    const seen = await line.ask("site.inspect", { domain });
    if (seen.state !== "done") return seen;
    const { site } = seen.value;
    if (!site) return done(null);
    const { rootPath: root, suspended, note, lastDay } = site;
    return done({
      ...{ hostSiteId: nameOf(site), domain, root, running: !suspended, note, lastDay },
    });
  },
  startSite: (site) => plain(line.tell("site.resume", refOf(site))),
  stopSite: (site) => plain(line.tell("site.suspend", refOf(site))),
  deleteSite: async (site) => {
    const removed = await line.tell("site.deprovision", { ...refOf(site), removeFiles: true });
    if (removed.state !== "done") return removed;
    return hasDatabases ? await dropDatabase(line, splitId(site.hostSiteId)) : done(undefined);
  },
  setLastDay: (site, lastDay) => plain(line.tell("site.set-last-day", { ...refOf(site), lastDay })),
});

async function setPassword(
  line: AgentLine,
  site: SiteRef,
  password: string,
): Promise<HostResult<void>> {
  const passwordHash = await hash(password, COST);
  return await plain(line.tell("sftp.set", { site: refOf(site), passwordHash }));
}

type AccountCalls = Pick<
  HostDriver,
  "addFtp" | "findFtp" | "setFtpEnabled" | "setFtpPassword" | "removeFtp"
>;

const accountCalls = (line: AgentLine): AccountCalls => ({
  addFtp: async (site, { username, password }) => {
    if (username !== splitId(site.hostSiteId).unixUser) {
      return refused("invalid", "a site's SFTP account has the name of its user");
    }
    return await setPassword(line, site, password);
  },
  findFtp: async (username) => {
    const found = await line.ask("sftp.find", { username });
    if (found.state !== "done") return found;
    const { account } = found.value;
    return done(account && { hostFtpId: account.siteId, username, enabled: account.enabled });
  },
  setFtpEnabled: async (account, enabled) => {
    const site = await siteOf(line, account.hostFtpId);
    if (site.state !== "done") return site;
    return await plain(line.tell("sftp.set", { site: refOf(site.value), enabled }));
  },
  setFtpPassword: async (account, password) => {
    const site = await siteOf(line, account.hostFtpId);
    return site.state === "done" ? await setPassword(line, site.value, password) : site;
  },
  removeFtp: async (account) => {
    const site = await siteOf(line, account.hostFtpId);
    if (site.state !== "done") {
      // The account goes with its site.
      const isGone = site.state === "refused" && site.reason === "not_found";
      return isGone ? done(undefined) : site;
    }
    return await plain(line.tell("sftp.remove", { site: refOf(site.value) }));
  },
});

async function siteOf(line: AgentLine, siteId: string): Promise<HostResult<SiteRef>> {
  const seen = await line.ask("site.inspect", { siteId });
  if (seen.state !== "done") return seen;
  const { site } = seen.value;
  if (!site) return refused("not_found", "the site is not on the server");
  return done({ hostSiteId: nameOf(site), domain: site.domain, root: site.rootPath });
}

type DatabaseCalls = Pick<HostDriver, "addDatabase" | "findDatabase">;

const databaseCalls = (line: AgentLine): DatabaseCalls => ({
  addDatabase: (_site, database) => makeDatabase(line, database),
  findDatabase: async (name) => {
    const listed = await line.ask("db.list", {});
    if (listed.state !== "done") return listed;
    const isThere = listed.value.databases.some((one) => one.name === name && !one.system);
    return done(isThere ? { hostDatabaseId: name } : null);
  },
});

/** A database with a user of the same name. */
async function makeDatabase(
  line: AgentLine,
  { name, password }: { name: string; password: string },
): Promise<HostResult<void>> {
  const made = await line.tell("db.create", { database: name });
  if (made.state !== "done") return made;
  const account = { database: name, username: name, host: "localhost" };
  const passwordHash = await sha1Twice(password);
  return await plain(line.tell("db.create-user", { ...account, passwordHash }));
}

async function dropDatabase(line: AgentLine, { unixUser }: OwnName): Promise<HostResult<void>> {
  const dropped = await line.tell("db.drop", { database: unixUser });
  if (dropped.state !== "done") return dropped;
  return await plain(line.tell("db.drop-user", { username: unixUser, host: "localhost" }));
}

type CertificateCalls = Pick<HostDriver, "issueCertificate" | "findCertificate">;

const certificateCalls = (line: AgentLine, { email }: AgentServer): CertificateCalls => ({
  issueCertificate: ({ hostSiteId, domain }) => {
    const { siteId } = splitId(hostSiteId);
    return plain(line.tell("ssl.issue", { siteId, domain, email, staging: false }));
  },
  findCertificate: async ({ domain }) => {
    const seen = await line.ask("ssl.inspect", { domain });
    if (seen.state !== "done") return seen;
    const found = seen.value.certificates.find(({ names }) => names.includes(domain));
    return done(found ? { issuer: found.issuer, notAfter: new Date(found.notAfter) } : null);
  },
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

const fileCalls = (line: AgentLine): FileCalls => {
  const remove = (site: SiteRef, path: string, kind: "file" | "directory") =>
    onPaths([path], () => plain(line.tell("file.remove", { site: refOf(site), path, kind })));
  return {
    uploadFile: (site, input) =>
      onPaths([input.path], () =>
        uploadInChunks({ chunkBytes: CHUNK_BYTES, send: sender(line, site, input) }, input),
      ),
    extract: (site, archive, into) =>
      onPaths([archive], () =>
        plain(line.tell("file.extract", { site: refOf(site), archive, into })),
      ),
    setPermissions: (site, path, mode) =>
      onPaths([], () => plain(line.tell("file.set-mode", { site: refOf(site), path, mode }))),
    makeDirectory: async (site, path) => {
      if (path === "") return done(undefined);
      return await plain(line.tell("file.make-folder", { site: refOf(site), path }));
    },
    listDirectory: (site, path) => listAll(line, site, path),
    move: (site, from, to) =>
      onPaths([from, to], () => plain(line.tell("file.move", { site: refOf(site), from, to }))),
    removeFile: (site, path) => remove(site, path, "file"),
    removeDirectory: (site, path) => remove(site, path, "directory"),
  };
};

/** Says no before anything is sent to a path that can only be the root or nothing. */
async function onPaths(
  paths: string[],
  work: () => Promise<HostResult<void>>,
): Promise<HostResult<void>> {
  if (paths.every(filePath)) return await work();
  return refused("invalid", "the path is not in plain form");
}

const sender =
  (line: AgentLine, site: SiteRef, { path, source }: { path: string; source: { size: number } }) =>
  async (start: number, bytes: Uint8Array): Promise<HostResult<number | "whole">> => {
    const sent = await line.ask("file.write", {
      ...{ site: refOf(site), path, size: source.size, offset: start },
      base64: toBase64(bytes),
    });
    if (sent.state !== "done") return sent;
    return done(sent.value.whole ? "whole" : sent.value.at);
  };

/** In pieces that a call can take as arguments. */
function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8_192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  }
  return btoa(text);
}

const MOST_PAGES = 100;

/** Page by page; what is neither file nor folder is of no use to a website and is left out. */
async function listAll(
  line: AgentLine,
  site: SiteRef,
  path: string,
): Promise<HostResult<HostEntry[]>> {
  const entries: FileEntry[] = [];
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const after = entries.at(-1)?.name ?? "";
    const listed = await line.ask("file.list", { site: refOf(site), path, after });
    if (listed.state !== "done") return listed;
    entries.push(...listed.value.entries);
    if (listed.value.complete || listed.value.entries.length === 0) {
      return done(
        entries.flatMap(({ kind, ...entry }) => (kind === "other" ? [] : [{ ...entry, kind }])),
      );
    }
  }
  return refused("refused", "the folder holds more than can be listed");
}
