import { sql } from "drizzle-orm";
import { bigint, boolean, check, index, pgTable, text, unique } from "drizzle-orm/pg-core";
import { createdAt, idr } from "../db/columns.ts";

/**
 * Who holds money. `kind` says what the account is for, `ownerId` whose it is: wallet/<user id>,
 * escrow/<store id>, gateway/<provider>, refund_due/<provider>, commission/market, courier/<provider>,
 * promo/market, payout/<user id> (on its way to his bank), tax/<tax>, advance/<user id> (below zero: what he owes us
 * for refunds that his wallet did not cover). Only gateways, the promo budget and advances may go below zero.
 */
export const ledgerAccounts = pgTable(
  "ledger_accounts",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text().notNull(),
    ownerId: text().notNull(),
    currency: text().notNull().default("IDR"),
    balance: idr().notNull().default(0),
    mayOverdraw: boolean().notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [
    unique("ledger_accounts_owner_key").on(t.kind, t.ownerId, t.currency),
    check("ledger_accounts_balance_covered", sql`${t.balance} >= 0 or ${t.mayOverdraw}`),
    check("ledger_accounts_currency_known", sql`${t.currency} in ('IDR', 'COIN')`),
    check(
      "ledger_accounts_kind_known",
      sql`${t.kind} in ('wallet', 'escrow', 'gateway', 'refund_due', 'commission', 'courier', 'promo', 'payout', 'tax', 'advance')`,
    ),
    check(
      "ledger_accounts_overdraft_kinds",
      sql`${t.mayOverdraw} = (${t.kind} in ('gateway', 'promo', 'advance'))`,
    ),
    check("ledger_accounts_owner_named", sql`${t.ownerId} <> ''`),
    check("ledger_accounts_balance_safe", sql`abs(${t.balance}) <= 9007199254740991`),
  ],
);

/** One movement from one account to another, with both balances after it. Append only. */
export const ledgerTransfers = pgTable(
  "ledger_transfers",
  {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    reference: text().notNull().unique("ledger_transfers_reference_key"),
    debitAccountId: bigint({ mode: "number" })
      .notNull()
      .references(() => ledgerAccounts.id),
    creditAccountId: bigint({ mode: "number" })
      .notNull()
      .references(() => ledgerAccounts.id),
    currency: text().notNull(),
    amount: idr().notNull(),
    debitBalance: idr().notNull(),
    creditBalance: idr().notNull(),
    reason: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    check("ledger_transfers_amount_positive", sql`${t.amount} > 0`),
    check("ledger_transfers_two_accounts", sql`${t.debitAccountId} <> ${t.creditAccountId}`),
    index("ledger_transfers_debit_idx").on(t.debitAccountId, t.id.desc().nullsFirst()),
    index("ledger_transfers_credit_idx").on(t.creditAccountId, t.id.desc().nullsFirst()),
  ],
);
