import { type SQL, sql } from "drizzle-orm";
import { auditContext } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";

/**
 * A step of a statement that writes down what its step `changed` did: an act that hit no row leaves no trace.
 * `changed` must be referred to by the caller's answer. `after`: a jsonb of its columns.
 */
export function told(
  ctx: Ctx,
  entry: { action: string; subject: string; changed: SQL; after: SQL; id?: SQL },
): SQL {
  const fields = { ...auditContext(ctx), action: entry.action, subject_kind: entry.subject };
  return sql`select audit_write(${JSON.stringify(fields)}::jsonb
    || jsonb_build_object('subject_id', ${entry.id ?? sql`t.id`}, 'after', ${entry.after})) as entry from ${entry.changed} t`;
}
