import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditOf } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { dayOf } from "../../../shared/http/day.ts";
import { notFound } from "../../../shared/http/errors.ts";
import { AdminOrderShape, OrderDetail, type OrderQuery } from "../schemas/admin-orders.ts";
import { handRow } from "./hand-rows.ts";

/** One order as `AdminOrderShape`; never its serial number, which is its owner's. */
const orderJson = sql`jsonb_build_object('id', o.id, 'orderNumber', o.number, 'userId', o.user_id, 'family', o.family,
  'service', o.code, 'serviceName', o.service_name, 'target', o.target, 'zone', o.zone, 'quantity', o.quantity,
  'amount', o.amount, 'supplierAmount', o.supplier_amount, 'chargedAmount', o.charged_amount,
  'refundedAmount', o.refunded_amount, 'state', o.state, 'via', o.ordered_via, 'trxId', o.trxid, 'remain', o.remain,
  'startCount', o.start_count, 'notes', o.notes, 'supplierNote', o.supplier_note, 'reviewReason', o.review_reason,
  'createdAt', o.created_at, 'paidAt', o.paid_at, 'finishedAt', o.finished_at)`;

const orderNotFound = () => notFound("Order not found");
const isUuid = (text: string) => z.uuid().safeParse(text).success;

/** A page of all orders, newest first. `next` is the cursor of the following page; null: the last. */
export async function listAllOrders(ctx: Ctx, query: OrderQuery) {
  const { state, family, userId, search, limit } = query;
  const after = query.cursor && isUuid(query.cursor) ? query.cursor : null;
  const from = query.from ? dayOf(query.from).start : null;
  const to = query.to ? dayOf(query.to).end : null;
  const found = await ctx.db.run(
    rows(
      sql`select ${orderJson} as one from topup_orders o
        where (${after}::uuid is null or o.id < ${after}::uuid)
          and (${state ?? null}::text is null or o.state = ${state ?? null}
            or ${state ?? null} = 'review' and o.review_reason is not null)
          and (${family ?? null}::text is null or o.family = ${family ?? null})
          and (${userId ?? null}::bigint is null or o.user_id = ${userId ?? null})
          and (${from?.toISOString() ?? null}::timestamptz is null or o.created_at >= ${from?.toISOString() ?? null})
          and (${to?.toISOString() ?? null}::timestamptz is null or o.created_at < ${to?.toISOString() ?? null})
          and (${search ?? null}::text is null or o.number = ${search ?? null} or o.trxid = ${search ?? null}
            or (o.family in ('prepaid', 'game', 'social') and o.target = ${search ?? null}))
        order by o.id desc limit ${limit + 1}`,
      z.object({ one: AdminOrderShape }),
    ),
  );
  const orders = found.slice(0, limit).map(({ one }) => one);
  return { orders, next: found.length > limit ? (orders.at(-1)?.id ?? null) : null };
}

const detail = z.object({
  one: AdminOrderShape,
  events: OrderDetail.shape.events,
  requests: z.array(handRow),
});

/** One order with all that became of it: its states, what was done by hand, and who tried. */
export async function readOrderDetail(ctx: Ctx, id: string) {
  if (!isUuid(id)) throw orderNotFound();
  const [[order], audit] = await ctx.db.batch([
    rows(
      sql`select ${orderJson} as one,
          (select coalesce(jsonb_agg(jsonb_build_object('state', e.state, 'at', e.at) order by e.seq), '[]')
            from topup_order_events e where e.order_id = o.id) as events,
          (select coalesce(jsonb_agg(topup_hand_view(h) order by h.id desc), '[]')
            from topup_hand_requests h where h.order_id = o.id) as requests
        from topup_orders o where o.id = ${id}`,
      detail,
    ),
    auditOf({ kind: "topup_order", id }),
  ]);
  if (!order) throw orderNotFound();
  return {
    ...order.one,
    events: order.events,
    requests: order.requests,
    audit: audit.map(({ action, actorKind, actorId, outcome, reason, createdAt }) => ({
      action,
      actorKind,
      actorId,
      outcome,
      reason,
      at: createdAt.toISOString(),
    })),
  };
}
