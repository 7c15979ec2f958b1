import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { inputHash } from "../../shared/http/idempotency.ts";
import { balanceOf, walletOf } from "../../shared/ledger/ledger.ts";
import {
  findPaymentProvider,
  openedPayment,
  type Settlement,
  startCharges,
  woken,
} from "../../shared/payments/index.ts";
import { offsetOf, type Page } from "./paging.ts";

const PROVIDER = "midtrans";

/** Paid coins: gateway/midtrans -> commission/coins in rupiah, gateway/coins -> wallet/<user> in coins. */
export const coinsSettlement: Settlement = {
  purpose: "coins",
  settled: (intentId) => call("live_coins_settled", { intent_id: intentId }, woken),
  expired: (intentId) => call("live_coins_expired", { intent_id: intentId }, woken),
};

const coinPackage = z.object({
  id: z.number(),
  method: z.enum(["bank", "ewallet"]),
  coins: z.number(),
  price: z.number(),
});

/** The coins for sale: 1 to 7 by bank, 101 to 107 by e-wallet. */
export async function listCoinPackages(ctx: Ctx) {
  return await ctx.db.run(
    rows(
      sql`select package_id as id, method, coins::float8 as coins, price_idr::float8 as price
        from live_coins_on_sale(${ctx.now().toISOString()}) order by package_id`,
      coinPackage,
    ),
  );
}

const opened = z.object({
  purchase: z.object({ order_id: z.string(), payment: openedPayment }),
  name: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
});

/**
 * Opens the payment of a package for the actor: one database round trip, then the provider. With the same
 * `idempotencyKey` and input the first purchase is answered again. Errors as `startCharges`; `not_found` for a package
 * that is not for sale.
 */
export async function buyCoins(ctx: Ctx, input: { packageId: number }, idempotencyKey?: string) {
  if (!findPaymentProvider(ctx, PROVIDER)) throw new AppError("not_configured", "");
  const { userId } = actorOf(ctx);
  const order = {
    user_id: userId,
    package_id: input.packageId,
    at: ctx.now().toISOString(),
    provider: PROVIDER,
    channels: ["snap"],
    expiry_minutes: ctx.config.PAYMENT_EXPIRY_MINUTES,
    idempotency_key: idempotencyKey ?? null,
    input_hash: await inputHash(input),
  };
  const [row] = await ctx.db.run(
    rows(
      sql`select u.name, u.email, u.phone, live_coins_buy(
          ${JSON.stringify(order)}::jsonb || jsonb_build_object('customer_email', u.email)) as purchase
        from identity_users u where u.id = ${userId}`,
      opened,
    ),
  );
  if (!row) throw notFound("User tidak ditemukan");
  const { order_id: orderId, payment } = row.purchase;
  const { paymentUrl } = await startCharges(ctx, payment, {
    settlement: coinsSettlement,
    reference: { orderId },
    customer: { name: row.name, email: row.email, phone: row.phone },
    description: "Isi ulang koin",
  });
  if (paymentUrl === null) throw new Error("a page without an address");
  return { snapToken: snapTokenOf(paymentUrl), orderId, redirectUrl: paymentUrl };
}

/** Snap's page is `…/redirection/<token>`: the token that the app hands to Midtrans' own window. */
function snapTokenOf(url: string): string {
  const token = new URL(url).pathname.split("/").filter(Boolean).at(-1);
  if (!token) throw new Error("a Snap address without a token");
  return token;
}

/** Midtrans' own words, which the app waits for. */
const STATUS_OF = {
  pending: "pending",
  paid: "settlement",
  expired: "expire",
  failed: "failure",
  refunded: "refund",
} as const;

const purchaseRow = z.object({
  order_id: z.string(),
  state: z.enum(["pending", "paid", "expired", "failed", "refunded"]),
  coins: z.number(),
  amount: z.number(),
  created_at: z.coerce.date(),
  paid_at: z.coerce.date().nullable(),
});

const PURCHASES = sql`select c.order_id, i.state, c.coins::float8 as coins, c.price_idr::float8 as amount,
    c.created_at, i.paid_at
  from live_coin_purchases c join payments_intents i on i.id = c.intent_id`;

const shown = (row: z.output<typeof purchaseRow>) => ({
  orderId: row.order_id,
  status: STATUS_OF[row.state],
  coins: row.coins,
  amount: row.amount,
  createdAt: row.created_at.toISOString(),
  paidAt: row.paid_at?.toISOString() ?? null,
});

/** How one of the actor's purchases stands; somebody else's does not exist. */
export async function getCoinPurchase(ctx: Ctx, orderId: string) {
  const { userId } = actorOf(ctx);
  const mine = sql`${PURCHASES} where c.order_id = ${orderId} and c.user_id = ${userId}`;
  const [row] = await ctx.db.run(rows(mine, purchaseRow));
  if (!row) throw notFound("Transaksi tidak ditemukan");
  return shown(row);
}

/** The actor's purchases, the newest first. */
export async function listCoinPurchases(ctx: Ctx, page: Page) {
  const { userId } = actorOf(ctx);
  const mine = sql`${PURCHASES} where c.user_id = ${userId}
    order by c.created_at desc, c.id desc limit ${page.limit} offset ${offsetOf(page)}`;
  const found = await ctx.db.run(rows(mine, purchaseRow));
  return found.map(shown);
}

/** The actor's coins: bought, given and earned ones are one balance, and all of it may be spent. */
export async function coinBalance(ctx: Ctx): Promise<number> {
  const wallet = { ...walletOf(actorOf(ctx).userId), currency: "COIN" } as const;
  return await balanceOf(ctx, wallet);
}
