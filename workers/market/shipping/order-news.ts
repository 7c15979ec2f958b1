import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import type { JobHandler } from "../../../shared/jobs/jobs.ts";

/** Hands an event to the live sockets of a user, if he has any. Never fails. */
export type TellUser = (ctx: Ctx, userId: number, event: string, payload: unknown) => Promise<void>;

const Payload = z.object({ order_id: z.uuid() });

const News = z.object({
  buyer_id: z.number(),
  seller_id: z.number(),
  news: z.object({
    order_id: z.uuid(),
    number: z.string(),
    store_id: z.uuid(),
    status: z.string(),
    shipment: z
      .object({
        status: z.string(),
        courier: z.string(),
        tracking_code: z.string().nullable(),
      })
      .nullable(),
    updated_at: z.string(),
  }),
});

/**
 * Tells the buyer and the seller of an order live that it changed (`order:update`). The job is written in the
 * transaction of the change (SQL function `market_order_news`); what is told is how the order stands now, so that
 * events that overtake each other end in the truth.
 */
export const orderNewsJob = (tellUser: TellUser): JobHandler => ({
  kind: "market.order_news",
  queue: "provisioning",
  async run(ctx, job) {
    const { order_id: orderId } = Payload.parse(job.payload);
    const [found] = await ctx.db.run(rows(newsOf(orderId), News));
    if (!found) return { state: "success", result: { told: 0 } };
    const people = [...new Set([found.buyer_id, found.seller_id])];
    await Promise.all(people.map((userId) => tellUser(ctx, userId, "order:update", found.news)));
    return { state: "success", result: { told: people.length } };
  },
});

const newsOf = (orderId: string) => sql`
  select o.buyer_id::float8 as buyer_id, s.user_id::float8 as seller_id, jsonb_build_object(
    'order_id', o.id, 'number', o.number, 'store_id', o.store_id, 'status', o.status,
    'shipment', case when h.id is not null then jsonb_build_object('status', h.status, 'courier', h.courier,
      'tracking_code', h.tracking_code) end,
    'updated_at', market_iso(greatest(o.updated_at, h.updated_at))) as news
  from market_orders o join market_stores s on s.id = o.store_id left join market_shipments h on h.order_id = o.id
  where o.id = ${orderId}`;
