import { sql } from "drizzle-orm";
import { bigint, check, index, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { createdAt, userId } from "../db/columns.ts";

/**
 * Who did what to what, and what it was before and after; also what was refused. Append only (but a refusal that is
 * counted further), without secrets.
 * `actorKind`: a signed-in user, a key that acts for one, or the system itself.
 */
export const auditEntries = pgTable(
  "audit_entries",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    actorKind: text().notNull(),
    actorId: userId(),
    action: text().notNull(),
    subjectKind: text().notNull(),
    subjectId: text().notNull(),
    outcome: text().notNull(),
    /** The code of a refusal, or the words that the actor gave as a reason. */
    reason: text(),
    before: jsonb().$type<Record<string, unknown>>(),
    after: jsonb().$type<Record<string, unknown>>(),
    requestId: uuid(),
    address: text(),
    createdAt: createdAt(),
  },
  (t) => [
    check("audit_entries_actor_kind_known", sql`${t.actorKind} in ('user', 'key', 'system')`),
    check("audit_entries_outcome_known", sql`${t.outcome} in ('done', 'refused')`),
    index("audit_entries_subject_idx").on(t.subjectKind, t.subjectId, t.id.desc().nullsFirst()),
    index("audit_entries_panel_idx")
      .on(t.id.desc().nullsFirst())
      .where(sql`left(${t.subjectKind}, 6) = 'panel_'`),
    index("audit_entries_actor_idx").on(t.actorId, t.id.desc().nullsFirst()),
  ],
);
