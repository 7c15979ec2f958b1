import * as accounts from "./aapanel/accounts.ts";
import * as certificates from "./aapanel/certificates.ts";
import * as files from "./aapanel/files.ts";
import { createLine, type LineOptions } from "./aapanel/line.ts";
import * as sites from "./aapanel/sites.ts";

export type {
  AddDatabaseInput,
  AddFtpInput,
  PanelDatabase,
  PanelFtp,
} from "./aapanel/accounts.ts";
export type { IssuedCertificate, PanelCertificate } from "./aapanel/certificates.ts";
export type { ChunkInput, PanelEntry } from "./aapanel/files.ts";
export type { AddedSite, AddSiteInput, PanelSite } from "./aapanel/sites.ts";

export type AapanelOptions = LineOptions;

interface Named {
  id: string;
  name: string;
}
type FtpRef = Pick<accounts.PanelFtp, "id" | "username">;

/**
 * The API of one aaPanel or BaoTa panel (providers/aapanel.md): every call is a signed `POST /<group>?action=…`, without
 * cookies, which the panel clears anyway. Every failure is a `ProviderError`; code `address_refused`: our address is not
 * on the panel's list, `seenAddress` says which it saw; `exists`, `not_found`: in the panel's own words; `no_api`: a page
 * came in the answer's place. `fetch` believes no self-signed certificate: such a panel is reached through a relay.
 */
export interface Aapanel {
  /** Not repeatable. `ftpMade` and `databaseMade` tell whether those steps were done; the site stands in any case. */
  addSite(input: sites.AddSiteInput): Promise<sites.AddedSite>;
  findSite(name: string): Promise<sites.PanelSite | null>;
  setRunning(site: Named, running: boolean): Promise<void>;
  deleteSite(site: Named): Promise<void>;
  setLastDay(site: Named, lastDay: string | null): Promise<void>;
  setRunPath(site: Named, runPath: string): Promise<void>;

  addFtp(input: accounts.AddFtpInput): Promise<void>;
  findFtp(username: string): Promise<accounts.PanelFtp | null>;
  setFtpEnabled(account: FtpRef, enabled: boolean): Promise<void>;
  setFtpPassword(account: FtpRef, password: string): Promise<void>;
  deleteFtp(account: FtpRef): Promise<void>;
  addDatabase(input: accounts.AddDatabaseInput): Promise<void>;
  findDatabase(name: string): Promise<accounts.PanelDatabase | null>;
  deleteDatabase(database: accounts.PanelDatabase): Promise<void>;

  applyCertificate(siteId: string, domains: string[]): Promise<certificates.IssuedCertificate>;
  installCertificate(siteName: string, issued: certificates.IssuedCertificate): Promise<void>;
  findCertificate(siteName: string): Promise<certificates.PanelCertificate | null>;

  /** How many bytes the panel holds now, or "whole" after the last piece. */
  uploadChunk(input: files.ChunkInput): Promise<number | "whole">;
  extract(archive: string, into: string): Promise<void>;
  setAccess(path: string, mode: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  /** Null where there is no such folder. */
  listDirectory(path: string): Promise<files.PanelEntry[] | null>;
  move(from: string, to: string): Promise<void>;
  removeEntry(path: string, kind: "file" | "directory"): Promise<void>;
}

/** The client of one panel. */
export function createAapanel(options: AapanelOptions): Aapanel {
  const line = createLine(options);
  return {
    addSite: (input) => sites.addSite(line, input),
    findSite: (name) => sites.findSite(line, name),
    setRunning: (site, running) => sites.setRunning(line, site, running),
    deleteSite: (site) => sites.deleteSite(line, site),
    setLastDay: (site, lastDay) => sites.setLastDay(line, site, lastDay),
    setRunPath: (site, runPath) => sites.setRunPath(line, site, runPath),
    addFtp: (input) => accounts.addFtp(line, input),
    findFtp: (username) => accounts.findFtp(line, username),
    setFtpEnabled: (account, enabled) => accounts.setFtpEnabled(line, account, enabled),
    setFtpPassword: (account, password) => accounts.setFtpPassword(line, account, password),
    deleteFtp: (account) => accounts.deleteFtp(line, account),
    addDatabase: (input) => accounts.addDatabase(line, input),
    findDatabase: (name) => accounts.findDatabase(line, name),
    deleteDatabase: (database) => accounts.deleteDatabase(line, database),
    applyCertificate: (siteId, domains) => certificates.applyCertificate(line, siteId, domains),
    installCertificate: (name, issued) => certificates.installCertificate(line, name, issued),
    findCertificate: (name) => certificates.findCertificate(line, name),
    uploadChunk: (input) => files.uploadChunk(line, input),
    extract: (archive, into) => files.extract(line, archive, into),
    setAccess: (path, mode) => files.setAccess(line, path, mode),
    makeDirectory: (path) => files.makeDirectory(line, path),
    listDirectory: (path) => files.listDirectory(line, path),
    move: (from, to) => files.move(line, from, to),
    removeEntry: (path, kind) => files.removeEntry(line, path, kind),
  };
}
