import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import {
  BACKUP_FORMAT,
  type BackupFacts,
  backupKind,
  backupName,
  MAX_MANIFEST_BYTES,
} from "../../shared/agent-protocol/backups.ts";
import { CommandError } from "../command-error.ts";
import type { AgentCtx } from "../ctx.ts";
import { manifestPath, openStored, storeFile } from "./folder.ts";
import { type BackupKeys, sameMac } from "./keys.ts";

const count = z.number().int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const siteContent = z.strictObject({
  kind: z.literal("site"),
  ...{ entries: count, files: count, directories: count, links: count, bytes: count },
  tree: sha256,
  /** Files that changed while they were read: in the backup as they were read. */
  changed: count,
  /** Of the folder itself. */
  owner: z.strictObject({ uid: count, gid: count }),
});
const databaseContent = z.strictObject({
  kind: z.literal("database"),
  serverVersion: z.string().max(100),
  charset: z.string().max(64),
  collation: z.string().max(64),
  tables: z.array(z.strictObject({ name: z.string(), rows: count, checksum: z.string() })),
  views: z.array(z.string()),
  ...{ routines: count, triggers: count, events: count },
  /** Bytes of the dump: tables, views, routines, events, triggers. */
  parts: z.array(count).length(5),
  /** What is left out of it, or comes back otherwise than it was, in words for the operator. */
  notes: z.array(z.string().max(200)).max(10).optional(),
});
const stateContent = z.strictObject({
  kind: z.literal("state"),
  schema: z.number().int(),
  counts: z.record(z.string(), count),
  /** Of the panel's rows as the edge rendered them. */
  sha256,
  /** The edge's own, that it can tell its rows from invented ones by: with a key that no server has. */
  signature: sha256.optional(),
});

const body = z.strictObject({
  format: z.literal(BACKUP_FORMAT),
  ...{ backupId: z.uuid(), name: backupName, kind: backupKind, subject: z.string() },
  ...{ serverId: z.string(), createdAt: z.iso.datetime() },
  /** Versions of the programs that made it. */
  tools: z.record(z.string(), z.string()),
  archive: z.strictObject({ name: z.string(), bytes: count, sha256 }),
  plainBytes: count,
  content: z.discriminatedUnion("kind", [siteContent, databaseContent, stateContent]),
});
const manifestSchema = z.strictObject({ ...body.shape, mac: sha256 });

export type ManifestBody = z.output<typeof body>;
export type Manifest = z.output<typeof manifestSchema>;
export type SiteContent = z.output<typeof siteContent>;
export type DatabaseContent = z.output<typeof databaseContent>;
export type StateContent = z.output<typeof stateContent>;

/** A manifest as read: its own checksum is what the edge keeps. */
export interface ReadManifest {
  manifest: Manifest;
  sha256: string;
}

/** Writes the manifest last of all: a backup is there from this moment, whole. */
export async function writeManifest(
  ctx: AgentCtx,
  keys: BackupKeys,
  given: ManifestBody,
): Promise<ReadManifest> {
  const manifest: Manifest = { ...given, mac: keys.mac(canonical(given)) };
  const text = `${JSON.stringify(manifest)}\n`;
  await putManifest(ctx, given, text);
  return { manifest, sha256: hashOf(text) };
}

/** The text of a manifest under its name, whole. */
export async function putManifest(
  ctx: AgentCtx,
  given: Pick<ManifestBody, "name" | "backupId">,
  text: string,
): Promise<void> {
  const path = manifestPath(ctx, given.name);
  const partial = join(path, "..", `.${given.backupId}.manifest`);
  await storeFile(partial, path, (file) => file.writeFile(text));
}

/** The manifest of a backup, checked: another version first, then whether it is this server's and unaltered. */
export async function readManifest(
  ctx: AgentCtx,
  keys: BackupKeys,
  name: string,
): Promise<ReadManifest> {
  const { handle, bytes } = await openStored(manifestPath(ctx, name));
  try {
    if (bytes > MAX_MANIFEST_BYTES) throw altered();
    return parseManifest(ctx, keys, name, await handle.readFile("utf8"));
  } finally {
    await handle.close();
  }
}

export function parseManifest(
  ctx: AgentCtx,
  keys: BackupKeys,
  name: string,
  text: string,
): ReadManifest {
  const json = jsonOf(text);
  const { format } = z
    .looseObject({ format: z.unknown() })
    .catch({ format: undefined })
    .parse(json);
  if (typeof format === "number" && format !== BACKUP_FORMAT) {
    throw new CommandError(
      "version",
      `the backup has format ${format}, this agent reads ${BACKUP_FORMAT}`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw altered();
  const { mac, ...signed } = parsed.data;
  if (!sameMac(mac, keys.mac(canonical(signed)))) throw altered();
  if (signed.name !== name || signed.serverId !== ctx.settings.serverId) throw altered();
  return { manifest: parsed.data, sha256: hashOf(text) };
}

const altered = () =>
  new CommandError("integrity", "the manifest was altered, or is not this server's");

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw altered();
  }
}

/** One text per content, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

export const hashOf = (text: string | Uint8Array): string =>
  createHash("sha256").update(text).digest("hex");

/** What the edge is told of it. */
export function factsOf(
  ctx: AgentCtx,
  { manifest, sha256: manifestSha256 }: ReadManifest,
): BackupFacts {
  const { name, backupId, kind, subject, createdAt, archive, plainBytes, content } = manifest;
  return {
    ...{ file: manifestPath(ctx, name), name, backupId, kind, subject, createdAt },
    ...{ bytes: archive.bytes, sha256: archive.sha256, manifestSha256, plainBytes },
    plainSha256: content.kind === "state" ? content.sha256 : null,
    stateSignature: content.kind === "state" ? (content.signature ?? null) : null,
    counts: countsOf(content),
    notes: notesOf(content),
  };
}

function notesOf(content: Manifest["content"]): string[] {
  if (content.kind === "database") return content.notes ?? [];
  const changed = content.kind === "site" ? content.changed : 0;
  return changed > 0 ? [`${changed} files changed while they were read`] : [];
}

export function countsOf(content: Manifest["content"]): Record<string, number> {
  switch (content.kind) {
    case "site": {
      const { files, directories, links, bytes } = content;
      return { files, directories, links, bytes };
    }
    case "database": {
      const rows = content.tables.reduce((sum, table) => sum + table.rows, 0);
      const { routines, triggers, events } = content;
      return {
        tables: content.tables.length,
        rows,
        views: content.views.length,
        routines,
        triggers,
        events,
      };
    }
    case "state":
      return content.counts;
    default:
      return content satisfies never;
  }
}
