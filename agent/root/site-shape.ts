import { existsSync } from "node:fs";
import type { z } from "zod";
import type { sitesCommands } from "../../shared/agent-protocol/sites.ts";
import { CommandError } from "../command-error.ts";
import { relativeTo } from "../paths.ts";
import type { Settings } from "../settings.ts";
import { listRecords, namesOf, type SiteRecord } from "../sites/record.ts";

type Provision = z.output<(typeof sitesCommands)["site.provision"]["input"]>;

/** The record that a site is to have: as ordered, with what this server adds or keeps. */
export function recordFor(
  settings: Settings,
  wanted: Provision,
  before: SiteRecord | null,
): SiteRecord {
  const { siteId, domain, aliases, rootPath, documentRoot, runtime, unixUser } = wanted;
  if (before) refuseOther(before, wanted);
  const record: SiteRecord = {
    ...{ v: 1, siteId, domain, aliases, rootPath, documentRoot, runtime, unixUser },
    phpVersion: runtime === "php" ? phpFor(settings, wanted, before) : null,
    entry: wanted.entry ?? null,
    suspended: wanted.suspended,
    certificate: null,
    note: wanted.note,
    lastDay: wanted.lastDay,
  };
  const isSameName = before && sameNames(before, record);
  const certificate = isSameName ? before.certificate : null;
  return { ...record, certificate: certificate && isThere(certificate) ? certificate : null };
}

/** One id is one site: its user and folder never change. */
export function refuseOther(
  before: SiteRecord,
  { unixUser, rootPath }: Pick<SiteRecord, "unixUser" | "rootPath">,
): void {
  if (before.unixUser !== unixUser || before.rootPath !== rootPath) {
    throw new CommandError("conflict", "the site has another user or folder on this server");
  }
}

const sameNames = (one: SiteRecord, other: SiteRecord) =>
  [...namesOf(one)].sort().join() === [...namesOf(other)].sort().join();

const isThere = ({ certificateFile, keyFile }: NonNullable<SiteRecord["certificate"]>) =>
  existsSync(certificateFile) && existsSync(keyFile);

function phpFor({ phpFpm }: Settings, wanted: Provision, before: SiteRecord | null): string {
  const versions = phpFpm.map(({ version }) => version);
  const newest = [...versions].sort((one, other) => Number(other) - Number(one))[0];
  const kept = versions.find((version) => version === before?.phpVersion);
  const version = wanted.phpVersion ?? kept ?? newest;
  if (version === undefined || !versions.includes(version)) {
    throw new CommandError("unavailable", "that version of PHP is not on this server");
  }
  return version;
}

/** Throws `conflict` when one of the names is another site's. */
export function refuseTakenNames(settings: Settings, record: SiteRecord): void {
  const names = new Set(namesOf(record));
  if (names.size !== record.aliases.length + 1) {
    throw new CommandError("invalid", "a name is there twice");
  }
  const isTaken = listRecords(settings).some(
    (other) => other.siteId !== record.siteId && namesOf(other).some((name) => names.has(name)),
  );
  if (isTaken) throw new CommandError("conflict", "the domain belongs to another site");
}

/** Certificates and keys that a site may name: below the agent's own folder alone. */
export function refuseForeignFiles({ certificates }: Settings, record: SiteRecord): void {
  const files = record.certificate === null ? [] : Object.values(record.certificate);
  for (const path of files) {
    const relative = relativeTo(certificates.dir, path);
    if (relative === null || relative === "") {
      throw new CommandError("invalid", "the certificate is not in the agent's folder");
    }
    if (!existsSync(path)) throw new CommandError("not_found", "the certificate is not there");
  }
}
