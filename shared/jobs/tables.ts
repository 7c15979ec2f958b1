import { sql } from "drizzle-orm";
import { check, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { at, id, timestamps } from "../db/columns.ts";

/**
 * Anything slow or outside, written in the same transaction as its cause. A queue message only wakes it up;
 * who holds the lease acts. `unknown`: an outside call may have acted, it is asked about and never sent again.
 */
export const jobs = pgTable(
  "jobs",
  {
    id: id(),
    kind: text().notNull(),
    queue: text().notNull(),
    dedupeKey: text().unique("jobs_dedupe_key_key"),
    payload: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    state: text().notNull().default("queued"),
    attempts: integer().notNull().default(0),
    maxAttempts: integer().notNull().default(20),
    runAt: at().notNull().defaultNow(),
    leaseId: uuid(),
    leaseUntil: at(),
    progress: integer().notNull().default(0),
    result: jsonb().$type<Record<string, unknown>>(),
    error: text(),
    finishedAt: at(),
    ...timestamps(),
  },
  (t) => [
    check(
      "jobs_state_known",
      sql`${t.state} in ('queued', 'running', 'success', 'failed', 'unknown', 'cancelled')`,
    ),
    check("jobs_progress_percent", sql`${t.progress} between 0 and 100`),
    index("jobs_due_idx").on(t.runAt).where(sql`${t.state} in ('queued', 'unknown')`),
    index("jobs_lease_idx").on(t.leaseUntil).where(sql`${t.state} = 'running'`),
    index("jobs_finished_idx").on(t.finishedAt).where(sql`${t.finishedAt} is not null`),
  ],
);
