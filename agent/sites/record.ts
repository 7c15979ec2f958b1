import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  absolutePath,
  domainName,
  phpVersion,
  relativePath,
  runtime,
  siteId,
  unixUser,
} from "../../shared/agent-protocol/fields.ts";
import { type SiteFacts, siteFacts } from "../../shared/agent-protocol/sites.ts";
import type { Settings } from "../settings.ts";

/** Both below the agent's folder of certificates. */
export const certificateFiles = z.strictObject({
  certificateFile: absolutePath,
  keyFile: absolutePath,
});
export type CertificateFiles = z.output<typeof certificateFiles>;

/**
 * What a site is on this server. It stands, as one line of JSON, at the head of the site's own vhost file: record and
 * configuration are one file, so they change together or not at all.
 */
export const siteRecord = z.strictObject({
  v: z.literal(1),
  siteId,
  domain: domainName,
  aliases: z.array(domainName).max(20),
  rootPath: absolutePath,
  documentRoot: relativePath,
  runtime,
  phpVersion: phpVersion.nullable(),
  entry: relativePath.min(1).nullable(),
  unixUser,
  suspended: z.boolean(),
  certificate: certificateFiles.nullable(),
  note: siteFacts.shape.note,
  lastDay: siteFacts.shape.lastDay,
});
export type SiteRecord = z.output<typeof siteRecord>;

const HEAD = "# nusantara ";

export const headOf = (record: SiteRecord): string => HEAD + JSON.stringify(record);

/** The record in a vhost file; null when there is none, or one that we did not write. */
export function recordIn(text: string): SiteRecord | null {
  const [first = ""] = text.split("\n", 1);
  if (!first.startsWith(HEAD)) return null;
  try {
    return siteRecord.safeParse(JSON.parse(first.slice(HEAD.length))).data ?? null;
  } catch {
    return null;
  }
}

type Place = Pick<Settings, "nginx">;

export const vhostFile = ({ nginx }: Place, id: string): string =>
  join(nginx.sitesDir, `${siteId.parse(id)}.conf`);

export const isVhostName = (name: string): boolean =>
  name.endsWith(".conf") && siteId.safeParse(name.slice(0, -".conf".length)).success;

/** Every site of this server. */
export function listRecords(settings: Place): SiteRecord[] {
  return namesIn(settings.nginx.sitesDir)
    .filter(isVhostName)
    .map((name) => readRecord(join(settings.nginx.sitesDir, name)))
    .filter((record) => record !== null);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readRecord(file: string): SiteRecord | null {
  try {
    return recordIn(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

/** A site of this server by its id or one of its names; null when it has none. */
export function findSite(
  settings: Place,
  wanted: { siteId: string } | { domain: string },
): SiteRecord | null {
  if ("siteId" in wanted) return readRecord(vhostFile(settings, wanted.siteId));
  return listRecords(settings).find((record) => namesOf(record).includes(wanted.domain)) ?? null;
}

export const namesOf = ({ domain, aliases }: Pick<SiteRecord, "domain" | "aliases">): string[] => [
  domain,
  ...aliases,
];

/** Whether a process of the site's own answers its visitors. */
export const isProcess = ({ runtime }: Pick<SiteRecord, "runtime">): boolean =>
  runtime === "node" || runtime === "python";

export const factsOf = (record: SiteRecord): SiteFacts => siteFacts.parse(record);
