import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { closeCharge, type Settlement, woken } from "../../../shared/payments/index.ts";
import { isUuid } from "../schemas/fields.ts";
import { refreshStorefront } from "../storefront/refresh.ts";
import { orderSettlement } from "./settlement.ts";

const OpenCharge = z.object({
  provider: z.string(),
  channel: z.enum(["qris", "snap", "redirect"]),
  provider_ref: z.string(),
  transaction_id: z.string().nullable(),
});

const REASON = "Dibatalkan pembeli";

/** Whoever finds here that the payment can no longer be made closes the order in its buyer's name. */
const givenUp: Settlement = {
  ...orderSettlement,
  expired: (intentId) =>
    call("market_order_expired", { intent_id: intentId, reason: REASON }, woken),
};

/**
 * The actor gives up an order that he has not paid. The provider is asked first to close what may be paid, so that a
 * payment whose notice is on its way is found and the order stays. Stock and promo use are free once no charge can be
 * paid any more: the cron goes on closing what the provider did not hear of, and a page that it cannot close holds them
 * until it runs out; money that comes until then is refunded by itself. Throws `not_found`, also for somebody else's order, and `conflict` for one that is paid.
 */
export async function cancelOrder(ctx: Ctx, orderId: string): Promise<{ id: string }> {
  if (!isUuid(orderId)) throw notFound("Order not found");
  const buyerId = actorOf(ctx).userId;
  const open = await ctx.db.run(
    rows(
      sql`select p.provider, c.channel, c.provider_ref, c.transaction_id
        from market_orders o join payments_intents p on p.id = o.payment_id
        join payments_charges c on c.intent_id = p.id and c.state in ('creating', 'unknown', 'pending')
        where o.id = ${orderId} and o.buyer_id = ${buyerId}
          and (o.status = 'pending' or o.held_after_cancel)`,
      OpenCharge,
    ),
  );
  await Promise.all(
    open.map(({ provider, channel, provider_ref: providerRef, transaction_id: transactionId }) =>
      closeCharge(ctx, provider, { channel, providerRef, transactionId }, [givenUp]),
    ),
  );
  ctx.db.guardAgain();
  const cancelled = await ctx.db.run(
    call(
      "market_order_cancel",
      { order_id: orderId, buyer_id: buyerId, reason: REASON },
      z.object({
        order_id: z.uuid(),
        store_slug: z.string(),
        held: z.boolean(),
        wake: wakeSchema,
      }),
    ),
  );
  wake(ctx, cancelled.wake);
  if (!cancelled.held) refreshStorefront(ctx, cancelled.store_slug);
  return { id: cancelled.order_id };
}
