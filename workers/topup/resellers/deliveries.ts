import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { type DeliveryQuery, DeliveryState, EventType } from "../schemas/resellers.ts";

const KEPT_DAYS = 30;

const row = z
  .object({
    id: z.uuid(),
    type: EventType,
    order_number: z.string(),
    state: DeliveryState,
    next_at: z.coerce.date().nullable(),
    created_at: z.coerce.date(),
    attempts: z.array(
      z.object({
        at: z.coerce.date(),
        status: z.number().nullable(),
        error: z.string().nullable(),
        duration_ms: z.number(),
      }),
    ),
  })
  .transform((delivery) => ({
    id: delivery.id,
    type: delivery.type,
    orderNumber: delivery.order_number,
    state: delivery.state,
    nextAttemptAt: delivery.next_at?.toISOString() ?? null,
    createdAt: delivery.created_at.toISOString(),
    attempts: delivery.attempts.map(({ at, duration_ms: durationMs, ...attempt }) => ({
      ...attempt,
      at: at.toISOString(),
      durationMs,
    })),
  }));
export type Delivery = z.output<typeof row>;

const page = z.object({ known: z.boolean(), deliveries: z.array(row) });

/**
 * The log of one endpoint of the actor, newest first, all of it or what has that state, type or order. `next` is the
 * cursor of the following page; null: the last.
 */
export async function listDeliveries(
  ctx: Ctx,
  input: DeliveryQuery & { endpointId: string },
): Promise<{ deliveries: Delivery[]; next: string | null }> {
  const missing = () => notFound("Webhook address not found");
  const uuid = z.uuid();
  if (!uuid.safeParse(input.endpointId).success) throw missing();
  const after = uuid.safeParse(input.cursor).data ?? null;
  const { state = null, type = null, orderNumber: number = null } = input;
  const [found] = await ctx.db.run(
    rows(
      sql`
        with own as (
          select w.id from topup_webhook_endpoints w
          where w.id = ${input.endpointId} and w.user_id = ${actorOf(ctx).userId} and w.deleted_at is null
        ), shown as (
          select d.id, d.type, d.payload->'data'->>'orderNumber' as order_number, d.state, d.next_at, d.created_at,
            (select coalesce(jsonb_agg(jsonb_build_object('at', a.created_at, 'status', a.status, 'error', a.error,
                'duration_ms', a.duration_ms) order by a.id), '[]')
              from topup_delivery_attempts a where a.delivery_id = d.id) as attempts
          from topup_deliveries d
          where d.endpoint_id = (select id from own) and (${after}::uuid is null or d.id < ${after}::uuid)
            and (${state}::text is null or d.state = ${state}) and (${type}::text is null or d.type = ${type})
            and (${number}::text is null or d.payload->'data'->>'orderNumber' = ${number})
          order by d.id desc limit ${input.limit + 1}
        )
        select exists (select from own) as known,
          coalesce((select jsonb_agg(to_jsonb(shown) order by id desc) from shown), '[]') as deliveries`,
      page,
    ),
  );
  if (!found?.known) throw missing();
  const deliveries = found.deliveries.slice(0, input.limit);
  const more = found.deliveries.length > input.limit;
  return { deliveries, next: more ? (deliveries.at(-1)?.id ?? null) : null };
}

/** Sends one event of the actor again, whether it arrived or was given up: the same id, the same words. */
export async function deliverAgain(ctx: Ctx, id: string): Promise<void> {
  const missing = () => notFound("Delivery not found");
  const { userId } = actorOf(ctx);
  if (!z.uuid().safeParse(id).success) throw missing();
  const again = z.object({ wake: wakeSchema }).nullable();
  const input = { user_id: userId, id, audit: auditContext(ctx) };
  const done = await ctx.db.run(call("topup_delivery_again", input, again));
  if (!done) throw missing();
  wake(ctx, done.wake);
}

/** For the hourly cron: forgets what ended a month ago. */
export async function purgeDeliveries(ctx: Ctx): Promise<void> {
  await ctx.db.run(
    rows(
      sql`delete from topup_deliveries
        where state <> 'pending' and created_at < now() - make_interval(days => ${KEPT_DAYS})`,
      z.unknown(),
    ),
  );
}
