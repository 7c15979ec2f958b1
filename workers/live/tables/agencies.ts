import { sql } from "drizzle-orm";
import { bigint, check, index, integer, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { at, createdAt, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/** An agency of hosts, owned by one user. Its number is random, six or seven digits. The identity number is sealed. */
export const agencies = pgTable(
  "live_agencies",
  {
    id: bigint({ mode: "number" }).primaryKey(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    familyName: text().notNull(),
    region: text().notNull(),
    phone: text().notNull(),
    email: text(),
    address: text(),
    logoUrl: text(),
    sealedIdNumber: text().notNull(),
    status: text().notNull().default("pending"),
    approvedAt: at(),
    decidedBy: userId().references(() => users.id),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("live_agencies_owner_key").on(t.userId).where(sql`${t.status} <> 'rejected'`),
    index("live_agencies_decider_idx").on(t.decidedBy),
    check("live_agencies_status_known", sql`${t.status} in ('pending', 'approved', 'rejected')`),
    check("live_agencies_id_digits", sql`${t.id} between 100000 and 9999999`),
  ],
);

/**
 * A host's application to an agency and, once approved, his membership: from `approvedAt` until `endedAt`. Rows stay for
 * ever. A host has one that is pending or current at most, so he is in one agency at a time. Income is kept by day, so
 * two figures cut out of the first and the last day what he earned outside of the membership.
 */
export const hostApplications = pgTable(
  "live_host_applications",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    hostId: userId()
      .notNull()
      .references(() => users.id),
    agencyId: bigint({ mode: "number" })
      .notNull()
      .references(() => agencies.id),
    name: text().notNull(),
    gender: text().notNull(),
    sealedIdNumber: text(),
    status: text().notNull().default("pending"),
    approvedAt: at(),
    decidedAt: at(),
    endedAt: at(),
    endReason: text(),
    /** What he had earned on the membership's first day before it began, and on its last day when it ended. */
    incomeBefore: idr().notNull().default(0),
    incomeUntilEnd: idr().notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex("live_host_applications_open_key")
      .on(t.hostId)
      .where(sql`${t.status} in ('pending', 'approved') and ${t.endedAt} is null`),
    index("live_host_applications_agency_idx").on(t.agencyId, t.status, t.id.desc()),
    index("live_host_applications_host_idx").on(t.hostId),
    check(
      "live_host_applications_status_known",
      sql`${t.status} in ('pending', 'approved', 'rejected')`,
    ),
    check(
      "live_host_applications_approval",
      sql`(${t.status} = 'approved') = (${t.approvedAt} is not null)`,
    ),
    check("live_host_applications_end_known", sql`${t.endReason} in ('left', 'removed')`),
    check(
      "live_host_applications_end_told",
      sql`(${t.endedAt} is null) = (${t.endReason} is null)`,
    ),
  ],
);

/** What a host asks of his agency for an ISO week. Lives and minutes are the server's, as they were when he asked. */
export const salaryRequests = pgTable(
  "live_salary_requests",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    hostId: userId()
      .notNull()
      .references(() => users.id),
    agencyId: bigint({ mode: "number" })
      .notNull()
      .references(() => agencies.id),
    isoYear: integer().notNull(),
    weekNumber: integer().notNull(),
    salaryAmount: idr().notNull(),
    totalLives: integer().notNull(),
    totalMinutes: integer().notNull(),
    status: text().notNull().default("pending"),
    approvedAt: at(),
    decidedAt: at(),
    ledgerTransferId: bigint({ mode: "number" }),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex("live_salary_requests_week_key")
      .on(t.hostId, t.isoYear, t.weekNumber)
      .where(sql`${t.status} <> 'rejected'`),
    index("live_salary_requests_host_idx").on(t.hostId),
    index("live_salary_requests_agency_idx").on(t.agencyId, t.id.desc()),
    check(
      "live_salary_requests_status_known",
      sql`${t.status} in ('pending', 'approved', 'rejected')`,
    ),
    check("live_salary_requests_amount", sql`${t.salaryAmount} between 1 and 1000000000`),
    check("live_salary_requests_week", sql`${t.weekNumber} between 1 and 53`),
    check(
      "live_salary_requests_paid",
      sql`(${t.status} = 'approved') = (${t.ledgerTransferId} is not null)`,
    ),
  ],
);
