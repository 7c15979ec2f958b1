import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  boolean,
  check,
  index,
  integer,
  pgTable,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { at, id, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
// biome-ignore lint/suspicious/noImportCycles: each table points at the other; both arrows are read later.
import { orders } from "./orders.ts";
import { plans } from "./plans.ts";

/**
 * What a customer has. `orderId` is the order that began it; renewals move `endDate` by months that count in Jakarta
 * from `anchorDay` (31 January, 28 February, 31 March). `duration` is what a renewal buys, `price` what the last one
 * cost. `deletedAt`: its website is gone, and so is its slot.
 */
export const subscriptions = pgTable(
  "hosting_subscriptions",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    orderId: uuid()
      .notNull()
      .unique("hosting_subscriptions_order_key")
      .references((): AnyPgColumn => orders.id),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
    planName: text().notNull(),
    planType: text().notNull(),
    status: text().notNull().default("ACTIVE"),
    startDate: at().notNull(),
    endDate: at().notNull(),
    anchorDay: integer().notNull(),
    duration: integer().notNull(),
    price: idr().notNull(),
    autoRenew: boolean().notNull().default(true),
    suspendedAt: at(),
    deletedAt: at(),
    ...timestamps(),
  },
  (t) => [
    index("hosting_subscriptions_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    index("hosting_subscriptions_plan_idx").on(t.planId),
    index("hosting_subscriptions_end_idx").on(t.endDate, t.id).where(sql`${t.deletedAt} is null`),
    check("hosting_subscriptions_type_known", sql`${t.planType} in ('HOSTING', 'VPS')`),
    check(
      "hosting_subscriptions_status_known",
      sql`${t.status} in ('ACTIVE', 'SUSPENDED', 'EXPIRED', 'CANCELLED')`,
    ),
    check("hosting_subscriptions_runs_forward", sql`${t.endDate} > ${t.startDate}`),
    check("hosting_subscriptions_anchor_is_day", sql`${t.anchorDay} between 1 and 31`),
    check("hosting_subscriptions_duration_known", sql`${t.duration} in (1, 3, 6, 12, 24)`),
  ],
);
