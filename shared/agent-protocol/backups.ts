import { z } from "zod";
import { absolutePath, databaseWord, domainName, siteId } from "./fields.ts";
import { type CommandCatalogue, withoutTail } from "./spec.ts";

/** The format that this release writes; one that an agent does not know is refused with `version`. */
export const BACKUP_FORMAT = 1;
/** R2 takes parts of one size, at most 10,000 of them; a part is one signed call, at most twice this. */
export const BACKUP_PART_BYTES = 8 * 1024 * 1024;
export const MAX_BACKUP_PARTS = 10_000;
/** Names every table of a database; one that is longer is none. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** The rows of the panel in one backup; a panel with more is not ours. */
export const MAX_STATE_BYTES = 32 * 1024 * 1024;

export const backupKind = z.enum(["state", "site", "database"]);
export type BackupKind = z.output<typeof backupKind>;

/** A backup's file name in the backup folder: that of its manifest, which is written last and names the archive. */
export const backupName = z
  .string()
  .max(340)
  .regex(
    /^nusantara_(?:state|site_[a-z0-9][a-z0-9.-]{0,252}|database_[A-Za-z0-9_]{1,64})_[0-9]{8}_[0-9]{6}\.json$/,
  );

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const deadline = (hours: number) => ({ deadlineMs: hours * 3_600_000 });

/** What is in a backup, and where it goes back to. */
export const backupTarget = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("state") }),
  z.strictObject({
    ...{ kind: z.literal("site"), siteId, domain: domainName, rootPath: absolutePath },
  }),
  z.strictObject({ kind: z.literal("database"), database: databaseWord }),
]);
export type BackupTarget = z.output<typeof backupTarget>;

/** Counts for people: files and bytes, tables and rows, rows of the panel. */
const contentCounts = z.record(z.string().max(64), count);

/** What the edge keeps of a manifest. */
export const backupFacts = z.object({
  /** Absolute, on the server. */
  file: z.string().max(1_024),
  name: backupName,
  backupId: z.uuid(),
  kind: backupKind,
  subject: z.string().max(253),
  createdAt: z.iso.datetime(),
  /** Of the archive. */
  bytes: count,
  sha256,
  /** Of the manifest's file, which holds the archive's checksum. */
  manifestSha256: sha256,
  plainBytes: count,
  /** Of the panel's rows; null for other kinds. */
  plainSha256: sha256.nullable(),
  /** The panel's own word, given with its rows, that it handed them out for this very backup. */
  stateSignature: sha256.nullish(),
  counts: contentCounts,
  /** Things that the operator should know: files that changed while they were read. */
  notes: z.array(z.string().max(200)).max(10),
});
export type BackupFacts = z.output<typeof backupFacts>;

const known = {
  backupId: z.uuid(),
  name: backupName,
  /** What the edge was told when the backup was made; another manifest is no longer that backup. */
  manifestSha256: sha256,
  /** A whole, verified copy lies in R2: used when the disk's is gone or damaged. */
  remote: z.boolean(),
};

const proven = {
  restoreMs: count,
  provenAt: z.iso.datetime(),
  counts: contentCounts,
  /** The disk's copy was gone or damaged, and was fetched again from R2. */
  healed: z.boolean(),
};

const listed = z.object({
  dir: z.string().max(1_024),
  items: z.array(backupFacts).max(500),
  unreadable: z.array(z.string().max(400)).max(100),
  /** The oldest did not fit into the answer: one that is not among the items may still be there. */
  complete: z.literal(false).optional(),
});

/**
 * Commands about backups. Subjects: `backups` for run and remove; `backup-copies` for upload and prove, so that a new
 * backup waits for none of them; `backup-list` for the list; a restore has its target's (`site/<id>`, `db`, or `backups`
 * for the panel's state).
 */
export const backupsCommands = {
  /** Makes the backup on the server's disk; one of this name that is whole is done. */
  "backup.run": {
    input: z.strictObject({
      ...{ backupId: z.uuid(), name: backupName, createdAt: z.iso.datetime() },
      target: backupTarget,
    }),
    result: backupFacts,
    ...deadline(12),
  },
  /** Sends it to R2 in parts, goes on where it stopped, reads it back; done when the hashes agree. */
  "backup.upload": {
    input: z.strictObject({ ...known }),
    result: z.object({ bytes: count, parts: count, sentParts: count }),
    ...deadline(24),
  },
  /** Restores it into a scratch place and compares; `integrity` when anything differs. Leaves nothing. */
  "backup.prove": {
    input: z.strictObject({ ...known }),
    result: z.object(proven),
    ...deadline(12),
  },
  /** Puts it back, verified before and after; on a failure what was there is there. */
  "backup.restore": {
    input: z.strictObject({ ...known, restoreId: z.uuid(), target: backupTarget }),
    result: z.object(proven),
    ...deadline(12),
  },
  "backup.remove": {
    input: z.strictObject({ names: z.array(backupName).min(1).max(200) }),
    result: z.object({ removed: z.array(backupName) }),
    ...deadline(6),
  },
  /** What lies in the folder, newest first; a manifest that is not this server's own, or was altered, is left out. */
  "backup.list": {
    input: z.strictObject({}),
    result: listed,
    shorten: (found: z.output<typeof listed>) =>
      found.items.length === 0
        ? null
        : { ...found, items: withoutTail(found.items), complete: false as const },
    ...deadline(1),
  },
} as const satisfies CommandCatalogue;

/** Paths of the agent's own signed calls about one backup. */
export const backupCallPaths = {
  /** GET: the panel's rows as JSON, for a backup of kind `state` that is being made. */
  state: (backupId: string) => `/v1/agent/backups/${backupId}/state`,
  /** POST: begins or finds the object's upload; answers what is there. */
  upload: (backupId: string) => `/v1/agent/backups/${backupId}/upload`,
  /** PUT: part `n`, from 1. */
  part: (backupId: string, n: number) => `/v1/agent/backups/${backupId}/parts/${n}`,
  /** POST: puts the parts together. */
  complete: (backupId: string) => `/v1/agent/backups/${backupId}/complete`,
  /** POST: says that what was read back is what was sent. */
  verified: (backupId: string) => `/v1/agent/backups/${backupId}/verified`,
  /** GET: the object; `Range: bytes=a-b`. */
  object: (backupId: string) => `/v1/agent/backups/${backupId}/object`,
  /** The manifest beside it: PUT with the upload, GET afterwards. */
  manifest: (backupId: string) => `/v1/agent/backups/${backupId}/manifest`,
  /** POST: the panel's rows, from a backup; `prove` compares them in a scratch place, `restore` puts them back. */
  rows: (backupId: string, what: "prove" | "restore") => `/v1/agent/backups/${backupId}/${what}`,
} as const;

/** Answer of `upload`: what the edge holds already. */
export const uploadState = z.object({
  state: z.enum(["receiving", "complete"]),
  partBytes: z.number().int().positive(),
  parts: z.array(z.object({ n: z.number().int().positive(), bytes: count, sha256 })),
});
export const uploadBegin = z.strictObject({
  ...{ bytes: count, sha256 },
  partBytes: z
    .number()
    .int()
    .min(5 * 1024 * 1024)
    .max(2 * BACKUP_PART_BYTES),
});
export const uploadVerified = z.strictObject({ sha256 });
/** Headers of the panel's rows. */
export const STATE_HEADERS = {
  schema: "x-backup-schema",
  counts: "x-backup-counts",
  sha256: "x-backup-sha256",
  signature: "x-backup-signature",
} as const;
