import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { inputHash } from "../../../shared/http/idempotency.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { pushSoon } from "../marketplaces/pushes.ts";
import { orderId } from "../refusals.ts";
import type { Refund } from "../schemas/admin.ts";
import { refreshStorefront } from "../storefront/refresh.ts";

const Refunded = z.object({
  refund_id: z.string(),
  order_id: z.string(),
  status: z.string(),
  amount: z.number(),
  paid_to: z.enum(["payment", "wallet"]),
  seller_amount: z.number(),
  commission_amount: z.number(),
  tax_amount: z.number(),
  store_id: z.string(),
  store_slug: z.string(),
  wake: wakeSchema,
});

interface RefundRequest {
  amount?: number | undefined;
  reason: string;
  restock: boolean;
}

/**
 * The seller gives up a paid order of his store that he cannot send: the buyer gets everything back, the courier is
 * told not to come. Throws `not_found`, also for another store's order, and `conflict` once it is on its way.
 */
export async function cancelSale(
  ctx: Ctx,
  id: string,
  request: Omit<RefundRequest, "amount">,
  idempotencyKey?: string,
): Promise<Refund> {
  return await refund(ctx, id, request, { seller_id: actorOf(ctx).userId, idempotencyKey });
}

/** An admin gives a part of the goods' price back, or all that is left; after delivery out of the seller's balance. */
export async function refundOrder(
  ctx: Ctx,
  id: string,
  request: RefundRequest,
  idempotencyKey?: string,
): Promise<Refund> {
  return await refund(ctx, id, request, { idempotencyKey });
}

async function refund(
  ctx: Ctx,
  id: string,
  request: RefundRequest,
  { idempotencyKey, ...by }: { seller_id?: number; idempotencyKey?: string | undefined },
): Promise<Refund> {
  const input = {
    order_id: orderId(id),
    ...by,
    ...request,
    tells_seller: true,
    actor_id: actorOf(ctx).userId,
    idempotency_key: idempotencyKey ?? null,
    input_hash: await inputHash({ id, ...request }),
    audit: auditContext(ctx),
  };
  const done = await ctx.db.run(call("market_order_refund", input, Refunded));
  wake(ctx, done.wake);
  if (request.restock) {
    refreshStorefront(ctx, done.store_slug);
    pushSoon(ctx, done.store_id);
  }
  return {
    id: done.refund_id,
    order_id: done.order_id,
    status: done.status,
    amount: done.amount,
    paid_to: done.paid_to,
    seller_amount: done.seller_amount,
    commission_amount: done.commission_amount,
    tax_amount: done.tax_amount,
  };
}
