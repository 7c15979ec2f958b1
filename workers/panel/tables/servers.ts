import { sql } from "drizzle-orm";
import { boolean, check, index, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import type { AgentFacts } from "../../../shared/agent-protocol/index.ts";
import { at, createdAt, id, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/**
 * A hosting server with an agent of ours. One of them is the default: the one that a call means which names none.
 * `publicKey` (Ed25519, raw, base64url) is null until an agent has enrolled.
 */
export const servers = pgTable(
  "panel_servers",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    isDefault: boolean().notNull(),
    publicKey: text(),
    enrolledAt: at(),
    agentVersion: text(),
    facts: jsonb().$type<AgentFacts>(),
    /** Every site's folder is below it; the agent's own settings say so when it connects. */
    sitesRoot: text().notNull().default("/var/www"),
    connectedAt: at(),
    /** The last hello or report; the heartbeat itself wakes nobody and is not written down. */
    seenAt: at(),
    createdBy: userId().references(() => users.id),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("panel_servers_name_key").on(sql`lower(${t.name})`),
    uniqueIndex("panel_servers_default_key").on(t.isDefault).where(sql`${t.isDefault}`),
    check(
      "panel_servers_enrolled_with_key",
      sql`(${t.publicKey} is null) = (${t.enrolledAt} is null)`,
    ),
  ],
);

/** A right to enrol one agent once; its token is shown to the operator and kept as a digest. */
export const enrolments = pgTable(
  "panel_enrolments",
  {
    id: id(),
    serverId: text()
      .notNull()
      .references(() => servers.id, { onDelete: "cascade" }),
    tokenHash: text().notNull().unique("panel_enrolments_token_hash_key"),
    expiresAt: at().notNull(),
    usedAt: at(),
    createdBy: userId().references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [index("panel_enrolments_server_idx").on(t.serverId)],
);
