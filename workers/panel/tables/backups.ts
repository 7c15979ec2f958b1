import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, timestamps, userId } from "../../../shared/db/columns.ts";
import { servers } from "./servers.ts";

const bytes = () => bigint({ mode: "number" });
const serverId = () =>
  text()
    .notNull()
    .references(() => servers.id, { onDelete: "cascade" });

/**
 * A backup on a server's disk, and its copy in R2. The row is there before the first byte, so that nothing in the bucket
 * is without one. `createdAt` is the moment in its name. Written by the functions of panel_backups_*.sql alone.
 */
export const backups = pgTable(
  "panel_backups",
  {
    id: id(),
    /** A server with backups is not forgotten: their objects would stay in R2 for ever. */
    serverId: text()
      .notNull()
      .references(() => servers.id),
    name: text().notNull(),
    kind: text().notNull(),
    /** The domain or the database; "" for the panel's state. */
    subject: text().notNull(),
    state: text().notNull().default("making"),
    origin: text().notNull(),
    /** Absolute, on the server; null until it is made. */
    file: text(),
    bytes: bytes(),
    plainBytes: bytes(),
    sha256: text("sha256"),
    manifestSha256: text("manifest_sha256"),
    counts: jsonb().$type<Record<string, number>>(),
    notes: jsonb().$type<string[]>().notNull().default([]),
    error: text(),
    /** Of the panel's rows as they were handed out for this backup. */
    stateSha256: text("state_sha256"),
    /** What a server says of rows that this panel does not know: their digest and signature, until that is checked. */
    stateClaim: text("state_claim"),
    /** False: its server says that the file is gone. */
    onDisk: boolean().notNull().default(true),
    r2State: text("r2_state").notNull().default("none"),
    r2UploadId: text("r2_upload_id"),
    r2PartBytes: integer("r2_part_bytes"),
    /** Restored into a scratch place and compared, for the last time; and how long that took. */
    lastProvenAt: at(),
    restoreMs: bigint({ mode: "number" }),
    proveError: text(),
    /** Unproven for longer than the policy allows, or found damaged: the operator is told. */
    isUnproven: boolean().notNull().default(false),
    createdAt: at().notNull(),
    updatedAt: at().notNull().defaultNow(),
  },
  (t) => [
    unique("panel_backups_name_key").on(t.serverId, t.name),
    check("panel_backups_kind_known", sql`${t.kind} in ('state', 'site', 'database')`),
    check(
      "panel_backups_state_known",
      sql`${t.state} in ('making', 'stored', 'failed', 'removing')`,
    ),
    check("panel_backups_origin_known", sql`${t.origin} in ('manual', 'schedule', 'found')`),
    check(
      "panel_backups_r2_state_known",
      sql`${t.r2State} in ('none', 'receiving', 'complete', 'verified')`,
    ),
    check(
      "panel_backups_stored_is_whole",
      sql`${t.state} <> 'stored' or (${t.file} is not null and ${t.bytes} is not null and ${t.sha256} is not null
        and ${t.manifestSha256} is not null and ${t.plainBytes} is not null and ${t.counts} is not null)`,
    ),
    index("panel_backups_list_idx").on(t.serverId, t.createdAt.desc().nullsFirst()),
    index("panel_backups_subject_idx").on(t.serverId, t.kind, t.subject, t.createdAt),
    index("panel_backups_unproven_idx").on(t.serverId).where(sql`${t.isUnproven}`),
  ],
);

/** A part that R2 has of an upload that is not whole yet. */
export const backupParts = pgTable(
  "panel_backup_parts",
  {
    backupId: uuid()
      .notNull()
      .references(() => backups.id, { onDelete: "cascade" }),
    n: integer().notNull(),
    bytes: bytes().notNull(),
    sha256: text("sha256").notNull(),
    etag: text().notNull(),
  },
  (t) => [primaryKey({ name: "panel_backup_parts_pkey", columns: [t.backupId, t.n] })],
);

/** A restore that was asked for; `appliedAt`: the panel's rows have been put back by it, which happens once. */
export const backupRestores = pgTable(
  "panel_backup_restores",
  {
    id: id(),
    backupId: uuid().references(() => backups.id, { onDelete: "set null" }),
    serverId: serverId(),
    /** The sign-in that goes on: all others of operators end with a restore of the panel's state. */
    sessionId: uuid(),
    requestedBy: userId(),
    appliedAt: at(),
    counts: jsonb().$type<Record<string, number>>(),
    createdAt: createdAt(),
  },
  (t) => [
    index("panel_backup_restores_server_idx").on(t.serverId),
    index("panel_backup_restores_backup_idx").on(t.backupId),
  ],
);

/** What is kept for how long, and how often it is made and proven; a server without a row has the defaults. */
export const backupPolicies = pgTable(
  "panel_backup_policies",
  {
    serverId: serverId().primaryKey(),
    enabled: boolean().notNull().default(true),
    state: boolean().notNull().default(true),
    sites: boolean().notNull().default(true),
    databases: boolean().notNull().default(true),
    /** Of the day in Jakarta. */
    hour: integer().notNull().default(2),
    keepDaily: integer().notNull().default(7),
    keepWeekly: integer().notNull().default(4),
    keepMonthly: integer().notNull().default(6),
    toR2: boolean("to_r2").notNull().default(true),
    proveDays: integer().notNull().default(7),
    unprovenDays: integer().notNull().default(9),
    /** The last days whose backups were ordered: all but databases need no agent to name them. */
    ranOn: date({ mode: "string" }),
    databasesRanOn: date({ mode: "string" }),
    ...timestamps(),
  },
  (t) => [
    check("panel_backup_policies_hour", sql`${t.hour} between 0 and 23`),
    check(
      "panel_backup_policies_keeps",
      sql`${t.keepDaily} between 1 and 365 and ${t.keepWeekly} between 0 and 260 and ${t.keepMonthly} between 0 and 120`,
    ),
    check(
      "panel_backup_policies_proves",
      sql`${t.proveDays} between 1 and 90 and ${t.unprovenDays} > ${t.proveDays} and ${t.unprovenDays} <= 180`,
    ),
  ],
);
