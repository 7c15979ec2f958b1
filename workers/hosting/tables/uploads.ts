import { sql } from "drizzle-orm";
import { bigint, check, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { at, id, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import type { TopEntry } from "../archives/archive.ts";
import { websites } from "./websites.ts";

const bytes = () => bigint({ mode: "number" });

/**
 * A site's archive in R2. The row is there before the first byte is stored, so that nothing in the bucket is without
 * one: `receiving` while it comes, `stored` once it is whole and checked, `removing` until its object is gone.
 */
export const uploads = pgTable(
  "hosting_uploads",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    websiteId: uuid().references(() => websites.id),
    state: text().notNull().default("receiving"),
    key: text().notNull().unique("hosting_uploads_key_key"),
    /** R2's id of an object that is sent in parts; such parts are dropped by it. */
    multipartId: text(),
    /** As its sender called it, made harmless; only for people to read. */
    originalName: text(),
    format: text(),
    /** Of the file as it was sent; a plain tar is kept compressed. */
    size: bytes(),
    storedSize: bytes(),
    files: integer(),
    unpackedBytes: bytes(),
    top: jsonb().$type<TopEntry[]>(),
    storedAt: at(),
    ...timestamps(),
  },
  (t) => [
    check("hosting_uploads_state_known", sql`${t.state} in ('receiving', 'stored', 'removing')`),
    check("hosting_uploads_format_known", sql`${t.format} in ('zip', 'tar.gz', 'tar')`),
    check(
      "hosting_uploads_stored_is_whole",
      sql`${t.state} <> 'stored' or (${t.websiteId} is not null and ${t.originalName} is not null
        and ${t.format} is not null and ${t.size} > 0 and ${t.storedSize} > 0 and ${t.files} > 0
        and ${t.unpackedBytes} is not null and ${t.top} is not null and ${t.storedAt} is not null)`,
    ),
    index("hosting_uploads_website_idx").on(t.websiteId, t.id.desc().nullsFirst()),
    index("hosting_uploads_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    index("hosting_uploads_passing_idx").on(t.updatedAt).where(sql`${t.state} <> 'stored'`),
    index("hosting_uploads_stored_idx").on(t.storedAt).where(sql`${t.state} = 'stored'`),
  ],
);
