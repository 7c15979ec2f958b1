import { sql } from "drizzle-orm";
import { boolean, check, index, pgTable, text, unique } from "drizzle-orm/pg-core";
import { timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { servers } from "./servers.ts";

/**
 * A site on a server. `status` is what its commands came to and is moved by the functions of panel_sites.sql alone;
 * a site that has been taken down has no row.
 */
export const sites = pgTable(
  "panel_sites",
  {
    id: text().primaryKey(),
    serverId: text()
      .notNull()
      .references(() => servers.id),
    domain: text().notNull().unique("panel_sites_domain_key"),
    rootPath: text().notNull(),
    /** Below rootPath; "" is rootPath itself. */
    documentRoot: text().notNull().default(""),
    runtime: text().notNull(),
    phpVersion: text(),
    unixUser: text().notNull(),
    status: text().notNull().default("provisioning"),
    suspended: boolean().notNull().default(false),
    /** Why it is `failed`. */
    error: text(),
    createdBy: userId().references(() => users.id),
    ...timestamps(),
  },
  (t) => [
    check("panel_sites_runtime_known", sql`${t.runtime} in ('php', 'node', 'python', 'static')`),
    check(
      "panel_sites_status_known",
      sql`${t.status} in ('provisioning', 'active', 'failed', 'deleting')`,
    ),
    check(
      "panel_sites_root_clean",
      sql`${t.rootPath} ~ '^(/[A-Za-z0-9._][A-Za-z0-9._-]*)+$' and ${t.rootPath} !~ '/\\.{1,2}(/|$)'`,
    ),
    unique("panel_sites_root_key").on(t.serverId, t.rootPath),
    unique("panel_sites_unix_user_key").on(t.serverId, t.unixUser),
    index("panel_sites_list_idx").on(t.createdAt.desc().nullsFirst(), t.id.desc().nullsFirst()),
  ],
);

/** Every name that a site answers to, its domain among them: no two sites share one. */
export const siteNames = pgTable(
  "panel_site_names",
  {
    name: text().primaryKey(),
    siteId: text()
      .notNull()
      .references(() => sites.id, { onDelete: "cascade" }),
  },
  (t) => [index("panel_site_names_site_idx").on(t.siteId)],
);
