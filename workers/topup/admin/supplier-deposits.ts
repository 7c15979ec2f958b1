import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { claimOf } from "../../../shared/http/idempotency.ts";
import { DepositShape, type NewDeposit } from "../schemas/supplier.ts";

const MOST_LISTED = 100;
/** Reports of older days are closed: what is noted now must not change what was expected of them. */
const OLDEST_DAYS = 90;
const DAY_MS = 86_400_000;

/**
 * Writes down what was paid in at the supplier, so that its balance can be told from a loss. What takes away more than
 * one admin may take in a day is `waiting` until another admin sends the same amount within a day.
 */
export async function noteDeposit(ctx: Ctx, deposit: NewDeposit, idempotencyKey?: string) {
  const { amount, paidAt, note } = deposit;
  const now = ctx.now();
  const at = paidAt === undefined ? now : new Date(paidAt);
  if (at > now) throw new AppError("invalid_input", "paidAt: must not lie ahead");
  if (at.getTime() < now.getTime() - OLDEST_DAYS * DAY_MS) {
    throw new AppError("invalid_input", `paidAt: must not be more than ${OLDEST_DAYS} days ago`);
  }
  const input = {
    id: uuidv7(now),
    amount,
    paid_at: at.toISOString(),
    note,
    actor_id: actorOf(ctx).userId,
    needs_second_above: ctx.config.TOPUP_TWO_PERSON_ABOVE,
    claim: await claimOf(ctx, idempotencyKey, deposit),
    audit: auditContext(ctx),
  };
  return await ctx.db.run(call("topup_deposit_note", input, DepositShape));
}

/** The latest deposits at the supplier, newest first. */
export async function listDeposits(ctx: Ctx) {
  const found = await ctx.db.run(
    rows(
      sql`select topup_deposit_view(d) as one from topup_supplier_deposits d
        order by d.paid_at desc, d.id desc limit ${MOST_LISTED}`,
      z.object({ one: DepositShape }),
    ),
  );
  return found.map(({ one }) => one);
}
