import { sql } from "drizzle-orm";
import { check, date, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { at, timestamps } from "../../../shared/db/columns.ts";
import { subscriptions } from "./subscriptions.ts";

/**
 * What the nightly run has done, once for each period of a subscription: the key is what makes a repeated, a parallel
 * and a continued run harmless. `announcedAt`: the moment of deletion that a warning has told its reader.
 */
export const renewalSteps = pgTable(
  "hosting_renewal_steps",
  {
    subscriptionId: uuid()
      .notNull()
      .references(() => subscriptions.id),
    periodEnd: at().notNull(),
    step: text().notNull(),
    announcedAt: at(),
    doneAt: at().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.subscriptionId, t.periodEnd, t.step] }),
    check(
      "hosting_renewal_steps_step_known",
      sql`${t.step} in ('order', 'remind_3', 'remind_1', 'remind_0', 'suspend', 'warn_7', 'warn_1', 'delete')`,
    ),
    check(
      "hosting_renewal_steps_warning_dated",
      sql`(${t.step} in ('warn_7', 'warn_1')) = (${t.announcedAt} is not null)`,
    ),
  ],
);

/** A subscription that a run could not handle on a day (Jakarta); the others went on, and the next run tries it again. */
export const renewalFailures = pgTable(
  "hosting_renewal_failures",
  {
    subscriptionId: uuid()
      .notNull()
      .references(() => subscriptions.id),
    day: date().notNull(),
    error: text().notNull(),
    attempts: integer().notNull().default(1),
    ...timestamps(),
  },
  (t) => [primaryKey({ columns: [t.day, t.subscriptionId] })],
);
