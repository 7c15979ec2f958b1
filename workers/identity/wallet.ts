import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { dayOf } from "../../shared/http/day.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { inputHash } from "../../shared/http/idempotency.ts";
import { type EntriesPage, listEntries, walletOf } from "../../shared/ledger/ledger.ts";
import { readStatement } from "../../shared/ledger/statement.ts";
import {
  depositSettlement,
  findPaymentProvider,
  openedDeposit,
  startCharges,
} from "../../shared/payments/index.ts";

/** Who collects for a way to pay; a way works as soon as a provider of that name is registered. */
const PROVIDER_OF = { qris: "midtrans", ipaymu: "ipaymu" } as const;

export interface DepositInput {
  amount: number;
  method: keyof typeof PROVIDER_OF;
}

export interface WalletQuery {
  page: number;
  limit: number;
  /** Jakarta days, both included. */
  from?: string | undefined;
  to?: string | undefined;
}

/**
 * The actor's rupiah and a page of what moved them, newest first; of the days asked for, with what he had before and
 * after them. `invalid_input` for a day that the calendar does not have.
 */
export async function getWallet(ctx: Ctx, { from, to, ...paging }: WalletQuery) {
  const asked = { ...walletOf(actorOf(ctx).userId), ...paging };
  if (from === undefined && to === undefined) {
    return { ...shown(await listEntries(ctx, asked)), period: undefined };
  }
  const days = {
    from: from === undefined ? null : dayOf(from).start,
    to: to === undefined ? null : dayOf(to).end,
  };
  const { period, ...wallet } = await readStatement(ctx, { ...asked, ...days });
  return { ...shown(wallet), period };
}

function shown(wallet: EntriesPage) {
  const entries = wallet.rows.map(({ id, amount, balanceAfter, reason, createdAt }) => ({
    id,
    amount,
    balance_after: balanceAfter,
    reason,
    created_at: createdAt.toISOString(),
  }));
  const { balance, page, limit, total } = wallet;
  return { balance, entries, page, limit, total };
}

const Opened = z.object({
  deposit: openedDeposit,
  name: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
});

/**
 * Opens a payment into the actor's wallet: one database round trip, then the provider, and another where a repeat
 * would open another page there. With the same `idempotencyKey` and input the first deposit is answered again; other
 * input is `idempotency_mismatch`. Errors as `startCharges`; `invalid_input` for a method that nobody collects for.
 */
export async function deposit(ctx: Ctx, input: DepositInput, idempotencyKey?: string) {
  const provider = findPaymentProvider(ctx, PROVIDER_OF[input.method]);
  if (!provider) {
    throw new AppError("invalid_input", `method: ${input.method} belum tersedia`);
  }
  const { userId } = actorOf(ctx);
  const order = {
    user_id: userId,
    amount: input.amount,
    provider: provider.name,
    channels: provider.channels,
    expiry_minutes: ctx.config.PAYMENT_EXPIRY_MINUTES,
    idempotency_key: idempotencyKey ?? null,
    input_hash: await inputHash(input),
  };
  const [opened] = await ctx.db.run(
    rows(
      sql`select u.name, u.email, u.phone, payments_deposit_open(
          ${JSON.stringify(order)}::jsonb || jsonb_build_object('customer_email', u.email)) as deposit
        from identity_users u where u.id = ${userId}`,
      Opened,
    ),
  );
  if (!opened) throw notFound("User tidak ditemukan");
  const { deposit_id, payment } = opened.deposit;
  const started = await startCharges(ctx, payment, {
    settlement: depositSettlement,
    reference: { deposit_id },
    customer: { name: opened.name, email: opened.email, phone: opened.phone },
    description: "Isi saldo",
  });
  return { deposit_id, payment_url: started.paymentUrl, qr_code: started.qrCode };
}
