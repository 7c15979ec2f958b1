import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, id, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { websites } from "./websites.ts";

/**
 * A version of a site in a folder of its own on the server. `preparing`: a deploy is filling it; `ready`: whole and
 * checked, can be switched to; `live`: what visitors get; `removing`: not wanted any more; `removed`: gone.
 */
export const releases = pgTable(
  "hosting_releases",
  {
    id: id(),
    websiteId: uuid()
      .notNull()
      .references(() => websites.id),
    /** Not a reference: archives go sooner than the releases that were made of them. */
    uploadId: uuid().notNull(),
    originalName: text().notNull(),
    files: integer().notNull(),
    unpackedBytes: bigint({ mode: "number" }).notNull(),
    /** Below the site's root. */
    folder: text().notNull(),
    /** What is served: the folder, or the only folder in it. */
    documentRoot: text().notNull(),
    state: text().notNull().default("preparing"),
    /** When it last went live. */
    liveSince: at(),
    ...timestamps(),
  },
  (t) => [
    check(
      "hosting_releases_state_known",
      sql`${t.state} in ('preparing', 'ready', 'live', 'removing', 'removed')`,
    ),
    check(
      "hosting_releases_live_dated",
      sql`${t.state} not in ('ready', 'live') or ${t.liveSince} is not null`,
    ),
    uniqueIndex("hosting_releases_one_live").on(t.websiteId).where(sql`${t.state} = 'live'`),
    index("hosting_releases_website_idx").on(t.websiteId, t.id.desc().nullsFirst()),
    index("hosting_releases_removing_idx").on(t.updatedAt).where(sql`${t.state} = 'removing'`),
  ],
);

/** One attempt to bring a release live, be it new (`deploy`) or an earlier one (`rollback`). One at a time per site. */
export const deploys = pgTable(
  "hosting_deploys",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    websiteId: uuid()
      .notNull()
      .references(() => websites.id),
    releaseId: uuid()
      .notNull()
      .references(() => releases.id),
    kind: text().notNull(),
    state: text().notNull().default("queued"),
    /** How far it is: before `switching` visitors get the old release for sure, from then on the server is asked. */
    step: text().notNull().default("waiting"),
    /** What is served when this one fails: the document root at its start. */
    previousRoot: text(),
    /** The status that visitors got at the front page before the switch; null: not asked yet, or no answer. */
    frontBefore: integer(),
    /** Name of the file by which the check knows its release; nobody can guess it. */
    marker: text(),
    /** In words for the site's owner. */
    failure: text(),
    jobId: uuid(),
    /** With the site's turn; a job also waits for its turn, and that is no attempt. */
    attempts: integer().notNull().default(0),
    /** Jobs that ended without an end of the deploy: another one takes it up, but not for ever. */
    rescues: integer().notNull().default(0),
    startedAt: at(),
    finishedAt: at(),
    ...timestamps(),
  },
  (t) => [
    check("hosting_deploys_kind_known", sql`${t.kind} in ('deploy', 'rollback')`),
    check(
      "hosting_deploys_state_known",
      sql`${t.state} in ('queued', 'running', 'success', 'failed', 'cancelled')`,
    ),
    check(
      "hosting_deploys_step_known",
      sql`${t.step} in ('waiting', 'preparing', 'uploading', 'extracting', 'verifying', 'switching', 'checking', 'reverting', 'done')`,
    ),
    check(
      "hosting_deploys_finished_dated",
      sql`(${t.state} in ('queued', 'running')) = (${t.finishedAt} is null)`,
    ),
    uniqueIndex("hosting_deploys_one_at_a_time")
      .on(t.websiteId)
      .where(sql`${t.state} in ('queued', 'running')`),
    index("hosting_deploys_website_idx").on(t.websiteId, t.id.desc().nullsFirst()),
    index("hosting_deploys_release_idx").on(t.releaseId),
    index("hosting_deploys_open_idx")
      .on(t.updatedAt)
      .where(sql`${t.state} in ('queued', 'running')`),
  ],
);
