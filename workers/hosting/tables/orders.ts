import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, id, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { paymentIntents } from "../../../shared/payments/tables.ts";
import { users } from "../../identity/tables.ts";
import { plans } from "./plans.ts";
// biome-ignore lint/suspicious/noImportCycles: each table points at the other; both arrows are read later.
import { subscriptions } from "./subscriptions.ts";

/** What an invoice repeats of the day on which its order was placed. */
export interface OrderTerms {
  ppn_percent: number;
  seller: { name: string; address: string; tax_id: string };
}

/**
 * A plan for some months, or the renewal of a subscription. `PROCESSING` is never stored: it is a `PENDING` order
 * whose payment page is open (`hosting_order_view`). `renewsPeriod` is the end that a renewal moves on.
 */
export const orders = pgTable(
  "hosting_orders",
  {
    id: id(),
    userId: userId()
      .notNull()
      .references(() => users.id),
    planId: uuid()
      .notNull()
      .references(() => plans.id),
    planName: text().notNull(),
    planType: text().notNull(),
    monthlyPrice: idr().notNull(),
    duration: integer().notNull(),
    price: idr().notNull(),
    status: text().notNull().default("PENDING"),
    /** The domain that was asked for with the order, for recognising a second click; '' without one. */
    domain: text().notNull().default(""),
    metadata: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    terms: jsonb().$type<OrderTerms>().notNull(),
    /** Its payment; a renewal has none until somebody wants to pay, and another when that one has run out. */
    intentId: uuid()
      .unique("hosting_orders_intent_key")
      .references(() => paymentIntents.id),
    /** Opens the payment page from a mail, without a sign-in. */
    payKey: text().notNull(),
    /** Until then one request is asking the provider for the page; a parallel one waits for what it records. */
    askingUntil: at(),
    expiresAt: at(),
    paidAt: at(),
    closedReason: text(),
    holdsSlot: boolean().notNull().default(false),
    renewsSubscriptionId: uuid().references((): AnyPgColumn => subscriptions.id),
    renewsPeriod: at(),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("hosting_orders_click_key")
      .on(t.userId, t.planId, t.duration, t.domain)
      .where(sql`${t.status} = 'PENDING' and ${t.renewsSubscriptionId} is null`),
    uniqueIndex("hosting_orders_renewal_key")
      .on(t.renewsSubscriptionId, t.renewsPeriod)
      .where(sql`${t.status} in ('PENDING', 'COMPLETED')`),
    index("hosting_orders_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    index("hosting_orders_plan_idx").on(t.planId),
    check("hosting_orders_type_known", sql`${t.planType} in ('HOSTING', 'VPS')`),
    check("hosting_orders_duration_known", sql`${t.duration} in (1, 3, 6, 12, 24)`),
    check("hosting_orders_price_adds_up", sql`${t.price} = ${t.monthlyPrice} * ${t.duration}`),
    check(
      "hosting_orders_status_known",
      sql`${t.status} in ('PENDING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')`,
    ),
    check("hosting_orders_paid_once", sql`(${t.status} = 'COMPLETED') = (${t.paidAt} is not null)`),
    check(
      "hosting_orders_renewal_whole",
      sql`(${t.renewsSubscriptionId} is null) = (${t.renewsPeriod} is null)`,
    ),
  ],
);
