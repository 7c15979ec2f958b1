import { z } from "zod";
import {
  absolutePath,
  domainName,
  phpVersion,
  relativePath,
  runtime,
  siteId,
  unixUser,
} from "./fields.ts";

/** Names a site well enough to find all that belongs to it without a register: folder, vhost, pool and user. */
export const siteRef = z.strictObject({
  siteId,
  domain: domainName,
  rootPath: absolutePath,
  unixUser,
});
export type SiteRef = z.output<typeof siteRef>;

const siteNote = z.string().regex(/^[A-Za-z0-9 .:/_-]{0,80}$/);
const siteDay = z.iso.date();

/** What the agent sees of a site when it looks; `null` parts are not there. */
export const siteFacts = z.object({
  siteId,
  domain: domainName,
  aliases: z.array(domainName),
  rootPath: absolutePath,
  /** Below rootPath; "" is rootPath itself. */
  documentRoot: relativePath,
  runtime,
  phpVersion: phpVersion.nullable(),
  unixUser,
  suspended: z.boolean(),
  /** As the site was made with: tells whose it is. */
  note: siteNote,
  /** `YYYY-MM-DD`, the last day (Asia/Jakarta) on which it is served; null: no end. */
  lastDay: siteDay.nullable(),
});
export type SiteFacts = z.output<typeof siteFacts>;

const HOUR_MS = 3_600_000;
/** From the order to its end, so an offline server has this long to come back. */
const siteDeadline = { deadlineMs: HOUR_MS };

/** Commands about one site; subject `site/<siteId>`. All are convergent: repeated, they end in the same state. */
export const sitesCommands = {
  /**
   * Makes what is missing of user, folder, pool or service, and vhost, and brings a site of another shape to this one.
   * Files that are there stay; an empty document root gets a first page. `conflict` when the domain or the folder
   * belongs to another site; `broken_config` when nginx refuses, with everything as it was.
   */
  "site.provision": {
    input: siteRef.extend({
      aliases: z.array(domainName).max(20).default([]),
      documentRoot: relativePath.default(""),
      runtime,
      /** For `php`; absent: the newest that the server has. */
      phpVersion: phpVersion.optional(),
      /** For `node` and `python`: the file that is started, below rootPath. Absent: `server.js`, `app.py`. */
      entry: relativePath.min(1).optional(),
      /** Created stopped, as after `site.suspend`. */
      suspended: z.boolean().default(false),
      note: siteNote.default(""),
      lastDay: siteDay.nullable().default(null),
    }),
    result: z.object({
      site: siteFacts,
      /** What the site answered over HTTP on the server itself. */
      httpStatus: z.number().int().nullable(),
    }),
    ...siteDeadline,
  },
  /** Removes vhost, pool or service, user, and with `removeFiles` the folder. What is gone already is done. */
  "site.deprovision": {
    input: siteRef.extend({ removeFiles: z.boolean() }),
    result: z.object({ removedFiles: z.boolean() }),
    ...siteDeadline,
  },
  /** Answers every visit with 503 and stops the site's processes; its files and databases stay. */
  "site.suspend": { input: siteRef, result: z.object({ site: siteFacts }), ...siteDeadline },
  "site.resume": { input: siteRef, result: z.object({ site: siteFacts }), ...siteDeadline },
  /** Serves another folder below rootPath, which must exist: the atomic switch of a release. */
  "site.set-document-root": {
    input: siteRef.extend({ documentRoot: relativePath }),
    result: z.object({ site: siteFacts }),
    ...siteDeadline,
  },
  /** The site stops being served by itself after that day; null: it does not. */
  "site.set-last-day": {
    input: siteRef.extend({ lastDay: siteDay.nullable() }),
    result: z.object({ site: siteFacts }),
    ...siteDeadline,
  },
  /** Looks; changes nothing. */
  "site.inspect": {
    ask: true,
    input: z.union([z.strictObject({ siteId }), z.strictObject({ domain: domainName })]),
    result: z.object({ site: siteFacts.nullable() }),
    deadlineMs: 10_000,
  },
  /** What a visitor of the domain gets from this very server, whatever DNS says. */
  "site.probe": {
    ask: true,
    input: z.strictObject({
      domain: domainName,
      path: z
        .string()
        .max(512)
        .regex(/^\/[A-Za-z0-9._~/%?&=+-]*$/),
      tls: z.boolean().default(false),
    }),
    result: z.object({
      status: z.number().int(),
      location: z.string().nullable(),
      /** The first 4,096 bytes, as text. */
      body: z.string(),
    }),
    deadlineMs: 15_000,
  },
} as const;
