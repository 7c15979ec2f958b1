import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { inputHash } from "../../../shared/http/idempotency.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { orderId } from "../refusals.ts";
import type { Delivered } from "../schemas/admin.ts";
import { hearCourier } from "../shipping/courier-news.ts";

const Decided = z.object({
  order_id: z.string(),
  status: z.string(),
  wake: wakeSchema,
});

/**
 * An admin decides that a paid order has reached its buyer, where its parcel ended with people: the seller is paid, once.
 * The courier is asked first, as far as he answers: one who fetched the parcel without a word has earned his fee.
 * Throws `forbidden` for an order that he bought or sold himself, `conflict` for one that waits for no goods.
 */
export async function declareDelivered(
  ctx: Ctx,
  id: string,
  reason: string,
  idempotencyKey?: string,
): Promise<Delivered> {
  await hearAbout(ctx, orderId(id));
  ctx.db.guardAgain();
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
  return { id: decided.order_id, status: decided.status };
}

/** Asks our courier about a parcel that he should have and never told us to have fetched. */
async function hearAbout(ctx: Ctx, id: string): Promise<void> {
  const [asked] = await ctx.db.run(
    rows(
      sql`select h.kiriminaja_order_id as number from market_shipments h
        where h.order_id = ${id} and h.requested_at is not null and h.shipped_at is null
          and h.kiriminaja_order_id is not null`,
      z.object({ number: z.string() }),
    ),
  );
  if (asked) await hearCourier(ctx, asked.number);
}
