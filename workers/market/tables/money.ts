import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import {
  at,
  createdAt,
  id,
  idr,
  timestamps,
  updatedAt,
  userId,
} from "../../../shared/db/columns.ts";
import { users } from "../../identity/tables.ts";
import { orders } from "./sales.ts";

/**
 * What went back to an order's buyer, and who bore it: of `goodsAmount` (at the price that he paid) the platform's
 * promo, the commission and the seller take back their shares, so that promo + goods = commission + seller.
 */
export const refunds = pgTable(
  "market_refunds",
  {
    id: id(),
    orderId: uuid()
      .notNull()
      .references(() => orders.id),
    goodsAmount: idr().notNull(),
    shippingAmount: idr().notNull().default(0),
    promoAmount: idr().notNull().default(0),
    commissionAmount: idr().notNull(),
    sellerAmount: idr().notNull(),
    taxAmount: idr().notNull().default(0),
    /** The seller had been paid already: commission that was earned is given back. */
    afterDelivery: boolean().notNull(),
    /** By the way that he paid, or to his wallet. */
    paidTo: text().notNull(),
    reason: text().notNull(),
    requestedBy: userId()
      .notNull()
      .references(() => users.id),
    createdAt: createdAt(),
  },
  (t) => [
    index("market_refunds_order_idx").on(t.orderId),
    index("market_refunds_created_idx").on(t.createdAt),
    index("market_refunds_requested_idx").on(t.requestedBy),
    check(
      "market_refunds_sum",
      sql`${t.goodsAmount} + ${t.promoAmount} = ${t.commissionAmount} + ${t.sellerAmount}`,
    ),
    check(
      "market_refunds_positive",
      sql`least(${t.goodsAmount}, ${t.shippingAmount}, ${t.promoAmount}, ${t.commissionAmount}, ${t.sellerAmount}, ${t.taxAmount}) >= 0`,
    ),
    check("market_refunds_paid_to_known", sql`${t.paidTo} in ('payment', 'wallet')`),
  ],
);

/** Where a seller's money goes. The number is sealed; its last four digits are for show. */
export const bankAccounts = pgTable(
  "market_bank_accounts",
  {
    sellerId: userId()
      .primaryKey()
      .references(() => users.id),
    bankCode: text().notNull(),
    sealedNumber: text().notNull(),
    numberLast4: text().notNull(),
    holder: text().notNull(),
    ...timestamps(),
  },
  (t) => [check("market_bank_accounts_last4", sql`${t.numberLast4} ~ '^[0-9]{4}$'`)],
);

/**
 * A seller's wish to have his balance in his bank. The money lies in payout/<seller> from the request until it is
 * paid or given back; the account is the one of that day. One that the bank sent back ends as `bounced`.
 */
export const payouts = pgTable(
  "market_payouts",
  {
    id: id(),
    sellerId: userId()
      .notNull()
      .references(() => users.id),
    amount: idr().notNull(),
    state: text().notNull().default("requested"),
    bankCode: text().notNull(),
    sealedNumber: text().notNull(),
    numberLast4: text().notNull(),
    holder: text().notNull(),
    needsSecond: boolean().notNull(),
    approvedBy: userId().references(() => users.id),
    approvedAt: at(),
    secondedBy: userId().references(() => users.id),
    secondedAt: at(),
    closedBy: userId().references(() => users.id),
    closedAt: at(),
    closedReason: text(),
    transferReference: text().unique("market_payouts_transfer_key"),
    /** The bank sent the transfer back: who said so and why, who confirmed it, when the money was the seller's again. */
    bouncedBy: userId().references(() => users.id),
    bounceReason: text(),
    bounceSecondedBy: userId().references(() => users.id),
    bouncedAt: at(),
    ...timestamps(),
  },
  (t) => [
    uniqueIndex("market_payouts_open_key")
      .on(t.sellerId)
      .where(sql`${t.state} in ('requested', 'approved')`),
    index("market_payouts_seller_idx").on(t.sellerId, t.id.desc().nullsFirst()),
    index("market_payouts_state_idx").on(t.state, t.id.desc().nullsFirst()),
    index("market_payouts_approved_by_idx").on(t.approvedBy),
    index("market_payouts_seconded_by_idx").on(t.secondedBy),
    index("market_payouts_closed_by_idx").on(t.closedBy),
    index("market_payouts_bounced_by_idx").on(t.bouncedBy),
    index("market_payouts_bounce_seconded_by_idx").on(t.bounceSecondedBy),
    check("market_payouts_amount_positive", sql`${t.amount} > 0`),
    check(
      "market_payouts_state_known",
      sql`${t.state} in ('requested', 'approved', 'paid', 'bounced', 'rejected', 'cancelled')`,
    ),
    check(
      "market_payouts_two_persons",
      sql`${t.state} not in ('approved', 'paid', 'bounced') or (${t.approvedBy} is not null and ${t.approvedBy} <> ${t.sellerId} and (not ${t.needsSecond} or (${t.secondedBy} is not null and ${t.secondedBy} <> ${t.approvedBy} and ${t.secondedBy} <> ${t.sellerId})))`,
    ),
    check(
      "market_payouts_paid_is_referenced",
      sql`(${t.state} in ('paid', 'bounced')) = (${t.transferReference} is not null)`,
    ),
    check(
      "market_payouts_bounced_after_paid",
      sql`(${t.bouncedBy} is null) = (${t.bounceReason} is null) and (${t.bouncedBy} is null or (${t.state} in ('paid', 'bounced') and ${t.bouncedBy} <> ${t.sellerId}))`,
    ),
    check(
      "market_payouts_bounced_two_persons",
      sql`(${t.state} = 'bounced') = (${t.bouncedAt} is not null) and (${t.state} <> 'bounced' or (${t.bouncedBy} is not null and (not ${t.needsSecond} or (${t.bounceSecondedBy} is not null and ${t.bounceSecondedBy} <> ${t.bouncedBy} and ${t.bounceSecondedBy} <> ${t.sellerId}))))`,
    ),
  ],
);

/** What a seller sold through us in a calendar year of Jakarta, less what went back. */
export const turnovers = pgTable(
  "market_turnovers",
  {
    sellerId: userId()
      .notNull()
      .references(() => users.id),
    year: integer().notNull(),
    amount: idr().notNull(),
    updatedAt: updatedAt(),
  },
  (t) => [primaryKey({ columns: [t.sellerId, t.year], name: "market_turnovers_pkey" })],
);

/** A seller's word that he sells for less than Rp 500 million in that year (PMK 37/2025). His tax id is sealed. */
export const taxStatements = pgTable(
  "market_tax_statements",
  {
    id: id(),
    sellerId: userId()
      .notNull()
      .references(() => users.id),
    year: integer().notNull(),
    sealedTaxId: text().notNull(),
    taxIdLast4: text().notNull(),
    filedAt: at().notNull().defaultNow(),
  },
  (t) => [unique("market_tax_statements_year_key").on(t.sellerId, t.year)],
);

/** The PPh 22 withheld of an order when its seller was paid. */
export const withholdings = pgTable(
  "market_withholdings",
  {
    orderId: uuid()
      .primaryKey()
      .references(() => orders.id),
    sellerId: userId()
      .notNull()
      .references(() => users.id),
    year: integer().notNull(),
    /** What was sold, and how much of it is taxed. */
    grossAmount: idr().notNull(),
    taxedAmount: idr().notNull(),
    taxAmount: idr().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index("market_withholdings_seller_idx").on(t.sellerId, t.year),
    check(
      "market_withholdings_sane",
      sql`${t.taxedAmount} between 0 and ${t.grossAmount} and ${t.taxAmount} between 0 and ${t.taxedAmount}`,
    ),
  ],
);
