import { sql } from "drizzle-orm";
import { check, pgTable, text } from "drizzle-orm/pg-core";
import { createdAt, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";

/** The short name by which an operator signs in at the panel; the role itself stands with the user. */
export const operators = pgTable(
  "panel_operators",
  {
    userId: userId()
      .primaryKey()
      .references(() => users.id, { onDelete: "cascade" }),
    username: text().notNull().unique("panel_operators_username_key"),
    createdAt: createdAt(),
  },
  (t) => [
    check("panel_operators_username_plain", sql`${t.username} ~ '^[a-z0-9][a-z0-9._-]{1,63}$'`),
  ],
);
