import { sql } from "drizzle-orm";
import { bigint, check, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, userId } from "../../../shared/db/columns.ts";
import { jobs } from "../../../shared/jobs/tables.ts";
import { users } from "../../identity/tables.ts";
import { servers } from "./servers.ts";

/**
 * A command for a server, as operators see it: the row beside its job. `payload` is shown; `input` is what the agent
 * gets without its secrets, which are in `sealedInput`. `outcome` is written once, together with what the command's end
 * means to the thing it was about (`effect` names the function), so that a job and its site never tell two stories.
 */
export const panelJobs = pgTable(
  "panel_jobs",
  {
    jobId: uuid()
      .primaryKey()
      .references(() => jobs.id, { onDelete: "cascade" }),
    id: text().notNull().unique("panel_jobs_id_key"),
    /** The order of commands of one subject. */
    seq: bigint({ mode: "number" }).notNull().generatedAlwaysAsIdentity(),
    serverId: text()
      .notNull()
      .references(() => servers.id, { onDelete: "cascade" }),
    subject: text().notNull(),
    /** As operators know it: `provision_site`. */
    type: text().notNull(),
    /** As the agent knows it: `site.provision`. */
    command: text().notNull(),
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    input: jsonb().$type<Record<string, unknown>>().notNull(),
    sealedInput: text(),
    effect: text(),
    triggeredBy: userId().references(() => users.id),
    deadlineAt: at().notNull(),
    progress: integer().notNull().default(0),
    lines: jsonb().$type<{ at: string; text: string }[]>().notNull().default([]),
    /** When it was first handed to the server's link, and when the agent was first heard to work on it. */
    submittedAt: at(),
    startedAt: at(),
    finishedAt: at(),
    outcome: text(),
    value: jsonb().$type<Record<string, unknown>>(),
    errorCode: text(),
    error: text(),
    createdAt: createdAt(),
  },
  (t) => [
    check(
      "panel_jobs_outcome_known",
      sql`${t.outcome} in ('success', 'failed') and (${t.outcome} = 'success') = (${t.error} is null)`,
    ),
    check("panel_jobs_ended_once", sql`(${t.outcome} is null) = (${t.finishedAt} is null)`),
    check("panel_jobs_effect_word", sql`${t.effect} ~ '^[a-z_]{1,40}$'`),
    check("panel_jobs_progress_percent", sql`${t.progress} between 0 and 100`),
    index("panel_jobs_list_idx").on(t.seq.desc().nullsFirst()),
    index("panel_jobs_turn_idx").on(t.serverId, t.subject, t.seq).where(sql`${t.outcome} is null`),
    index("panel_jobs_deadline_idx").on(t.deadlineAt).where(sql`${t.outcome} is null`),
    index("panel_jobs_subject_idx").on(t.subject, t.seq.desc().nullsFirst()),
  ],
);
