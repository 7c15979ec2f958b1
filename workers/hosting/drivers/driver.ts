/**
 * What hosting asks of a server, whoever answers: a panel's API today, an agent on the server later. Nothing here
 * throws for what a server says or fails to say: every call ends in one of three ways.
 */
export type HostResult<T> =
  | { state: "done"; value: T }
  /** Surely not done. `retryable`: the same call may pass later and is safe to send again. */
  | { state: "refused"; reason: Refusal; retryable: boolean; detail: string; afterMs?: number }
  /** May have been done. Ask (`find…`, `list…`, `probe`) before anything is sent again. */
  | { state: "unknown"; detail: string; afterMs?: number };

export type Refusal =
  /** The name, user or path is taken already. */
  | "exists"
  | "not_found"
  /** The server's rules forbid what we sent. */
  | "invalid"
  /** Our key is not accepted. */
  | "unauthorised"
  /** Our address is not on the server's list; `detail` says which address it saw. */
  | "address_refused"
  | "unavailable"
  /** The caller's own `onProgress` said stop, or the site is not his to work on any more. */
  | "stopped"
  | "refused";

/** A site on its server. `root` is absolute on the server and only shown in the panel's own words. */
export interface SiteRef {
  /** The server's own id of the site. */
  hostSiteId: string;
  domain: string;
  root: string;
}

export interface HostSite extends SiteRef {
  running: boolean;
  /** As it was made with: tells whose it is. */
  note: string;
  /** `YYYY-MM-DD`, the last day on which it is served; null: no end. */
  lastDay: string | null;
}

export interface FtpAccount {
  hostFtpId: string;
  username: string;
  enabled: boolean;
}

export interface NewSite {
  domain: string;
  /** Absolute on the server. */
  root: string;
  aliases: string[];
  /** For example "82"; null: static files only. */
  phpVersion: string | null;
  ftp: { username: string; password: string };
  database: { name: string; password: string } | null;
  note: string;
}

/** A site that was made; FTP and database may each have been refused, and are then to be added or the site removed. */
export interface CreatedSite {
  site: SiteRef;
  ftpMade: boolean;
  databaseMade: boolean;
}

/** Bytes that can be read from any place, again and again: a range of an R2 object, never a whole buffer. */
export interface ByteSource {
  size: number;
  /** `length` bytes from `start` on. */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface UploadInput {
  /** Below the site's root, its folder existing. Unique per upload, as an interrupted one goes on where it was. */
  path: string;
  source: ByteSource;
  /** After each chunk; false stops with `refused: stopped`. */
  onProgress?: (sentBytes: number) => Promise<boolean>;
}

export interface HostEntry {
  name: string;
  kind: "file" | "directory";
  size: number;
}

export interface Certificate {
  issuer: string;
  /** Last moment of its validity. */
  notAfter: Date | null;
}

/** What a site answers to a visitor. */
export interface Visit {
  status: number;
  location: string | null;
  /** The first bytes of the body, as text. */
  body: string;
}

/**
 * One hosting server. Paths are relative to the site's root, "/"-separated, without "." and ".." parts; "" is the root.
 * Every changing call may be repeated after `unknown` once a reading call has shown that it was not done; those marked
 * (repeatable) may be repeated at once.
 */
export interface HostDriver {
  /** Not repeatable: after `unknown` look with `findSite`. `exists` when the domain is on the server already. */
  createSite(input: NewSite): Promise<HostResult<CreatedSite>>;
  findSite(domain: string): Promise<HostResult<HostSite | null>>;
  /** (repeatable) */
  startSite(site: SiteRef): Promise<HostResult<void>>;
  /** (repeatable) Its files, FTP and database stay. */
  stopSite(site: SiteRef): Promise<HostResult<void>>;
  /** With its files, database and FTP account. `not_found` never: a site that is gone is done. */
  deleteSite(site: SiteRef): Promise<HostResult<void>>;
  /** (repeatable) */
  setLastDay(site: SiteRef, lastDay: string | null): Promise<HostResult<void>>;

  addFtp(site: SiteRef, account: NewSite["ftp"]): Promise<HostResult<void>>;
  findFtp(username: string): Promise<HostResult<FtpAccount | null>>;
  /** (repeatable) */
  setFtpEnabled(account: FtpAccount, enabled: boolean): Promise<HostResult<void>>;
  /** (repeatable) */
  setFtpPassword(account: FtpAccount, password: string): Promise<HostResult<void>>;
  removeFtp(account: FtpAccount): Promise<HostResult<void>>;

  addDatabase(
    site: SiteRef,
    database: { name: string; password: string },
  ): Promise<HostResult<void>>;
  findDatabase(name: string): Promise<HostResult<{ hostDatabaseId: string } | null>>;

  /** (repeatable) Takes up to minutes: for jobs only. The domain must point to the server. */
  issueCertificate(site: SiteRef): Promise<HostResult<void>>;
  /** The certificate that the site answers with over TLS; null: none. */
  findCertificate(site: SiteRef): Promise<HostResult<Certificate | null>>;

  /** (repeatable) Serves another folder below the root; "" is the root itself. The switch of a release. */
  setDocumentRoot(site: SiteRef, path: string): Promise<HostResult<void>>;
  /** What a visitor of the domain gets from this very server, whatever DNS says. */
  probe(site: SiteRef, path: string): Promise<HostResult<Visit>>;

  /** (repeatable) Chunk by chunk; goes on where an interrupted upload of the same path and size stopped. */
  uploadFile(site: SiteRef, input: UploadInput): Promise<HostResult<void>>;
  /**
   * (repeatable) Unpacks a .zip or .tar.gz into an existing folder. `done` means that the server took the order:
   * count with `listDirectory` what came out of it.
   */
  extract(site: SiteRef, archive: string, into: string): Promise<HostResult<void>>;
  /** (repeatable) `mode` like "755"; owner is the server's web user; a folder with all that is in it. */
  setPermissions(site: SiteRef, path: string, mode: string): Promise<HostResult<void>>;
  /** (repeatable) A folder that exists is done. */
  makeDirectory(site: SiteRef, path: string): Promise<HostResult<void>>;
  /** `refused: not_found` where there is no such folder. */
  listDirectory(site: SiteRef, path: string): Promise<HostResult<HostEntry[]>>;
  move(site: SiteRef, from: string, to: string): Promise<HostResult<void>>;
  /** (repeatable) What is gone is done. */
  removeFile(site: SiteRef, path: string): Promise<HostResult<void>>;
  /** (repeatable) What is gone is done. Never the root itself. */
  removeDirectory(site: SiteRef, path: string): Promise<HostResult<void>>;
}
