import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { inputHash } from "../../../shared/http/idempotency.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { orderId } from "../refusals.ts";
import type { Delivered } from "../schemas/admin.ts";
import { callBackPickup } from "../shipping/courier-news.ts";

const Decided = z.object({
  order_id: z.string(),
  status: z.string(),
  call_back: z.string().nullable(),
  wake: wakeSchema,
});

/**
 * An admin decides that a paid order has reached its buyer, where its parcel ended with people: the seller is paid, once.
 * Throws `forbidden` for an order that he bought or sold himself, `conflict` for one that waits for no goods.
 */
export async function declareDelivered(
  ctx: Ctx,
  id: string,
  reason: string,
  idempotencyKey?: string,
): Promise<Delivered> {
  const input = {
    order_id: orderId(id),
    actor_id: actorOf(ctx).userId,
    reason,
    idempotency_key: idempotencyKey ?? null,
    input_hash: await inputHash({ id, reason }),
    audit: auditContext(ctx),
  };
  const decided = await ctx.db.run(call("market_order_delivered", input, Decided));
  wake(ctx, decided.wake);
  if (decided.call_back) callBackPickup(ctx, decided.call_back);
  return { id: decided.order_id, status: decided.status };
}
