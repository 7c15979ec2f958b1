import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, idr, timestamps, userId } from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { services, type TargetKind } from "./catalogue.ts";
import { apiKeys } from "./resellers.ts";

/**
 * Where an order stands. `pending`: not paid. `queued`: paid, not yet sent to the supplier. `buying`: one attempt is
 * out, until `attemptUntil`. `unknown`: it may have been bought; the supplier's history tells. `review`: a person must
 * tell. `processing`: bought, under `trxid`. The rest is final.
 */
export type OrderState =
  | "pending"
  | "queued"
  | "buying"
  | "unknown"
  | "review"
  | "processing"
  | "success"
  | "partial"
  | "failed"
  | "cancelled"
  | "refunded";

/** What customers buy of the supplier. Written by the functions of topup_orders*.sql alone. */
export const orders = pgTable(
  "topup_orders",
  {
    id: id(),
    number: text().notNull().unique("topup_orders_number_key"),
    userId: userId()
      .notNull()
      .references(() => users.id),
    serviceId: uuid()
      .notNull()
      .references(() => services.id),
    /** The service as it was when it was ordered. */
    family: text().$type<"prepaid" | "game" | "social">().notNull(),
    code: text().notNull(),
    serviceName: text().notNull(),
    brand: text().notNull(),
    target: text().notNull(),
    /** What kind of target the service had then; null: ordered before this was kept. */
    targetKind: text().$type<TargetKind>(),
    zone: text(),
    quantity: integer().notNull().default(1),
    /** What the customer pays for all of it, and what we expect the supplier to charge. */
    amount: idr().notNull(),
    supplierAmount: idr().notNull(),
    state: text().$type<OrderState>().notNull(),
    orderedVia: text().$type<"app" | "api">().notNull().default("app"),
    resellerKeyId: uuid().references(() => apiKeys.id),
    /** The supplier's id. One purchase belongs to one order. */
    trxid: text(),
    /** What the supplier charged, once it is known. */
    chargedAmount: idr(),
    /** Of a purchase that was delivered in part. */
    remain: integer(),
    startCount: integer(),
    refundedAmount: idr().notNull().default(0),
    /** In words that the customer may read. */
    notes: text(),
    /** The supplier's own words where they are no serial number; for admins. */
    supplierNote: text(),
    /** Serial number, token or voucher, sealed for `topup-order/<id>`. */
    sealedSerial: text(),
    /** Why a person should look: he must at a `review`, he may at a purchase under way or one that was refunded. */
    reviewReason: text(),
    /** Whether a counted stock is held: `reserved` before the purchase, `taken` after it; null: nothing to give back (any more). */
    stockHeld: text().$type<"reserved" | "taken">(),
    /** The attempt that may record its result; a new one gets a new id. */
    attemptId: uuid(),
    attemptAt: at(),
    attemptUntil: at(),
    /** When its purchase was known: it was made before. */
    boughtAt: at(),
    /** The purchase that the answer told of, where it is not its own for sure, or a person took it away: history must tell. */
    answeredTrxid: text(),
    /**
     * When an answer told of that, or of the `trxid` of an order that a person is asked about, or he alone of its `trxid`;
     * nobody tried later bought it.
     */
    toldAt: at(),
    /** When that purchase was found in the supplier's history; null: an answer, or a person, has told whose it is. */
    matchedAt: at(),
    /** How often, and since when, the history says that nothing was bought (topup_orders_silence.sql). */
    absences: integer().notNull().default(0),
    absentSince: at(),
    /** Since when it does so beside a purchase that was made after the attempt. */
    newerSince: at(),
    /**
     * Since when, and when last, the supplier's list was an answer at all. Of an order under way or over the former is kept
     * where its purchase was taken as that list has it, though it is written otherwise (topup_orders_decide.sql).
     */
    answeredSince: at(),
    answeredAt: at(),
    /** When the supplier is asked next about a purchase that it accepted, or whose serial number is waited for. */
    askAt: at(),
    askedAt: at(),
    expiresAt: at(),
    paidAt: at(),
    finishedAt: at(),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("topup_orders_trxid_key").on(t.trxid).where(sql`${t.trxid} is not null`),
    index("topup_orders_answered_idx")
      .on(t.answeredTrxid)
      .where(sql`${t.answeredTrxid} is not null`),
    check("topup_orders_family_known", sql`${t.family} in ('prepaid', 'game', 'social')`),
    check(
      "topup_orders_state_known",
      sql`${t.state} in ('pending', 'queued', 'buying', 'unknown', 'review', 'processing',
        'success', 'partial', 'failed', 'cancelled', 'refunded')`,
    ),
    check("topup_orders_via_known", sql`${t.orderedVia} in ('app', 'api')`),
    check(
      "topup_orders_amounts",
      sql`${t.amount} > 0 and ${t.supplierAmount} > 0 and ${t.quantity} > 0`,
    ),
    check("topup_orders_refund_bounds", sql`${t.refundedAmount} between 0 and ${t.amount}`),
    check(
      "topup_orders_final_dated",
      sql`(${t.finishedAt} is not null) = (${t.state} in ('success', 'partial', 'failed', 'cancelled', 'refunded'))`,
    ),
    check("topup_orders_bought_named", sql`${t.state} <> 'processing' or ${t.trxid} is not null`),
    check("topup_orders_stock_known", sql`${t.stockHeld} in ('reserved', 'taken')`),
    index("topup_orders_user_idx").on(t.userId, t.id.desc().nullsFirst()),
    index("topup_orders_open_idx")
      .on(t.userId)
      .where(sql`${t.state} in ('queued', 'buying', 'unknown', 'review', 'processing')`),
    index("topup_orders_target_idx").on(t.family, t.target, t.id.desc().nullsFirst()),
    index("topup_orders_ask_idx").on(t.family, t.askAt).where(sql`${t.state} = 'processing'`),
    index("topup_orders_serial_idx")
      .on(t.family, t.askAt)
      .where(
        sql`${t.state} in ('success', 'partial') and ${t.family} <> 'social' and ${t.sealedSerial} is null
          and ${t.trxid} is not null`,
      ),
    index("topup_orders_expiry_idx").on(t.expiresAt).where(sql`${t.state} = 'pending'`),
    index("topup_orders_state_idx").on(t.state, t.id.desc().nullsFirst()),
    index("topup_orders_review_idx")
      .on(t.id.desc().nullsFirst())
      .where(sql`${t.reviewReason} is not null`),
    index("topup_orders_service_idx").on(t.serviceId),
    index("topup_orders_key_idx").on(t.resellerKeyId).where(sql`${t.resellerKeyId} is not null`),
  ],
);

/**
 * Every state that an order came to, in `seq` order; its end once more where its serial number came after it. `handledAt`:
 * who tells others of it has taken note.
 */
export const orderEvents = pgTable(
  "topup_order_events",
  {
    seq: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    orderId: uuid()
      .notNull()
      .references(() => orders.id),
    state: text().$type<OrderState>().notNull(),
    at: createdAt(),
    handledAt: at(),
  },
  (t) => [
    index("topup_order_events_order_idx").on(t.orderId, t.seq),
    index("topup_order_events_open_idx").on(t.seq).where(sql`${t.handledAt} is null`),
  ],
);

/**
 * Purchases in the supplier's history that belong to no order of ours. One that was seen before an attempt began is
 * not that attempt's. `seenAt` is when the list that shows it had arrived.
 */
export const supplierSightings = pgTable(
  "topup_supplier_sightings",
  {
    trxid: text().notNull(),
    family: text().notNull(),
    seenAt: at().notNull(),
    /** For whom, as the list had it; null: seen before this was kept. */
    target: text(),
    /** When a list first showed that it had ended. */
    endedAt: at(),
  },
  (t) => [
    primaryKey({ columns: [t.trxid], name: "topup_supplier_sightings_pkey" }),
    index("topup_supplier_sightings_seen_idx").on(t.seenAt),
  ],
);

/**
 * When the supplier was last asked about a purchase because callbacks name it, and what it said: whoever has seen a signed
 * one may send it ten thousand times. Nobody asks about it before `nextAt`.
 */
export const supplierAsks = pgTable(
  "topup_supplier_asks",
  {
    trxid: text().notNull(),
    askedAt: at().notNull(),
    nextAt: at().notNull(),
    /** `askedAt` of the last ask that was answered. */
    answeredAt: at(),
    answer: text(),
  },
  (t) => [
    primaryKey({ columns: [t.trxid], name: "topup_supplier_asks_pkey" }),
    index("topup_supplier_asks_asked_idx").on(t.askedAt),
    check(
      "topup_supplier_asks_answer_known",
      sql`${t.answer} in ('told', 'denied') and (${t.answer} is null) = (${t.answeredAt} is null)`,
    ),
  ],
);
