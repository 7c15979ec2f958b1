import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { likePattern } from "../../../shared/http/answers.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { describeError } from "../../../shared/log.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import type { SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { inTime } from "../../../shared/time/in-time.ts";
import type { OrderState } from "../tables/orders.ts";
import { advance } from "./advance.ts";
import { ASK_PAUSE_SECONDS } from "./limits.ts";
import { type Order, orderShape } from "./order.ts";
import { openSerial, updateOf } from "./purchase.ts";

/** Who looks at an order that has ended waits so long for its late serial number. */
const LATE_SERIAL_MS = 2_000;

/** And so long for a turn with the supplier: who has none sees what is known here, as if it had just been asked. */
const TURN_MS = 1_000;

/** Which order: by our number, by our id, or by the supplier's id. */
export type OrderKey = { number: string } | { id: string } | { trxid: string };

export interface OrderFilter {
  page: number;
  limit: number;
  /** Null: everybody's (admins). */
  userId: number | null;
  numbers?: string[] | undefined;
  states?: OrderState[] | undefined;
  family?: "prepaid" | "game" | "social" | undefined;
  orderedVia?: "app" | "api" | undefined;
  resellerKeyId?: string | undefined;
  /** In number, target, trxid or service name. */
  search?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
}

/** How long a trxid is waited for whose record is on its way, in steps. */
const RECORD_STEPS_MS = [50, 100, 200, 400, 800];

const Found = z
  .union([
    z.object({ soon: z.literal(true) }),
    z.object({
      order: orderShape,
      ask: z.boolean(),
    }),
  ])
  .nullable();

/** The actor's order (an admin: anybody's); `not_found` for a missing and for a foreign one. */
export async function getOrder(ctx: Ctx, key: OrderKey): Promise<Order> {
  return (await read(ctx, key, false)).order;
}

/** An order's answer leaves before the record of its trxid, so who asks for that at once is kept until it has come. */
async function read(ctx: Ctx, key: OrderKey, ask: boolean, sleep = pause) {
  const { userId } = actorOf(ctx);
  for (let step = 0; ; step += 1) {
    const now = ctx.now().toISOString();
    const asking = { ask, late_serial: ask, pause_seconds: ASK_PAUSE_SECONDS };
    const input = { ...key, user_id: userId, ...asking, now, wait: true };
    const found = await ctx.db.run(call("topup_order_read", input, Found));
    if (found && "order" in found) return found;
    const ms = RECORD_STEPS_MS[step];
    if (!found || ms === undefined) throw notFound("Order not found");
    await sleep(ms);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The order after the supplier was asked about it, and what it said, where it was asked. */
export interface Asked {
  order: Order;
  purchase: SupplierOrder | null;
}

/**
 * The actor's order as the supplier has it now. It is asked about orders only that are under way or lack their serial
 * number, about each at most every few seconds, and only while nothing else waits to ask it; `provider_unavailable` when it
 * does not answer about one under way, or says that it has no such order.
 */
export async function askAboutOrder(ctx: Ctx, key: OrderKey, sleep = pause): Promise<Asked> {
  const found = await read(ctx, key, true, sleep);
  const { order, ask } = found;
  if (!ask || order.trxid === null) return { order, purchase: null };
  // One that has ended is shown as it ended, whatever the supplier says of it now.
  const isUnderWay = order.state === "processing";
  const askedFrom = ctx.now();
  let purchases: SupplierOrder[];
  try {
    const { trxid } = order;
    const question = { trxid, visitorMs: TURN_MS };
    const asking = ctx.providers.vipReseller.getOrderStatus(order.family, question);
    purchases = await (isUnderWay ? asking : inTime(LATE_SERIAL_MS, asking));
  } catch (error) {
    if (error instanceof ProviderError && error.code === "busy") return { order, purchase: null };
    if (!(error instanceof ProviderError) && isUnderWay) throw error;
    ctx.log.warn("order status not told", { order: order.number, ...describeError(error) });
    if (!isUnderWay) return { order, purchase: null };
    throw new AppError("provider_unavailable", "Failed to check order status", { cause: error });
  }
  const [purchase] = purchases;
  if (!purchase) {
    if (!isUnderWay) return { order, purchase: null };
    throw new AppError("provider_unavailable", "The provider does not know this transaction");
  }
  const [moved] = await advance(ctx, [await updateOf(ctx, order, purchase)], askedFrom);
  return { order: moved ?? order, purchase: isUnderWay ? purchase : null };
}

const Page = z.object({ total: z.number(), orders: z.array(orderShape) });

/** A page of orders, newest first. Whose they may be, the caller has checked. */
export async function listOrders(
  ctx: Ctx,
  filter: OrderFilter,
): Promise<{ rows: Order[]; page: number; limit: number; total: number }> {
  const { page, limit } = filter;
  const where = conditionsOf(filter);
  const [found] = await ctx.db.run(
    rows(
      sql`with matching as (select * from topup_orders o where ${where})
        select (select count(*) from matching)::float8 as total,
          (select coalesce(jsonb_agg(to_jsonb(p) order by p.id desc), '[]') from (
            select * from matching m order by m.id desc limit ${limit} offset ${(page - 1) * limit}) p) as orders`,
      Page,
    ),
  );
  if (!found) throw new Error("an aggregate without a row");
  return { rows: found.orders, page, limit, total: found.total };
}

function conditionsOf(filter: OrderFilter): SQL {
  const { userId, numbers, states, family, orderedVia, resellerKeyId, search, from, to } = filter;
  const pattern = search ? likePattern(search) : "";
  const all = [
    userId === null ? null : sql`o.user_id = ${userId}`,
    numbers ? sql`o.number = any (${textArray(numbers)}::text[])` : null,
    states ? sql`o.state = any (${textArray(states)}::text[])` : null,
    family ? sql`o.family = ${family}` : null,
    orderedVia ? sql`o.ordered_via = ${orderedVia}` : null,
    resellerKeyId ? sql`o.reseller_key_id = ${resellerKeyId}` : null,
    from ? sql`o.created_at >= ${from.toISOString()}` : null,
    to ? sql`o.created_at < ${to.toISOString()}` : null,
    search
      ? sql`(o.number ilike ${pattern} or o.target ilike ${pattern} or o.trxid ilike ${pattern}
          or o.brand || ' ' || o.service_name ilike ${pattern})`
      : null,
  ].filter((one) => one !== null);
  return all.length === 0 ? sql`true` : sql.join(all, sql` and `);
}

/** A text array as Postgres reads it; drizzle would spread a list over several parameters. */
const textArray = (values: readonly string[]) =>
  `{${values.map((value) => `"${value.replace(/[\\"]/g, "\\$&")}"`).join(",")}}`;

/** The serial number in the clear, for the order's owner; null for everybody else, admins too. */
export async function serialOf(ctx: Ctx, order: Order): Promise<string | null> {
  return ctx.actor?.userId === order.userId ? await openSerial(ctx, order) : null;
}
