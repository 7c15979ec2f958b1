import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { describeError } from "../../../shared/log.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import type { SupplierFamily, SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { latestPurchases } from "./follow.ts";
import type { Order } from "./order.ts";

/** The supplier's latest purchases; `unreadable`: there were others, of which each might be an order's in doubt. */
export async function readableHistory(
  ctx: Ctx,
  family: SupplierFamily,
  limit: number,
): Promise<{ listed: SupplierOrder[]; unreadable: boolean }> {
  try {
    const listed = await latestPurchases(ctx, family, { limit, whole: true });
    return { listed, unreadable: false };
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== "unreadable_rows") throw error;
    return { listed: await latestPurchases(ctx, family, { limit }), unreadable: true };
  }
}

/** What callbacks name and no list shows: those have no place among what lists show. */
export interface NamedPurchases {
  /** Each was made by `namedAt`. */
  told: { purchase: SupplierOrder; namedAt: Date }[];
  /** Those of which the supplier told nothing this time, not even that it knows none. */
  silent: string[];
}

/** Asked about by their ids, one by one: of more than these, others each time. */
const MOST_NAMED = 10;

/**
 * Purchases that signed callbacks name since the attempts of the order and of those in doubt beside it, and that neither we
 * nor this list know, as the supplier tells them when asked by their ids, with when the first of their callbacks came: the
 * lists may lack them. What may be the order's own comes first. Fails for none of them.
 */
export async function namedPurchases(
  ctx: Ctx,
  { id, family }: Order,
  listed: readonly SupplierOrder[],
): Promise<NamedPurchases> {
  const known = JSON.stringify(listed.map(({ trxid }) => trxid));
  const named = await ctx.db.run(
    rows(
      sql`select n.trxid, n.named_at from topup_orders o, topup_named_around(o, ${ctx.now().toISOString()}) n
        where o.id = ${id} and not ${known}::jsonb ? n.trxid
        order by n.named_at >= o.attempt_at desc, random()
        limit ${MOST_NAMED}`,
      z.object({ trxid: z.string(), named_at: z.coerce.date() }),
    ),
  );
  const found: NamedPurchases = { told: [], silent: [] };
  for (const { trxid, named_at: namedAt } of named) {
    try {
      const [purchase] = await ctx.providers.vipReseller.getOrderStatus(family, { trxid });
      if (purchase) found.told.push({ purchase, namedAt });
    } catch (error) {
      if (isSilence(error)) found.silent.push(trxid);
      ctx.log.warn("named purchase not told", { trxid, ...describeError(error) });
    }
  }
  return found;
}

/**
 * The supplier was asked and did not answer. What it cannot say in a readable way is as good as a denial, and where we had no
 * turn to ask nothing is known: neither holds back what the lists show.
 */
const isSilence = (error: unknown) =>
  error instanceof ProviderError &&
  (error.kind === "timeout" || error.kind === "unavailable") &&
  error.code !== "busy";
