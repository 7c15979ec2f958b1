import { z } from "zod";
import { badAnswer, Done, Id, type Line, plainPath } from "./line.ts";

/** A site as the panel lists it. */
export interface PanelSite {
  id: string;
  name: string;
  path: string;
  running: boolean;
  note: string;
  /** `YYYY-MM-DD`, the last day on which it is served; null: no end. */
  lastDay: string | null;
}

export interface AddSiteInput {
  domain: string;
  aliases: string[];
  path: string;
  /** "82"; null: static files only. */
  phpVersion: string | null;
  note: string;
  ftp: { username: string; password: string } | null;
  /** Name of the database and of its user, 16 characters at most. */
  database: { name: string; password: string } | null;
}

/** What was made of what was asked for; where a step is false the site stands all the same. */
export interface AddedSite {
  id: string;
  ftpMade: boolean;
  databaseMade: boolean;
}

const ADD_PATIENCE = 2;
const PAGE_ROWS = 100;
const MOST_PAGES = 20;
const NEVER = "0000-00-00";

const flag = z.union([z.boolean(), z.unknown().transform(() => false)]);
const Added = z.object({
  siteStatus: z.literal(true),
  siteId: Id,
  ftpStatus: flag.default(false),
  databaseStatus: flag.default(false),
});

/** providers/aapanel.md, "AddSite parameters". Never repeated: look with `findSite` first. */
export async function addSite(line: Line, input: AddSiteInput): Promise<AddedSite> {
  const { domain, aliases, ftp, database } = input;
  const added = await line.call({
    group: "site",
    action: "AddSite",
    fields: {
      webname: JSON.stringify({ domain, domainlist: aliases, count: 0 }),
      path: plainPath(input.path),
      type_id: "0",
      type: "PHP",
      version: input.phpVersion ?? "00",
      port: "80",
      ps: input.note,
      ftp: ftp ? "true" : "false",
      ...(ftp ? { ftp_username: ftp.username, ftp_password: ftp.password } : {}),
      sql: database ? "MySQL" : "false",
      ...(database
        ? { datauser: database.name, datapassword: database.password, codeing: "utf8mb4" }
        : {}),
      set_ssl: "0",
      force_ssl: "0",
    },
    schema: Added,
    idempotent: false,
    patience: ADD_PATIENCE,
  });
  return { id: added.siteId, ftpMade: added.ftpStatus, databaseMade: added.databaseStatus };
}

const SiteRow = z
  .looseObject({
    id: Id,
    name: z.string(),
    path: z.string(),
    status: z.union([z.string(), z.number()]).transform(String),
    ps: z.string().nullish(),
    edate: z.string().nullish(),
  })
  .transform(({ id, name, path, status, ps, edate }): PanelSite => {
    // Old panels write a word where new ones write "1".
    const running = status === "1" || status === "正在运行";
    const lastDay = edate && edate !== NEVER ? edate : null;
    return { id, name, path, running, note: ps ?? "", lastDay };
  });

/** The site of exactly that name, or null. The panel's search also finds what only resembles it. */
export async function findSite(line: Line, name: string): Promise<PanelSite | null> {
  return await findRow(line, "sites", name, SiteRow, (row) => row.name === name);
}

/** Leafs through what a search finds in one of the panel's lists, until the row itself. */
export async function findRow<T>(
  line: Line,
  table: "sites" | "ftps" | "databases",
  search: string,
  schema: z.ZodType<T>,
  isIt: (row: T) => boolean,
): Promise<T | null> {
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { data } = await line.call({
      group: "data",
      action: "getData",
      fields: { table, search, p: String(page), limit: String(PAGE_ROWS), type: "-1" },
      schema: z.object({ data: z.array(schema) }),
      idempotent: true,
    });
    const found = data.find(isIt);
    if (found !== undefined) return found;
    if (data.length < PAGE_ROWS) return null;
  }
  throw badAnswer(`more than ${PAGE_ROWS * MOST_PAGES} rows resemble the one that is looked for`);
}

type Named = { id: string; name: string };

/** Starts or stops; the panel says yes as well where it is so already. */
export const setRunning = (line: Line, { id, name }: Named, running: boolean) =>
  line.call({
    group: "site",
    action: running ? "SiteStart" : "SiteStop",
    fields: { id, name },
    schema: Done,
    idempotent: true,
  });

/** With its files, database and FTP account. */
export const deleteSite = (line: Line, { id, name }: Named) =>
  line.call({
    group: "site",
    action: "DeleteSite",
    fields: { id, webname: name, path: "1", database: "1", ftp: "1" },
    schema: Done,
    idempotent: false,
    patience: ADD_PATIENCE,
  });

export const setLastDay = (line: Line, { id }: Named, lastDay: string | null) =>
  line.call({
    group: "site",
    action: "SetEdate",
    fields: { id, edate: lastDay ?? NEVER },
    schema: Done,
    idempotent: true,
  });

/** `runPath` below the site's own folder, "/" for that itself. */
export const setRunPath = (line: Line, { id }: Named, runPath: string) =>
  line.call({
    group: "site",
    action: "SetSiteRunPath",
    fields: { id, runPath: runPath === "/" ? runPath : plainPath(runPath) },
    schema: Done,
    idempotent: true,
  });
