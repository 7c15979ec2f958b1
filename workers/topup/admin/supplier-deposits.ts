import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { uuidv7 } from "../../../shared/db/uuid.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { DepositShape, type NewDeposit } from "../schemas/admin.ts";

const MOST_LISTED = 100;

/** Writes down what was paid in at the supplier, so that its balance can be told from a loss. */
export async function noteDeposit(ctx: Ctx, { amount, paidAt, note }: NewDeposit) {
  const now = ctx.now();
  const at = paidAt === undefined ? now : new Date(paidAt);
  if (at > now) throw new AppError("invalid_input", "paidAt: must not lie ahead");
  const input = {
    id: uuidv7(now),
    amount,
    paid_at: at.toISOString(),
    note,
    actor_id: actorOf(ctx).userId,
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
