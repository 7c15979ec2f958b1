import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { at, createdAt, id, idr, timestamps, userId } from "../db/columns.ts";

/** What somebody is to pay: settled at most once, whatever the providers send. */
export const paymentIntents = pgTable(
  "payments_intents",
  {
    id: id(),
    purpose: text().notNull(),
    purposeId: text().notNull(),
    userId: userId().notNull(),
    provider: text().notNull(),
    amount: idr().notNull(),
    state: text().notNull().default("pending"),
    /** Who hears of a refund; nothing else is sent there. */
    customerEmail: text(),
    expiresAt: at().notNull(),
    paidAt: at(),
    /** Its payer wants it no more: nothing is opened for it from here on, and what is open is closed. */
    givenUpAt: at(),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("payments_intents_open_key")
      .on(t.purpose, t.purposeId)
      .where(sql`${t.state} in ('pending', 'paid')`),
    index("payments_intents_user_idx").on(t.userId, t.createdAt.desc().nullsFirst()),
    check("payments_intents_amount_positive", sql`${t.amount} > 0`),
    check(
      "payments_intents_state_known",
      sql`${t.state} in ('pending', 'paid', 'expired', 'failed', 'refunded')`,
    ),
  ],
);

/**
 * The way to collect an intent through one channel of a provider. `providerRef` is the order id that the provider
 * knows; money that arrives on a second charge of the same intent is refunded. `checkAt`: when the cron asks.
 */
export const paymentCharges = pgTable(
  "payments_charges",
  {
    id: id(),
    intentId: uuid()
      .notNull()
      .references(() => paymentIntents.id),
    channel: text().notNull(),
    providerRef: text().notNull().unique("payments_charges_provider_ref_key"),
    state: text().notNull().default("creating"),
    /** The money of this charge paid the intent; any other money of the intent goes back. */
    settlesIntent: boolean().notNull().default(false),
    transactionId: text(),
    qrString: text(),
    qrImageUrl: text(),
    paymentUrl: text(),
    expiresAt: at().notNull(),
    checkAt: at(),
    paidAt: at(),
    failure: text(),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("payments_charges_channel_key").on(t.intentId, t.channel),
    uniqueIndex("payments_charges_settling_key").on(t.intentId).where(sql`${t.settlesIntent}`),
    index("payments_charges_check_idx").on(t.checkAt).where(sql`${t.checkAt} is not null`),
    check("payments_charges_channel_known", sql`${t.channel} in ('qris', 'snap', 'redirect')`),
    check(
      "payments_charges_state_known",
      sql`${t.state} in ('creating', 'pending', 'unknown', 'paid', 'expired', 'cancelled', 'failed', 'refunding', 'refunded')`,
    ),
  ],
);

/** Money going back. One a charge: asked under its own key until the provider confirms or refuses for good. */
export const paymentRefunds = pgTable(
  "payments_refunds",
  {
    id: id(),
    chargeId: uuid()
      .notNull()
      .unique("payments_refunds_charge_key")
      .references(() => paymentCharges.id),
    amount: idr().notNull(),
    reason: text().notNull(),
    state: text().notNull().default("queued"),
    createdAt: createdAt(),
    /** Set before the provider is asked for the first time: from here on it may have acted. */
    requestedAt: at(),
    finishedAt: at(),
  },
  (t) => [
    check("payments_refunds_amount_positive", sql`${t.amount} > 0`),
    check(
      "payments_refunds_state_known",
      sql`${t.state} in ('queued', 'requested', 'refunded', 'credited')`,
    ),
  ],
);

/**
 * How far the transactions of an account at its provider were read, newest first: all up to number `floor` were. `page`,
 * `top` and `beganAt` are the reading under way that goes on where the last run has stopped; `readUntil`: of what was
 * opened before, nothing is unread.
 */
export const paymentHistories = pgTable("payments_histories", {
  /** The provider, and its number of the account. */
  account: text().primaryKey(),
  floor: bigint({ mode: "number" }).notNull().default(0),
  page: integer().notNull().default(1),
  top: bigint({ mode: "number" }),
  beganAt: at(),
  readUntil: at(),
  ...timestamps(),
});

/** A transaction that was read there, of a reference that is a charge's; the state is the one that was last read. */
export const paymentSightings = pgTable(
  "payments_sightings",
  {
    chargeId: uuid()
      .notNull()
      .references(() => paymentCharges.id),
    transactionId: text().notNull(),
    state: text().notNull(),
    ...timestamps(),
  },
  (t) => [primaryKey({ columns: [t.chargeId, t.transactionId] })],
);
