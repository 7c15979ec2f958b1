export interface Domain {
  id: number;
  name: string;
  port: number;
  addedAt: number;
}

export interface Certificate {
  key: string;
  chain: string;
  domains: string[];
  /** 1 for Let's Encrypt, 0 for one that was brought along. */
  type: number;
  notAfter: number;
}

export interface Site {
  id: number;
  name: string;
  /** As in the panel: `/www/wwwroot/…`. */
  path: string;
  /** Below `path`: where the web server looks. */
  runPath: string;
  running: boolean;
  ps: string;
  addedAt: number;
  /** `YYYY-MM-DD`, or `0000-00-00` for never. */
  edate: string;
  phpVersion: string;
  domains: Domain[];
  certificate: Certificate | null;
  forceHttps: boolean;
}

export interface Ftp {
  id: number;
  /** The site that it was made with, 0 without one. */
  pid: number;
  name: string;
  password: string;
  path: string;
  enabled: boolean;
  ps: string;
  addedAt: number;
}

export interface Database {
  id: number;
  pid: number;
  name: string;
  username: string;
  password: string;
  access: string;
  codeing: string;
  ps: string;
  addedAt: number;
}

export interface Backup {
  id: number;
  /** 0 of a site, 1 of a database. */
  type: number;
  pid: number;
  name: string;
  filename: string;
  size: number;
  addedAt: number;
}

export interface Task {
  id: number;
  name: string;
  type: number;
  shell: string;
  /** 0 waiting, -1 running, 1 done. */
  status: 0 | -1 | 1;
  addedAt: number;
  endedAt: number;
  log: string;
}

/** One call of the API, for tests that count them. */
export interface Journal {
  at: string;
  group: string;
  action: string;
  fields: Record<string, string>;
  /** What is known about the thing that the call names. */
  subject: string;
  status: number;
  answer: string;
}

export interface PanelState {
  apiOpen: boolean;
  /** The whitelist (`limit_addr`); empty admits nobody. */
  whitelist: string[];
  /** Failed calls in a row, by address. */
  failures: Map<string, number>;
  sites: Map<number, Site>;
  ftps: Map<number, Ftp>;
  databases: Map<number, Database>;
  backups: Map<number, Backup>;
  tasks: Map<number, Task>;
  /** By private key: what was issued here and for whom. */
  issued: Map<string, Certificate & { hash: string; siteId: number }>;
  journal: Journal[];
}
