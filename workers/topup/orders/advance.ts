import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import { type Order, orderShape } from "./order.ts";
import type { Update } from "./purchase.ts";

const Advanced = z.object({ orders: z.array(orderShape), wake: wakeSchema });

/**
 * Records what the supplier says of purchases, who was asked from then on; answers with the orders that ended by it. One
 * that cannot be recorded stops no other.
 */
export async function advance(
  ctx: Ctx,
  updates: Update[],
  askedFrom = ctx.now(),
): Promise<Order[]> {
  if (updates.length === 0) return [];
  try {
    return await advanceAll(ctx, updates, askedFrom);
  } catch (error) {
    const isOutage = error instanceof AppError && error.code === "unavailable";
    if (isOutage || updates.length === 1) throw error;
  }
  const ended: Order[] = [];
  for (const update of updates) {
    try {
      ended.push(...(await advanceAll(ctx, [update], askedFrom)));
    } catch (error) {
      const { id, trxid } = update;
      ctx.log.error("order not advanced", {
        order: id,
        trxid,
        ...describeError(error),
        alert: true,
      });
    }
  }
  return ended;
}

async function advanceAll(ctx: Ctx, updates: Update[], askedFrom: Date): Promise<Order[]> {
  const now = ctx.now().toISOString();
  const asked_from = askedFrom.toISOString();
  const input = { updates, now, asked_from, alert_to: ctx.config.ALERT_EMAIL };
  const done = await ctx.db.run(call("topup_orders_advance", input, Advanced));
  wake(ctx, done.wake);
  return done.orders;
}

/** So many in one transaction: the locks of thousands are not held together. */
const PART = 100;

/** The same of any number of purchases. */
export async function advanceInParts(ctx: Ctx, updates: Update[], askedFrom: Date): Promise<void> {
  for (let from = 0; from < updates.length; from += PART) {
    await advance(ctx, updates.slice(from, from + PART), askedFrom);
  }
}
