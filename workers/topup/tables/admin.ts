import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { services } from "./catalogue.ts";
import { orders } from "./orders.ts";

/** What the supplier has of our money, as last asked. `heldSince`: no new orders while it is below the floor. */
export const supplierState = pgTable("topup_supplier_state", {
  provider: text().primaryKey(),
  balance: idr().notNull(),
  floor: idr().notNull(),
  checkedAt: at().notNull(),
  heldSince: at(),
});

/**
 * What the operator paid in at the supplier (negative: took out, or put right), for the reconciliation of its balance:
 * a deposit that nobody wrote down would hide an equal loss.
 */
export const supplierDeposits = pgTable(
  "topup_supplier_deposits",
  {
    id: id(),
    amount: idr().notNull(),
    /** When the supplier booked it. */
    paidAt: at().notNull(),
    note: text().notNull(),
    actorId: userId()
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [
    check("topup_supplier_deposits_amount", sql`${t.amount} <> 0`),
    index("topup_supplier_deposits_paid_idx").on(t.paidAt),
    index("topup_supplier_deposits_actor_idx").on(t.actorId),
  ],
);

export interface HandRequestInput {
  chargedAmount?: number | undefined;
  remain?: number | undefined;
  trxid?: string | undefined;
  /** Sealed for the request. */
  serial?: string | undefined;
  /** `retry`: also where the owner has ordered the same since. */
  confirm?: boolean | undefined;
}

/**
 * What an admin wants done with an order by hand. Above a limit another admin must confirm it; it is written down
 * before it is done, so that a crash in between is found: `confirmed` and not yet `done`.
 */
export const handRequests = pgTable(
  "topup_hand_requests",
  {
    id: id(),
    orderId: uuid()
      .notNull()
      .references(() => orders.id),
    action: text().notNull(),
    input: jsonb().$type<HandRequestInput>().notNull().default({}),
    reason: text().notNull(),
    needsSecond: boolean().notNull(),
    state: text().notNull(),
    /** The order's purchase as it was known then, '' for none; null: asked before this was kept. */
    knownTrxid: text(),
    requestedBy: userId()
      .notNull()
      .references(() => users.id),
    decidedBy: userId().references(() => users.id),
    decidedAt: at(),
    /** `retry`: the new order, written with it, so that it is one however often and late the request is carried on. */
    placedOrderId: uuid().references(() => orders.id),
    outcome: text(),
    expiresAt: at().notNull(),
    ...timestamps(),
  },
  (t) => [
    check(
      "topup_hand_requests_action_known",
      sql`${t.action} in ('success', 'failed', 'partial', 'refunded', 'retry')`,
    ),
    check(
      "topup_hand_requests_state_known",
      sql`${t.state} in ('waiting', 'confirmed', 'done', 'refused', 'rejected', 'expired')`,
    ),
    check(
      "topup_hand_requests_two_persons",
      sql`not ${t.needsSecond} or ${t.state} in ('waiting', 'rejected', 'expired') or ${t.decidedBy} <> ${t.requestedBy}`,
    ),
    uniqueIndex("topup_hand_requests_open_key")
      .on(t.orderId)
      .where(sql`${t.state} in ('waiting', 'confirmed')`),
    index("topup_hand_requests_order_idx").on(t.orderId, t.id.desc().nullsFirst()),
    index("topup_hand_requests_state_idx").on(t.state, t.id.desc().nullsFirst()),
  ],
);

/** The services whose low stock was told about, by Jakarta day: each once a day. */
export const stockAlerts = pgTable(
  "topup_stock_alerts",
  {
    serviceId: uuid()
      .notNull()
      .references(() => services.id),
    day: date().notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.serviceId], name: "topup_stock_alerts_pkey" })],
);

/** Our orders of one Jakarta day beside the supplier's list and balance. */
export const reconciliations = pgTable(
  "topup_reconciliations",
  {
    day: date().primaryKey(),
    orders: integer().notNull(),
    matched: integer().notNull(),
    /** Ours that the supplier does not show, and the supplier's that are not ours. */
    missingThere: jsonb().$type<Record<string, unknown>[]>().notNull(),
    missingHere: jsonb().$type<Record<string, unknown>[]>().notNull(),
    priceDifferences: jsonb().$type<Record<string, unknown>[]>().notNull(),
    stateDifferences: jsonb().$type<Record<string, unknown>[]>().notNull(),
    /** What the supplier should have left after the last report: this, or what lies between, as purchases were on their way. */
    expectedBalance: idr(),
    leastBalance: idr(),
    mostBalance: idr(),
    balance: idr().notNull(),
    balanceAt: at().notNull(),
    clean: boolean().notNull(),
    createdAt: createdAt(),
  },
  (t) => [index("topup_reconciliations_balance_idx").on(t.balanceAt)],
);

/** Purchases of the supplier's list that are no order of ours, by the day whose report told of them. */
export const reconciledStrays = pgTable("topup_reconciled_strays", {
  trxid: text().primaryKey(),
  day: date().notNull(),
});
