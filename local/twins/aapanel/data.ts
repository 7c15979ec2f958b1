import { wib } from "../common/clock.ts";
import type { Json } from "../common/fields.ts";
import { Raised } from "./answers.ts";
import { type Call, need, needInt, optional } from "./call.ts";
import type { Panel } from "./engine.ts";
import type { Database, Ftp, Site } from "./state.ts";

function siteRow(panel: Panel, site: Site): Json {
  const { certificate } = site;
  const day = 86_400_000;
  const days = certificate ? Math.floor((certificate.notAfter - panel.clock()) / day) : -1;
  const backups = [...panel.state.backups.values()];
  return {
    id: site.id,
    name: site.name,
    path: site.path,
    status: site.running ? "1" : "0",
    ps: site.ps,
    addtime: wib(site.addedAt),
    edate: site.edate,
    domain: site.domains.length,
    ssl: certificate ? { subject: certificate.domains[0], endtime: days } : -1,
    site_ssl: days,
    php_version: site.phpVersion === "00" ? "Static" : site.phpVersion,
    project_type: "PHP",
    backup_count: backups.filter((one) => one.type === 0 && one.pid === site.id).length,
    quota: { used: 0, size: 0 },
    rname: site.name,
  };
}

/** Passwords are shown in clear, as they are there. */
function ftpRow(ftp: Ftp): Json {
  const { id, pid, name, password, path, ps } = ftp;
  return {
    id,
    pid,
    name,
    password,
    path,
    status: ftp.enabled ? "1" : "0",
    ps,
    addtime: wib(ftp.addedAt),
  };
}

function databaseRow(database: Database): Json {
  const { id, pid, name, username, password, access, ps } = database;
  return { id, pid, name, username, password, accept: access, ps, addtime: wib(database.addedAt) };
}

function domainRows(panel: Panel, siteId: number): Json[] {
  const domains = panel.state.sites.get(siteId)?.domains ?? [];
  return domains.map(({ id, name, port, addedAt }) => ({
    id,
    pid: siteId,
    name,
    port,
    addtime: wib(addedAt),
  }));
}

function backupRows(panel: Panel, type: number, pid: number): Json[] {
  return [...panel.state.backups.values()]
    .filter((one) => one.type === type && one.pid === pid)
    .map(({ id, name, filename, size, addedAt }) => ({
      id,
      pid,
      name,
      filename,
      addtime: wib(addedAt),
      size,
      ps: "",
    }));
}

/** All rows of a table; `search` is looked for inside names and notes, so `a.id` finds `ba.id` as well. */
function rowsOf(panel: Panel, call: Call): Json[] {
  const search = optional(call, "search");
  const has = (...texts: string[]) => texts.some((text) => text.includes(search));
  const { sites, ftps, databases } = panel.state;
  const table = need(call, "table");
  if (table === "sites") {
    const found = [...sites.values()].filter((one) => has(one.name, one.ps));
    return found.map((one) => siteRow(panel, one));
  }
  if (table === "ftps")
    return [...ftps.values()].filter((one) => has(one.name, one.ps)).map(ftpRow);
  if (table === "databases") {
    return [...databases.values()].filter((one) => has(one.name, one.ps)).map(databaseRow);
  }
  if (table === "domain") return domainRows(panel, Number(search));
  if (table === "backup") return backupRows(panel, needInt(call, "type"), Number(search));
  throw new Raised(`there is no table ${table}`);
}

/** `page` is HTML and the only place of the total. */
export async function getData(panel: Panel, call: Call): Promise<unknown> {
  const rows = rowsOf(panel, call);
  if (optional(call, "order", "id desc") !== "id asc") rows.reverse();
  if (call.form.list === "true") return rows;
  const limit = Math.max(1, Number(optional(call, "limit", "20")) || 20);
  const current = Math.max(1, Number(optional(call, "p", "1")) || 1);
  const page = `<div><span class='Pcurrent'>${current}</span><span class='Pcount'>Total ${rows.length}</span></div>`;
  const data = rows.slice((current - 1) * limit, current * limit);
  return { data, page, where: "", search_history: [] };
}

const oneOf: Record<string, (panel: Panel, id: number) => Json | null> = {
  sites: (panel, id) => {
    const site = panel.state.sites.get(id);
    if (!site) return null;
    const { name, path, status, ps, addtime, edate } = siteRow(panel, site);
    return { id, name, path, status, ps, addtime, edate };
  },
  ftps: (panel, id) => {
    const ftp = panel.state.ftps.get(id);
    return ftp ? ftpRow(ftp) : null;
  },
  databases: (panel, id) => {
    const database = panel.state.databases.get(id);
    return database ? databaseRow(database) : null;
  },
};

function find(panel: Panel, call: Call): Json | null {
  const table = need(call, "table");
  const read = oneOf[table];
  if (!read) throw new Raised(`there is no table ${table}`);
  return read(panel, needInt(call, "id"));
}

/** An empty array where there is no such row. */
export async function getFind(panel: Panel, call: Call): Promise<unknown> {
  return find(panel, call) ?? [];
}

export async function getKey(panel: Panel, call: Call): Promise<unknown> {
  const key = need(call, "key");
  return find(panel, call)?.[key] ?? "";
}
