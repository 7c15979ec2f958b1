import { mkdir, rm, writeFile } from "node:fs/promises";
import { isObject, parseJson } from "../common/fields.ts";
import { done, Raised, Refused, refused } from "./answers.ts";
import { type Call, need, needInt, optional } from "./call.ts";
import { addDatabase, databaseProblem } from "./databases.ts";
import { type Panel, phpVersions } from "./engine.ts";
import { addFtp, ftpProblem } from "./ftp.ts";
import { welcomePage } from "./pages-served.ts";
import type { Domain, Site } from "./state.ts";

const hostForm = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;

export interface Host {
  name: string;
  port: number;
}

/** `host` or `host:port`; refuses what is no host name or no port from 100 to 65535 (80 and 443 aside). */
export function readHost(text: string, otherwise = 80): Host {
  const [name = "", port] = text.trim().toLowerCase().split(":");
  if (!hostForm.test(name)) throw new Refused("Domain name format is incorrect");
  const number = port === undefined ? otherwise : Number(port);
  const known = number === 80 || number === 443;
  if (!Number.isInteger(number) || (!known && (number < 100 || number > 65_535))) {
    throw new Refused("Port range is incorrect! should be between 100-65535");
  }
  return { name, port: number };
}

interface WebName {
  first: Host;
  aliases: Host[];
}

/** `webname` is JSON as a text; `count` in it is ignored. */
function readWebName(text: string, port: number): WebName {
  const body = parseJson(text);
  if (!isObject(body) || typeof body.domain !== "string" || !Array.isArray(body.domainlist)) {
    throw new Raised("webname is not the JSON that it should be");
  }
  const aliases = body.domainlist.filter((one) => one !== "").map((one) => readHost(String(one)));
  return { first: readHost(body.domain, port), aliases };
}

export function domainOf(panel: Panel, host: Host): Domain {
  return { id: panel.nextId(), ...host, addedAt: panel.clock() };
}

/** Writes what the panel puts into every new root, where there is nothing yet. */
async function furnish(panel: Panel, site: Site): Promise<void> {
  const folder = await panel.area.real(site.path);
  await mkdir(folder, { recursive: true });
  const files: [string, string][] = [
    ["index.html", welcomePage(site.name)],
    ["404.html", "<!doctype html><title>404 Not Found</title><h1>404 Not Found</h1>"],
    ["502.html", "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"],
    [".user.ini", `open_basedir=${site.path}/:/tmp/`],
  ];
  for (const [name, text] of files) {
    // `wx` keeps what is there already.
    await writeFile(`${folder}/${name}`, text, { flag: "wx" }).catch(() => undefined);
  }
  panel.area.setMode(site.path, { access: "755", owner: "www" });
}

function readSite(panel: Panel, call: Call): Site {
  const port = Number(need(call, "port"));
  const { first, aliases } = readWebName(need(call, "webname"), port);
  const path = panel.area.target(need(call, "path"));
  const ps = need(call, "ps");
  const version = optional(call, "version", "00");
  if (!phpVersions.some(([known]) => known === version)) {
    throw new Refused("The specified PHP version does NOT exist!");
  }
  if (panel.siteNamed(first.name)) throw new Refused("The site you tried to add already exists!");
  for (const host of [first, ...aliases]) {
    if (panel.findDomain(host.name, host.port)) {
      throw new Refused("The domain you tried to add already exists!");
    }
  }
  return {
    id: panel.nextId(),
    name: first.name,
    path,
    runPath: "/",
    running: true,
    ps,
    addedAt: panel.clock(),
    edate: "0000-00-00",
    phpVersion: version,
    domains: [first, ...aliases].map((host) => domainOf(panel, host)),
    certificate: null,
    forceHttps: false,
  };
}

/** The FTP part of the answer; the site stands when it is refused. */
function ftpStep(panel: Panel, call: Call, site: Site): Record<string, unknown> {
  if (call.form.ftp !== "true") return { ftpStatus: false };
  const name = need(call, "ftp_username");
  const password = need(call, "ftp_password");
  const isRefused = panel.own.take("ftpRefused", call.text) !== undefined;
  if (isRefused || ftpProblem(panel, name, password)) return { ftpStatus: false };
  addFtp(panel, { name, password, path: site.path, ps: site.name, pid: site.id });
  return { ftpStatus: true, ftpUser: name, ftpPass: password };
}

/** The database part of the answer: `datauser` is cut to 16 characters, and names database and user. */
function databaseStep(panel: Panel, call: Call, site: Site): Record<string, unknown> {
  if (!wantsDatabase(call)) return { databaseStatus: false };
  const username = need(call, "datauser").slice(0, 16);
  const password = need(call, "datapassword");
  const name = username.toLowerCase();
  const isRefused = panel.own.take("databaseRefused", call.text) !== undefined;
  if (isRefused || databaseProblem(panel, name, username)) return { databaseStatus: false };
  const fields = { name, username, password, access: "127.0.0.1", codeing: need(call, "codeing") };
  const { id } = addDatabase(panel, { ...fields, ps: site.name, pid: site.id });
  return { databaseStatus: true, databaseUser: username, databasePass: password, d_id: id };
}

function wantsDatabase(call: Call): boolean {
  return call.form.sql === "true" || call.form.sql === "MySQL";
}

/** Success has no `status`; FTP and database each have a word of their own, and the site stands without them. */
export async function addSite(panel: Panel, call: Call): Promise<unknown> {
  const more = call.form.ftp === "true" ? ["ftp_username", "ftp_password"] : [];
  if (wantsDatabase(call)) more.push("datauser", "datapassword", "codeing");
  for (const name of more) need(call, name);
  const site = readSite(panel, call);
  panel.state.sites.set(site.id, site);
  await furnish(panel, site);
  return {
    siteStatus: true,
    siteId: site.id,
    ...ftpStep(panel, call, site),
    ...databaseStep(panel, call, site),
    ssl: false,
    redirect: false,
  };
}

/** The site that a call means; the panel works by number, a wrong name beside it is taken for another site. */
function siteOf(panel: Panel, call: Call, nameField: string): Site {
  const site = panel.state.sites.get(needInt(call, "id"));
  const name = need(call, nameField);
  if (!site || site.name !== name) throw new Refused("The specified site does not exist");
  return site;
}

/** `path`, `ftp` and `database` are flags; the panel demands an integer in `path`. */
export async function deleteSite(panel: Panel, call: Call): Promise<unknown> {
  const site = siteOf(panel, call, "webname");
  if (call.form.path !== undefined) needInt(call, "path");
  panel.state.sites.delete(site.id);
  const owned = <T extends { pid: number; id: number }>(rows: Map<number, T>) =>
    [...rows.values()].filter((row) => row.pid === site.id);
  if (call.form.ftp === "1") {
    for (const { id } of owned(panel.state.ftps)) panel.state.ftps.delete(id);
  }
  if (call.form.database === "1") {
    for (const { id } of owned(panel.state.databases)) panel.state.databases.delete(id);
  }
  if (call.form.path === "1") {
    await rm(await panel.area.real(site.path), { recursive: true, force: true });
    panel.area.moveModes(site.path, null);
  }
  return done("Successfully deleted site");
}

/** Also true when it is stopped already; files, database and FTP stay alive. */
export function setRunning(running: boolean) {
  return async (panel: Panel, call: Call): Promise<unknown> => {
    siteOf(panel, call, "name").running = running;
    return done(running ? "Site started" : "Site stopped");
  };
}

export async function setEdate(panel: Panel, call: Call): Promise<unknown> {
  const site = panel.state.sites.get(needInt(call, "id"));
  const edate = need(call, "edate");
  if (!site) return refused("The specified site does not exist");
  const isDate = /^\d{4}-\d\d-\d\d$/.test(edate);
  if (!isDate || (edate !== "0000-00-00" && Number.isNaN(Date.parse(edate)))) {
    return refused("The date format is incorrect");
  }
  site.edate = edate;
  return done("Successfully set, the site will stop automatically after it expires!");
}

export async function setRunPath(panel: Panel, call: Call): Promise<unknown> {
  const site = panel.state.sites.get(needInt(call, "id"));
  const runPath = need(call, "runPath");
  if (!site) return refused("The specified site does not exist");
  const root = panel.area.plain(`${site.path}/${runPath.replace(/^\//, "")}`);
  if (root !== site.path && !root.startsWith(`${site.path}/`)) return refused("Unsafe path");
  site.runPath = root.slice(site.path.length) || "/";
  return done("Setup successfully!");
}

export async function setPhpVersion(panel: Panel, call: Call): Promise<unknown> {
  const site = panel.siteNamed(need(call, "siteName"));
  const version = need(call, "version");
  if (!site) return refused("The specified site does not exist");
  if (!phpVersions.some(([known]) => known === version)) {
    return refused("The specified PHP version does NOT exist!");
  }
  site.phpVersion = version;
  return done(`Successfully switched PHP version of ${site.name} to PHP-${version}`);
}
