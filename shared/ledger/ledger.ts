import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { build, prepared, rows, type Statement } from "../db/statement.ts";
import { ledgerAccounts } from "./tables.ts";

export type Currency = "IDR" | "COIN";

export type AccountKind =
  | "wallet"
  | "escrow"
  | "gateway"
  | "refund_due"
  | "commission"
  | "courier"
  | "promo"
  | "payout"
  | "tax"
  | "advance";

/** `owner` says whose it is: wallet/<user id>, escrow/<store id>, gateway/<provider>, commission/market. */
export interface Account {
  kind: AccountKind;
  owner: string;
}

export const walletOf = (userId: number): Account => ({ kind: "wallet", owner: String(userId) });

export interface Transfer {
  /** The idempotency key: the same transfer again is the first one, another one under it is a conflict. */
  reference: string;
  debit: Account;
  credit: Account;
  amount: number;
  reason: string;
  currency?: Currency;
}

const ids = z.array(z.number());

/**
 * Moves money, all transfers or none, in their order; answers with their ids. Refused: `insufficient_balance`
 * {needed, current}, `conflict`, `invalid_input`. Everything that one cause moves belongs in one call, because the
 * accounts of a call are locked in one order and those of two calls in a transaction are not.
 */
export function post(transfers: readonly Transfer[]): Statement<number[]> {
  const lines = transfers.map((transfer) => ({
    reference: transfer.reference,
    debit_kind: transfer.debit.kind,
    debit_owner: transfer.debit.owner,
    credit_kind: transfer.credit.kind,
    credit_owner: transfer.credit.owner,
    amount: transfer.amount,
    reason: transfer.reason,
    currency: transfer.currency,
  }));
  return {
    sql: "select ledger_post($1)",
    params: [JSON.stringify(lines)],
    arrayMode: true,
    map: ({ rows: [row] }) => ids.parse(Array.isArray(row) ? row[0] : undefined),
  };
}

/** Moves money once; answers with the transfer's id. */
export function transfer(one: Transfer): Statement<number> {
  const { map, ...statement } = post([one]);
  return { ...statement, map: (result) => z.tuple([z.number()]).parse(map(result))[0] };
}

const balance = prepared<{ kind: string; owner: string; currency: string }, { balance: number }[]>(
  () =>
    build
      .select({ balance: ledgerAccounts.balance })
      .from(ledgerAccounts)
      .where(
        and(
          eq(ledgerAccounts.kind, sql.placeholder("kind")),
          eq(ledgerAccounts.ownerId, sql.placeholder("owner")),
          eq(ledgerAccounts.currency, sql.placeholder("currency")),
        ),
      ),
);

/** What an account holds; one that was never used holds nothing. */
export async function balanceOf(
  ctx: Ctx,
  { kind, owner, currency = "IDR" }: Account & { currency?: Currency },
): Promise<number> {
  const [account] = await ctx.db.run(balance({ kind, owner, currency }));
  return account?.balance ?? 0;
}

export const entryShape = z
  .object({
    id: z.number(),
    amount: z.number(),
    balance_after: z.number(),
    reason: z.string(),
    reference: z.string(),
    created_at: z.coerce.date(),
  })
  .transform(({ balance_after: balanceAfter, created_at: createdAt, ...entry }) => ({
    ...entry,
    balanceAfter,
    createdAt,
  }));

/** One line as the account's owner sees it: `amount` is negative when money left. */
export type Entry = z.output<typeof entryShape>;

const pageShape = z.object({
  balance: z.number(),
  total: z.number(),
  entries: z.array(entryShape),
});

export interface EntriesQuery extends Account {
  currency?: Currency;
  page: number;
  limit: number;
}

export interface EntriesPage {
  balance: number;
  rows: Entry[];
  page: number;
  limit: number;
  total: number;
}

/** An account's balance and one page of its lines, newest first, in one round trip. The caller checks whose it is. */
export async function listEntries(ctx: Ctx, query: EntriesQuery): Promise<EntriesPage> {
  const { page, limit } = query;
  const [found] = await ctx.db.run(rows(entriesOf(query), pageShape));
  if (!found) throw new Error("an aggregate without a row");
  return { balance: found.balance, rows: found.entries, page, limit, total: found.total };
}

/** Each side has an index by account and id, so both give their newest lines without a sort and are merged. */
function entriesOf({ kind, owner, currency = "IDR", page, limit }: EntriesQuery) {
  const upTo = page * limit;
  return sql`
    with account as (
      select id, balance from ledger_accounts
      where kind = ${kind} and owner_id = ${owner} and currency = ${currency}
    ), entries as (
      (select id, -amount as amount, debit_balance as balance_after, reason, reference, created_at
        from ledger_transfers where debit_account_id = (select id from account) order by id desc limit ${upTo})
      union all
      (select id, amount, credit_balance, reason, reference, created_at
        from ledger_transfers where credit_account_id = (select id from account) order by id desc limit ${upTo})
      order by id desc limit ${limit} offset ${upTo - limit}
    )
    select coalesce((select balance from account), 0)::float8 as balance,
      ((select count(*) from ledger_transfers where debit_account_id = (select id from account)) +
       (select count(*) from ledger_transfers where credit_account_id = (select id from account)))::float8 as total,
      (select coalesce(jsonb_agg(to_jsonb(entries) order by id desc), '[]') from entries) as entries`;
}
