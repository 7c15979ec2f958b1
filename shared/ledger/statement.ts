import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../context.ts";
import { rows } from "../db/statement.ts";
import { type EntriesPage, type EntriesQuery, entryShape } from "./ledger.ts";

/** What an account held when a period began and when it ended, and what came and went between. */
export interface Period {
  opening: number;
  closing: number;
  in: number;
  out: number;
}

/** From `from` on and before `to`; null: from the first line, up to now. */
export interface StatementQuery extends EntriesQuery {
  from: Date | null;
  to: Date | null;
}

const shape = z.object({
  balance: z.number(),
  total: z.number(),
  entries: z.array(entryShape),
  period: z.object({
    opening: z.number(),
    closing: z.number(),
    in: z.number(),
    out: z.number(),
  }),
});

/**
 * As `listEntries`, of one period, whose lines lead from `opening` to `closing` to the rupiah: both are reckoned back
 * from the balance over the lines' own times, because one that waited for another's lock is older than its number says.
 */
export async function readStatement(
  ctx: Ctx,
  query: StatementQuery,
): Promise<EntriesPage & { period: Period }> {
  const { page, limit } = query;
  const [found] = await ctx.db.run(rows(statementOf(query), shape));
  if (!found) throw new Error("an aggregate without a row");
  const { balance, entries, total, period } = found;
  return { balance, rows: entries, page, limit, total, period };
}

function statementOf({ kind, owner, currency = "IDR", page, limit, from, to }: StatementQuery) {
  const since = from?.toISOString() ?? "-infinity";
  const until = to?.toISOString() ?? "infinity";
  return sql`
    with account as (
      select id, balance from ledger_accounts
      where kind = ${kind} and owner_id = ${owner} and currency = ${currency}
    ), lines as materialized (
      select id, -amount as amount, debit_balance as balance_after, reason, reference, created_at
      from ledger_transfers
      where debit_account_id = (select id from account) and created_at >= ${since}::timestamptz
      union all
      select id, amount, credit_balance, reason, reference, created_at
      from ledger_transfers
      where credit_account_id = (select id from account) and created_at >= ${since}::timestamptz
    ), sums as (
      select coalesce((select balance from account), 0) as balance, coalesce(sum(amount), 0) as since,
        coalesce(sum(amount) filter (where created_at >= ${until}::timestamptz), 0) as after,
        coalesce(sum(amount) filter (where amount > 0 and created_at < ${until}::timestamptz), 0) as came,
        coalesce(-sum(amount) filter (where amount < 0 and created_at < ${until}::timestamptz), 0) as went,
        count(*) filter (where created_at < ${until}::timestamptz) as total
      from lines
    ), entries as (
      select * from lines where created_at < ${until}::timestamptz
      order by id desc limit ${limit} offset ${(page - 1) * limit}
    )
    select s.balance::float8 as balance, s.total::float8 as total,
      jsonb_build_object('opening', s.balance - s.since, 'closing', s.balance - s.after, 'in', s.came,
        'out', s.went) as period,
      (select coalesce(jsonb_agg(to_jsonb(entries) order by id desc), '[]') from entries) as entries
    from sums s`;
}
