import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { claimOf } from "../../../shared/http/idempotency.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import type { StockChange } from "../schemas/supplier.ts";

const adjusted = z
  .object({ stock: z.number(), old_stock: z.number(), reserved: z.number() })
  .transform(({ old_stock: oldStock, ...rest }) => ({ ...rest, oldStock }));

/** Adds to or takes from a counted stock by hand, in one step with its history. */
export async function adjustStock(ctx: Ctx, change: StockChange, idempotencyKey?: string) {
  const { serviceId, quantity, reason } = change;
  const input = {
    service_id: serviceId,
    quantity,
    reason,
    actor_id: actorOf(ctx).userId,
    claim: await claimOf(ctx, idempotencyKey, change),
    audit: auditContext(ctx),
  };
  return await ctx.db.run(call("topup_stock_adjust", input, adjusted));
}

const entry = z
  .object({
    type: z.string(),
    quantity: z.number(),
    old_stock: z.number().nullable(),
    new_stock: z.number().nullable(),
    reason: z.string().nullable(),
    actor_id: z.number().nullable(),
    order_id: z.string().nullable(),
    created_at: z.coerce.date(),
  })
  .transform((row) => ({
    type: row.type,
    quantity: row.quantity,
    oldStock: row.old_stock,
    newStock: row.new_stock,
    reason: row.reason,
    actorId: row.actor_id,
    orderId: row.order_id,
    at: row.created_at.toISOString(),
  }));

/** The latest changes of a service's stock, newest first. */
export async function listStockHistory(ctx: Ctx, serviceId: string) {
  const missing = () => notFound("Service not found");
  if (!z.uuid().safeParse(serviceId).success) throw missing();
  const [found] = await ctx.db.run(
    rows(
      sql`select (select coalesce(jsonb_agg(to_jsonb(h) order by h.created_at desc, h.id desc), '[]') from (
            select * from topup_stock_history h where h.service_id = s.id
            order by h.created_at desc, h.id desc limit 100) h) as entries
        from topup_services s where s.id = ${serviceId}`,
      z.object({ entries: z.array(entry) }),
    ),
  );
  if (!found) throw missing();
  return found.entries;
}

/** For the hourly cron: a mail about what ran low, each service once a Jakarta day. */
export async function alertLowStock(ctx: Ctx): Promise<void> {
  const input = { alert_to: ctx.config.ALERT_EMAIL };
  const told = await ctx.db.run(call("topup_stock_alert", input, z.object({ wake: wakeSchema })));
  wake(ctx, told.wake);
}
