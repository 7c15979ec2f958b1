import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext, audited } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { claimOf, inputHash } from "../../../shared/http/idempotency.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { allOf } from "../catalogue-rows.ts";
import { payoutId, payoutNotFound } from "../refusals.ts";
import {
  AdminPayoutShape,
  type Payout,
  PayoutShape,
  SellerPayoutShape,
} from "../schemas/payouts.ts";
import { openAccountNumber } from "./bank-account.ts";

const PAYOUT_ERRORS: ConstraintErrors = {
  market_payouts_open_key: () =>
    new AppError("conflict", "Masih ada pencairan yang sedang diproses"),
  market_payouts_transfer_key: () =>
    new AppError("conflict", "Nomor referensi ini sudah dipakai untuk pencairan lain"),
};

/**
 * The actor wants a part of his balance in his bank. It leaves the balance at once and waits for an admin. One at a
 * time: another is `conflict`; `insufficient_balance` {needed, current}; `forbidden` while the feature is off.
 */
export async function requestPayout(ctx: Ctx, amount: number, idempotencyKey?: string) {
  const payout = await ctx.db.run(
    call(
      "market_payout_request",
      {
        payout_id: uuidv7(ctx.now()),
        seller_id: actorOf(ctx).userId,
        amount,
        minimum: ctx.config.MARKET_PAYOUT_MINIMUM,
        needs_second_above: ctx.config.MARKET_TWO_PERSON_ABOVE,
        idempotency_key: idempotencyKey ?? null,
        input_hash: await inputHash({ amount }),
        audit: auditContext(ctx),
      },
      PayoutShape,
    ),
    PAYOUT_ERRORS,
  );
  return SellerPayoutShape.parse(payout);
}

/** The actor takes back a request that no admin has agreed to. */
export async function cancelPayout(ctx: Ctx, id: string) {
  const payout = await decide(ctx, id, { verb: "cancel", reason: "Dibatalkan penjual" });
  return SellerPayoutShape.parse(payout);
}

/** An admin agrees; above the limit the payout then waits for another one's yes. */
export const approvePayout = (ctx: Ctx, id: string, key?: string) =>
  decide(ctx, id, { verb: "approve" }, key);

/** An admin gives the money back to the seller's balance, once, and says why. */
export const rejectPayout = (ctx: Ctx, id: string, reason: string, key?: string) =>
  decide(ctx, id, { verb: "reject", reason }, key);

/** An admin has transferred it; the bank's number of the transfer stands for this payout alone. */
export const markPayoutPaid = (ctx: Ctx, id: string, transferReference: string, key?: string) =>
  decide(ctx, id, { verb: "paid", transfer_reference: transferReference }, key);

/**
 * The bank has sent a transfer back: the money is the seller's again, once. Above the limit another admin must say so
 * too. Errors: `not_found`; `forbidden` (his own, the second yes of the same admin); `conflict` {state} unless it is paid.
 */
export const markPayoutBounced = (ctx: Ctx, id: string, reason: string, key?: string) =>
  decide(ctx, id, { verb: "bounce", reason }, key);

async function decide(
  ctx: Ctx,
  id: string,
  decision: { verb: string; reason?: string; transfer_reference?: string },
  idempotencyKey?: string,
): Promise<Payout> {
  const input = {
    id: payoutId(id),
    ...decision,
    claim: await claimOf(ctx, idempotencyKey, { id, ...decision }),
    actor_id: actorOf(ctx).userId,
    audit: auditContext(ctx),
  };
  const decided = await ctx.db.run(
    call("market_payout_decide", input, z.object({ payout: PayoutShape, wake: wakeSchema })),
    PAYOUT_ERRORS,
  );
  wake(ctx, decided.wake);
  return decided.payout;
}

interface PayoutsQuery {
  page: number;
  limit: number;
  state?: string | undefined;
}

async function listPayouts<S extends z.ZodType>(
  ctx: Ctx,
  { page, limit, state }: PayoutsQuery,
  list: { of: SQL; json: SQL; row: S },
) {
  const conditions = [list.of, ...(state ? [sql`p.state = ${state}`] : [])];
  const matches = sql`market_payouts p where ${allOf(conditions)}`;
  const [found] = await ctx.db.run(
    rows(
      sql`select (select count(*)::int from ${matches}) as total,
          (select coalesce(jsonb_agg(${list.json} order by p.id desc), '[]')
            from market_payouts p where p.id in (select p.id from ${matches} order by p.id desc
              limit ${limit} offset ${(page - 1) * limit})) as rows`,
      z.object({ total: z.number(), rows: z.array(list.row) }),
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return { ...found, page, limit };
}

/** A page of the actor's payouts, newest first. */
export async function listOwnPayouts(ctx: Ctx, query: PayoutsQuery) {
  return await listPayouts(ctx, query, {
    of: sql`p.seller_id = ${actorOf(ctx).userId}`,
    json: sql`market_payout_view(p)`,
    row: SellerPayoutShape,
  });
}

const adminJson = sql`market_payout_view(p) || jsonb_build_object(
  'seller', (select jsonb_build_object('full_name', u.name, 'email', u.email)
    from identity_users u where u.id = p.seller_id),
  'store', (select jsonb_build_object('id', s.id, 'name', s.name, 'slug', s.slug)
    from market_stores s where s.user_id = p.seller_id))`;

/** A page of everybody's payouts, newest first. */
export async function listAllPayouts(ctx: Ctx, query: PayoutsQuery) {
  return await listPayouts(ctx, query, { of: sql`true`, json: adminJson, row: AdminPayoutShape });
}

/** One payout with the whole account number; that it was looked at stays known. */
export async function getPayout(ctx: Ctx, id: string) {
  const found = rows(
    sql`select ${adminJson} as payout, p.sealed_number from market_payouts p where p.id = ${payoutId(id)}`,
    z.object({ payout: AdminPayoutShape, sealed_number: z.string() }),
  );
  const [[one]] = await ctx.db.batch([
    found,
    audited(ctx, { action: "market.payout.view", subject: { kind: "market_payout", id } }),
  ]);
  if (!one) throw payoutNotFound();
  const number = await openAccountNumber(ctx, one.payout.seller_id, one.sealed_number);
  return { ...one.payout, account_number: number };
}
