import { sql } from "drizzle-orm";
import { boolean, check, integer, pgTable, text } from "drizzle-orm/pg-core";
import { id, timestamps } from "../../../shared/db/columns.ts";

/**
 * A server that carries customers' sites. `sealedKey` is null for the server of the configuration, whose key is there.
 * `sites` counts those that are reserved or live on it, and is moved by conditional writes only.
 */
export const servers = pgTable(
  "hosting_servers",
  {
    id: id(),
    name: text().notNull(),
    driver: text().notNull(),
    baseUrl: text().notNull().unique("hosting_servers_base_url_key"),
    sealedKey: text(),
    /** `host[:port]` where visitors reach its web server. */
    webAddress: text().notNull(),
    /** What customers put into their FTP program. */
    ftpHost: text().notNull(),
    /** Below it each site has its folder. */
    sitesPath: text().notNull(),
    /** For example '82'; null: static files only. */
    phpVersion: text(),
    hasDatabases: boolean().notNull().default(true),
    capacity: integer().notNull(),
    sites: integer().notNull().default(0),
    isActive: boolean().notNull().default(true),
    ...timestamps(),
  },
  (t) => [
    check("hosting_servers_driver_known", sql`${t.driver} in ('aapanel', 'agent')`),
    check("hosting_servers_sites_counted", sql`${t.sites} >= 0 and ${t.capacity} >= 0`),
    check("hosting_servers_sites_path_absolute", sql`${t.sitesPath} ~ '^/[a-z0-9/_-]+[a-z0-9]$'`),
  ],
);
