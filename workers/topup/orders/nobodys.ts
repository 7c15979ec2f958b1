import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { describeError } from "../../../shared/log.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { SUPPLIER_FAMILIES } from "../../../shared/providers/vip-reseller.ts";

/** What is told late is told by then: the supplier is not asked before. */
const PATIENCE_MS = 60 * 60_000;
/** Parked callbacks are tried every hour for a day: one or two times after this. */
const DENIAL_MS = 22 * 60 * 60_000;
/**
 * Of more purchases that callbacks name and nothing explains none is asked about: whoever sends them would have us ask
 * without end. A month's bills paid in a row, or while the supplier does not answer, are fewer. Those made past us that a
 * list has shown wait as long, but are none of them.
 */
const FLOOD = 100;

/**
 * Whether what a signed callback names is surely none of ours: for no order in doubt, and an hour later unknown to the
 * supplier in each family that we sell. So is what the operator buys of its other products (`/postpaid`), and what somebody
 * makes up who has seen a signature. While one is not, each family's lists are held to lack it (topup_named_since), and
 * nothing in doubt is refunded. One that may mean an order in doubt, or does not say whom it is for, is denied for nearly a
 * day before it is nobody's: an order's own purchase would be shown by then, and who has seen a signature may name any.
 */
export async function isNobodysPurchase(
  ctx: Ctx,
  named: { trxid: string; target: string | null; receivedAt: Date | null },
): Promise<boolean> {
  const { trxid, target, receivedAt } = named;
  const ageMs = receivedAt ? ctx.now().getTime() - receivedAt.getTime() : 0;
  if (ageMs < PATIENCE_MS) return false;
  if (ageMs < DENIAL_MS && !(target && (await isForNobody(ctx, target)))) return false;
  if (await isFlooded(ctx)) return false;
  for (const family of SUPPLIER_FAMILIES) {
    try {
      const known = await ctx.providers.vipReseller.getOrderStatus(family, { trxid });
      if (known.length > 0) return false;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      ctx.log.warn("named purchase not told", { trxid, family, ...describeError(error) });
      return false;
    }
  }
  ctx.log.info("callback of a purchase that is nobody's", { trxid });
  return true;
}

async function isForNobody(ctx: Ctx, target: string): Promise<boolean> {
  const [found] = await ctx.db.run(
    rows(
      sql`select not exists (select from topup_orders o where o.state in ('queued', 'buying', 'unknown', 'review')
            and (topup_is_for(o, ${target}) or topup_may_mean(o, ${target}))) as nobodys`,
      z.object({ nobodys: z.boolean() }),
    ),
  );
  return found?.nobodys ?? false;
}

async function isFlooded(ctx: Ctx): Promise<boolean> {
  const [found] = await ctx.db.run(
    rows(
      sql`select count(*) > ${FLOOD} as flooded from (select distinct n.trxid
            from inbox_events e, split_part(e.event_key, '/', 1) n(trxid)
            where e.retry_at is not null and e.provider = 'vip-reseller' and e.state = 'parked'
              and not exists (select from topup_orders o where o.trxid = n.trxid)
              and not exists (select from topup_supplier_sightings w where w.trxid = n.trxid)
            limit ${FLOOD + 1}) x`,
      z.object({ flooded: z.boolean() }),
    ),
  );
  return found?.flooded ?? true;
}
