import { index, integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id, userId } from "../../../shared/db/columns.ts";
import { jobs } from "../../../shared/jobs/tables.ts";
import { users } from "../../identity/tables.ts";
import { servers } from "./servers.ts";

/** A signed release of the agent. Its file is in the bucket; the manifest is kept to the letter, as it was signed. */
export const releases = pgTable(
  "panel_releases",
  {
    version: text().primaryKey(),
    /** The version as a number that sorts. */
    rank: text().notNull(),
    commit: text().notNull(),
    manifest: text().notNull(),
    signature: text().notNull(),
    size: integer().notNull(),
    builtAt: at().notNull(),
    createdBy: userId().references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [index("panel_releases_rank_idx").on(t.rank.desc())],
);

/** One wish to update a server's agent; how it goes is told by its job. */
export const updates = pgTable(
  "panel_updates",
  {
    id: id(),
    serverId: text()
      .notNull()
      .references(() => servers.id, { onDelete: "cascade" }),
    version: text()
      .notNull()
      .references(() => releases.version),
    jobId: uuid().references(() => jobs.id, { onDelete: "set null" }),
    startedBy: userId().references(() => users.id),
    startedAt: at().notNull().defaultNow(),
  },
  (t) => [index("panel_updates_list_idx").on(t.serverId, t.startedAt.desc())],
);
