import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";

const Summary = z.object({
  days: z.number(),
  orders: z.number(),
  revenue: z.number(),
  by_status: z.record(z.string(), z.number()),
  best_sellers: z.array(z.object({ name: z.string(), quantity: z.number(), revenue: z.number() })),
  recent: z.array(
    z.object({
      number: z.string(),
      status: z.string(),
      total_amount: z.number(),
      buyer: z.string(),
      ship_to: z.string().nullable(),
      items: z.array(z.string()),
      created_at: z.string(),
    }),
  ),
});
export type OrderSummary = z.output<typeof Summary>;

/**
 * Orders of the actor's store in the last days: how many in which state, what was earned, what sold best, the latest
 * ten. Revenue is what buyers paid for goods less what went back to them, of orders that are neither unpaid nor
 * cancelled (TB-18); sums by Postgres.
 */
export async function orderSummary(ctx: Ctx, days: number): Promise<OrderSummary> {
  const [found] = await ctx.db.run(
    rows(
      sql`with o as (
          select o.* from market_orders o join market_stores s on s.id = o.store_id
          where s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null
            and o.created_at > now() - make_interval(days => ${days}::int)
        ), earned as (
          select * from o where status in ('paid', 'processing', 'shipped', 'delivered')
        )
        select ${days}::int as days, (select count(*)::int from o) as orders,
          ((select coalesce(sum(subtotal_amount - discount_amount), 0) from earned)
            - (select coalesce(sum(r.goods_amount), 0) from market_refunds r
              join earned e on e.id = r.order_id))::float8 as revenue,
          (select coalesce(jsonb_object_agg(c.status, c.n), '{}') from (
            select status, count(*)::int as n from o group by status) c) as by_status,
          (select coalesce(jsonb_agg(b), '[]') from (
            select i.name, sum(i.quantity)::int as quantity, sum(i.subtotal)::float8 as revenue
            from market_order_items i join earned e on e.id = i.order_id
            group by i.name order by 3 desc, 1 limit 5) b) as best_sellers,
          (select coalesce(jsonb_agg(jsonb_build_object('number', r.number, 'status', r.status,
              'total_amount', r.total_amount, 'buyer', u.name, 'ship_to', r.shipping_address->>'street',
              'items', (select coalesce(jsonb_agg(i.quantity || ' x ' || i.name), '[]')
                from market_order_items i where i.order_id = r.id),
              'created_at', market_iso(r.created_at)) order by r.created_at desc, r.id desc), '[]')
            from (select * from o order by created_at desc, id desc limit 10) r
            join identity_users u on u.id = r.buyer_id) as recent
        from market_stores s where s.user_id = ${actorOf(ctx).userId} and s.deleted_at is null`,
      Summary,
    ),
  );
  if (!found) throw notFound("Toko belum dibuat");
  return found;
}
