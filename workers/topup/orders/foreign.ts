import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { describeError } from "../../../shared/log.ts";
import { SUPPLIER_FAMILIES, type SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { LISTED, latestPurchases } from "./follow.ts";
import { LISTED_DEEPEST } from "./limits.ts";

const LATE_EVERY_MINUTES = 10;

/**
 * For the hourly cron: notes purchases that were made past us. What belongs to an order by now is forgotten; what is
 * nobody's never is, for a list may show it years later.
 */
export async function noteForeignPurchases(ctx: Ctx): Promise<void> {
  await ctx.db.run(
    rows(
      sql`delete from topup_supplier_sightings w where w.seen_at < now() - interval '30 days'
        and exists (select from topup_orders o where o.trxid = w.trxid)`,
      z.unknown(),
    ),
  );
  await listFamilies(
    ctx,
    SUPPLIER_FAMILIES.map((family) => ({ family })),
  );
}

/**
 * For the minute cron: every ten minutes, whether the purchase of an order shows that silence has refunded. The list goes
 * back to when that was tried: a late purchase may show where it belongs, behind all that were made since.
 */
export async function watchForLatePurchases(ctx: Ctx): Promise<void> {
  const now = ctx.now();
  if (now.getUTCMinutes() % LATE_EVERY_MINUTES !== 0) return;
  const input = { now: now.toISOString(), listed: LISTED, most: LISTED_DEEPEST };
  await listFamilies(ctx, await ctx.db.run(call("topup_late_families", input, LateFamilies)));
}

const LateFamilies = z.array(
  z.object({ family: z.enum(["prepaid", "game", "social"]), limit: z.number() }),
);

async function listFamilies(
  ctx: Ctx,
  lists: readonly { family: SupplierFamily; limit?: number }[],
): Promise<void> {
  for (const { family, limit = LISTED } of lists) {
    try {
      await latestPurchases(ctx, family, { limit });
    } catch (error) {
      ctx.log.warn("purchases not listed", { family, ...describeError(error) });
    }
  }
}
