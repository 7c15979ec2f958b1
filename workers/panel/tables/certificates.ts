import { sql } from "drizzle-orm";
import { boolean, index, pgTable, text, unique } from "drizzle-orm/pg-core";
import { at, id, timestamps } from "../../../shared/db/columns.ts";
import { servers } from "./servers.ts";
import { sites } from "./sites.ts";

/** A certificate that an agent has told of, the latest for its domain. Its key never leaves the server. */
export const certificates = pgTable(
  "panel_certificates",
  {
    id: id(),
    serverId: text()
      .notNull()
      .references(() => servers.id, { onDelete: "cascade" }),
    siteId: text().references(() => sites.id, { onDelete: "cascade" }),
    domain: text().notNull(),
    names: text().array().notNull().default(sql`'{}'`),
    issuer: text().notNull(),
    serial: text().notNull(),
    notBefore: at().notNull(),
    notAfter: at().notNull(),
    staging: boolean().notNull(),
    ...timestamps(),
  },
  (t) => [
    unique("panel_certificates_domain_key").on(t.serverId, t.domain),
    index("panel_certificates_site_idx").on(t.siteId),
    index("panel_certificates_end_idx").on(t.notAfter),
  ],
);
