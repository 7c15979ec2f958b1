import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { listEntries, walletOf } from "../../../shared/ledger/ledger.ts";
import { type Balance, BalanceShape } from "../schemas/payouts.ts";

const account = (kind: string, seller: string) => sql`coalesce((select balance from ledger_accounts
  where kind = ${kind} and owner_id = ${seller} and currency = 'IDR'), 0)`;

/** Where the actor's money is. `held` counts what each open order will bring him, its tax not yet taken. */
export async function getBalance(ctx: Ctx): Promise<Balance> {
  const { userId } = actorOf(ctx);
  const seller = String(userId);
  const [found] = await ctx.db.run(
    rows(
      sql`with year as (select extract(year from now() at time zone 'Asia/Jakarta')::int as year)
        select jsonb_build_object(
          'available', ${account("wallet", seller)},
          'held', (select coalesce(sum(market_seller_amount(o) + o.shipping_amount - h.shipping_cost), 0)
            from market_stores s join market_orders o on o.store_id = s.id join market_shipments h on h.order_id = o.id
            where s.user_id = ${userId} and o.status in ('paid', 'processing', 'shipped') and o.source = 'web'),
          'in_payout', ${account("payout", seller)},
          'owed', -${account("advance", seller)},
          'minimum_payout', ${ctx.config.MARKET_PAYOUT_MINIMUM}::bigint,
          'tax', (select jsonb_build_object('year', y.year,
              'turnover', coalesce((select t.amount from market_turnovers t
                where t.seller_id = ${userId} and t.year = y.year), 0),
              'withheld', coalesce((select sum(w.tax_amount) from market_withholdings w
                where w.seller_id = ${userId} and w.year = y.year), 0)
                - coalesce((select sum(r.tax_amount) from market_withholdings w join market_refunds r
                  on r.order_id = w.order_id where w.seller_id = ${userId} and w.year = y.year), 0),
              'statement_filed', exists (select from market_tax_statements t
                where t.seller_id = ${userId} and t.year = y.year)) from year y),
          'bank_account', (select jsonb_build_object('bank_code', b.bank_code, 'account_last4', b.number_last4,
            'account_holder', b.holder) from market_bank_accounts b where b.seller_id = ${userId}),
          'open_payout', (select market_payout_view(p) from market_payouts p
            where p.seller_id = ${userId} and p.state in ('requested', 'approved'))) as balance`,
      z.object({ balance: BalanceShape }),
    ),
  );
  if (!found) throw new Error("a balance without a row");
  return found.balance;
}

/** A page of what went in and out of the actor's balance, newest first. */
export async function listBalanceEntries(ctx: Ctx, query: { page: number; limit: number }) {
  const found = await listEntries(ctx, { ...walletOf(actorOf(ctx).userId), ...query });
  return {
    ...found,
    rows: found.rows.map(({ id, amount, balanceAfter, reason, createdAt }) => ({
      id,
      amount,
      balance_after: balanceAfter,
      reason,
      created_at: createdAt.toISOString(),
    })),
  };
}
