import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { MonitorReport } from "../../../shared/agent-protocol/monitor.ts";
import { at, id } from "../../../shared/db/columns.ts";
import { servers } from "./servers.ts";

const serverId = () =>
  text()
    .notNull()
    .references(() => servers.id, { onDelete: "cascade" });

/** The last report of each server. */
export const reports = pgTable("panel_reports", {
  serverId: serverId().primaryKey(),
  report: jsonb().$type<MonitorReport>().notNull(),
  receivedAt: at().notNull(),
});

/** Where a watch has come to: it looked last at `lookedAt`, and since `since` without a gap. */
export const watches = pgTable("panel_watches", {
  name: text().primaryKey(),
  since: at().notNull(),
  lookedAt: at().notNull(),
});

/** A day of history: a row a server and minute, the mean of the minute's reports. */
export const minutes = pgTable(
  "panel_minutes",
  {
    serverId: serverId(),
    minute: at().notNull(),
    reports: integer().notNull().default(1),
    cpuPercent: doublePrecision(),
    memoryPercent: doublePrecision().notNull(),
    diskPercent: doublePrecision().notNull(),
    load1: doublePrecision("load_1").notNull(),
    receivedBytesPerSecond: doublePrecision(),
    sentBytesPerSecond: doublePrecision(),
    failedServices: integer().notNull(),
  },
  (t) => [
    primaryKey({ name: "panel_minutes_pkey", columns: [t.serverId, t.minute] }),
    index("panel_minutes_minute_idx").on(t.minute),
  ],
);

/**
 * Something wrong with a server, from its first sign to its end: told about once when it begins and once when it is
 * over. Rows are written by the functions of panel_incidents.sql alone.
 */
export const incidents = pgTable(
  "panel_incidents",
  {
    id: id(),
    serverId: serverId(),
    kind: text().notNull(),
    /** Which of its kind: a service's name, a mount, a domain, a backup's subject; "" for the server itself. */
    subject: text().notNull(),
    facts: jsonb().$type<Record<string, string | number>>().notNull(),
    openedAt: at().notNull().defaultNow(),
    closedAt: at(),
    seq: bigint({ mode: "number" }).notNull().generatedAlwaysAsIdentity(),
  },
  (t) => [
    check(
      "panel_incidents_kind_known",
      sql`${t.kind} in ('service', 'disk', 'certificate', 'backup', 'silent')`,
    ),
    uniqueIndex("panel_incidents_open_key")
      .on(t.serverId, t.kind, t.subject)
      .where(sql`${t.closedAt} is null`),
    index("panel_incidents_list_idx").on(t.serverId, t.seq.desc()),
  ],
);
