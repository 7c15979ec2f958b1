import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { at, id, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { servers } from "./servers.ts";
import { subscriptions } from "./subscriptions.ts";

/**
 * A customer's site. `status` is what the server has confirmed, `wanted` what the newest order asks for: orders to
 * suspend, resume and delete are numbered, and one that is not the newest does nothing. `turn…`: which job may work
 * on the site at its server, by which of its runs, and until when. A row that is DELETED has freed its domain and its
 * subscription.
 */
export const websites = pgTable(
  "hosting_websites",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    subscriptionId: uuid()
      .notNull()
      .references(() => subscriptions.id),
    serverId: uuid()
      .notNull()
      .references(() => servers.id),
    /** As DNS knows it: lower case, punycode. */
    domain: text().notNull(),
    status: text().notNull().default("PENDING"),
    wanted: text().notNull().default("active"),
    orderNumber: integer().notNull().default(0),
    orderDone: integer().notNull().default(0),
    turnJob: uuid(),
    turnLease: uuid(),
    turnUntil: at(),
    createJobId: uuid(),
    /** When its creation was last sent to the server: before that it cannot be there. */
    createSentAt: at(),
    failure: text(),
    hostSiteId: text(),
    root: text(),
    /** The folder below the root that is served; '' is the root itself. */
    documentRoot: text().notNull().default(""),
    ftpUsername: text().notNull().unique("hosting_websites_ftp_username_key"),
    sealedFtpPassword: text().notNull(),
    /** Null where the server has no databases; its user has the same name. */
    databaseName: text(),
    sealedDatabasePassword: text(),
    certificateJobId: uuid(),
    certificateUntil: at(),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("hosting_websites_domain_key").on(t.domain).where(sql`${t.status} <> 'DELETED'`),
    uniqueIndex("hosting_websites_subscription_key")
      .on(t.subscriptionId)
      .where(sql`${t.status} <> 'DELETED'`),
    index("hosting_websites_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    index("hosting_websites_subscription_idx").on(t.subscriptionId, t.id.desc().nullsFirst()),
    index("hosting_websites_server_idx").on(t.serverId),
    check(
      "hosting_websites_status_known",
      sql`${t.status} in ('PENDING', 'ACTIVE', 'SUSPENDED', 'DELETED')`,
    ),
    check("hosting_websites_wanted_known", sql`${t.wanted} in ('active', 'suspended', 'deleted')`),
    check("hosting_websites_domain_plain", sql`${t.domain} ~ '^[a-z0-9.-]{3,253}$'`),
    check("hosting_websites_orders_forward", sql`${t.orderDone} <= ${t.orderNumber}`),
    check(
      "hosting_websites_live_is_placed",
      sql`${t.status} not in ('ACTIVE', 'SUSPENDED') or (${t.hostSiteId} is not null and ${t.root} is not null)`,
    ),
    check(
      "hosting_websites_deleted_dated",
      sql`(${t.status} = 'DELETED') = (${t.deletedAt} is not null)`,
    ),
  ],
);
