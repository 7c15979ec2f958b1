import { sql } from "drizzle-orm";
import { check, index, integer, jsonb, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { at, createdAt, id, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { orders } from "./orders.ts";

/** The last number of a year: taken last in the transaction that settles, so that numbers have no gaps. */
export const invoiceCounters = pgTable("hosting_invoice_counters", {
  year: integer().primaryKey(),
  last: integer().notNull(),
});

/** An invoice of a paid order. `content` is written once and repeats everything it shows; later changes touch it not. */
export const invoices = pgTable(
  "hosting_invoices",
  {
    id: id(),
    orderId: uuid()
      .notNull()
      .unique("hosting_invoices_order_key")
      .references(() => orders.id),
    userId: userId()
      .notNull()
      .references(() => users.id),
    number: text().notNull().unique("hosting_invoices_number_key"),
    year: integer().notNull(),
    serial: integer().notNull(),
    content: jsonb().$type<Record<string, unknown>>().notNull(),
    issuedAt: at().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    unique("hosting_invoices_serial_key").on(t.year, t.serial),
    index("hosting_invoices_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    check("hosting_invoices_serial_positive", sql`${t.serial} > 0`),
  ],
);
