import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import {
  SUPPLIER_FAMILIES,
  type SupplierFamily,
  type SupplierOrder,
} from "../../../shared/providers/vip-reseller.ts";
import { LISTED_DEEPEST } from "./limits.ts";
import { type Order, orderShape, targetKind } from "./order.ts";
import { outcomeOf, silenceOf, type Update, updateOf } from "./purchase.ts";

/** One call of the supplier tells of so many orders. */
export const LISTED = 100;
/** Asked about one by one, because the list does not go back so far. */
const ALONE = 10;
const EXPIRED_AT_ONCE = 500;
const LATE_EVERY_MINUTES = 10;

const Advanced = z.object({ orders: z.array(orderShape), wake: wakeSchema });

/**
 * Records what the supplier says of purchases; answers with the orders that ended by it. One that cannot be recorded
 * stops no other.
 */
export async function advance(ctx: Ctx, updates: Update[]): Promise<Order[]> {
  if (updates.length === 0) return [];
  try {
    return await advanceAll(ctx, updates);
  } catch (error) {
    const isOutage = error instanceof AppError && error.code === "unavailable";
    if (isOutage || updates.length === 1) throw error;
  }
  const ended: Order[] = [];
  for (const update of updates) {
    try {
      ended.push(...(await advanceAll(ctx, [update])));
    } catch (error) {
      const { id, trxid } = update;
      ctx.log.error("order not advanced", {
        order: id,
        trxid,
        ...describeError(error),
        alert: true,
      });
    }
  }
  return ended;
}

async function advanceAll(ctx: Ctx, updates: Update[]): Promise<Order[]> {
  const now = ctx.now().toISOString();
  const input = { updates, now, alert_to: ctx.config.ALERT_EMAIL };
  const done = await ctx.db.run(call("topup_orders_advance", input, Advanced));
  wake(ctx, done.wake);
  return done.orders;
}

/** What of an order under way is needed to compare a purchase with it. */
const Followed = z
  .object({
    id: z.uuid(),
    family: z.enum(["prepaid", "game", "social"]),
    code: z.string(),
    service_name: z.string(),
    listed_name: z.string(),
    target: z.string(),
    target_kind: targetKind,
    zone: z.string().nullable(),
    quantity: z.number(),
    trxid: z.string(),
    is_as_told: z.boolean(),
  })
  .transform((row) => {
    const { service_name: serviceName, listed_name: listedName, target_kind, ...rest } = row;
    const { is_as_told: isAsTold, ...order } = rest;
    return { ...order, serviceName, listedName, targetKind: target_kind, isAsTold };
  });
type Followed = z.output<typeof Followed>;

const followed = sql`select o.id, o.family, o.code, o.service_name, s.name as listed_name, o.target,
  coalesce(o.target_kind, s.target_kind) as target_kind, o.zone, o.quantity, o.trxid,
  o.answered_since is not null as is_as_told
  from topup_orders o join topup_services s on s.id = o.service_id`;

/** Purchases under way, and those that a person is asked about: the supplier may give their money back by itself. */
const dueAt = (now: string) => sql`(state = 'processing' and ask_at <= ${now}
  or state = 'review' and trxid is not null and coalesce(ask_at, '-infinity') <= ${now})`;

/**
 * For the minute cron: how purchases under way are doing, so that a lost callback costs a minute. One call per family
 * tells of the latest hundred; older ones are asked about one by one, ever more seldom. A family that fails holds up no
 * other.
 */
export async function followOrders(ctx: Ctx): Promise<void> {
  const due = await ctx.db.run(
    rows(
      sql`select family from topup_orders where ${dueAt(ctx.now().toISOString())}
        union select o.family from topup_orders o
        where o.id >= uuid_from(now() - interval '2 hours') and topup_lacks_serial(o)
          and o.finished_at > now() - interval '1 hour'`,
      z.object({ family: z.enum(["prepaid", "game", "social"]) }),
    ),
  );
  for (const { family } of due) {
    try {
      await followFamily(ctx, family);
    } catch (error) {
      ctx.log.warn("orders not followed", { family, ...describeError(error) });
    }
  }
}

async function followFamily(ctx: Ctx, family: SupplierFamily): Promise<void> {
  const listed = await latestPurchases(ctx, family);
  const byTrxid = new Map(listed.map((purchase) => [purchase.trxid, purchase]));
  const orders = await ctx.db.run(
    rows(
      sql`${followed} where o.id in (
          select id from topup_orders
          where trxid = any (${`{${[...byTrxid.keys()].map((id) => JSON.stringify(id)).join(",")}}`}::text[])
          union (select id from topup_orders where family = ${family}
            and ${dueAt(ctx.now().toISOString())} order by ask_at nulls first limit ${LISTED + ALONE}))
        and (o.state in ('processing', 'review') or topup_lacks_serial(o)) and o.trxid is not null
        and o.family = ${family}
        order by o.ask_at nulls first`,
      Followed,
    ),
  );
  const updates: Update[] = [];
  let alone = 0;
  for (const order of orders) {
    const purchase = byTrxid.get(order.trxid);
    if (purchase) {
      updates.push(await updateOf(ctx, order, purchase));
    } else if (alone < ALONE) {
      alone += 1;
      updates.push(await askAlone(ctx, order));
    }
  }
  await advance(ctx, updates);
}

/** Asks about these orders one by one, where they are under way, and records what is told. Fails for none of them. */
export async function followThese(ctx: Ctx, ids: readonly string[]): Promise<void> {
  const orders = await ctx.db.run(
    rows(
      sql`${followed} where o.state = 'processing' and o.id = any (${`{${ids.join(",")}}`}::uuid[])`,
      Followed,
    ),
  );
  for (const order of orders) {
    try {
      await advance(ctx, [await askAlone(ctx, order)]);
    } catch (error) {
      ctx.log.error("order not advanced", {
        order: order.id,
        ...describeError(error),
        alert: true,
      });
    }
  }
}

/** Whatever comes of it, the order has had its turn: one that the supplier no longer knows holds up no other. */
async function askAlone(ctx: Ctx, order: Followed): Promise<Update> {
  const { id, family, trxid } = order;
  try {
    const [purchase] = await ctx.providers.vipReseller.getOrderStatus(family, { trxid });
    return purchase ? await updateOf(ctx, order, purchase) : silenceOf(id, trxid, "missing");
  } catch (error) {
    ctx.log.warn("order status not told", { trxid, ...describeError(error) });
    return silenceOf(id, trxid, "untold");
  }
}

/**
 * The supplier's latest purchases of a family. Those that belong to no order of ours are noted with the time, so that
 * no later attempt takes them for its own; the operator hears of one whose order was refunded.
 */
export async function latestPurchases(
  ctx: Ctx,
  family: SupplierFamily,
  { limit = LISTED, whole = false } = {},
): Promise<SupplierOrder[]> {
  const listed = await ctx.providers.vipReseller.getOrderStatus(family, { limit, whole });
  const seen = {
    family,
    seen_at: ctx.now().toISOString(),
    rows: listed.map(historyRow),
    alert_to: ctx.config.ALERT_EMAIL,
  };
  if (listed.length > 0) {
    const noted = await ctx.db.run(call("topup_sightings_note", seen, Noted));
    wake(ctx, noted.wake);
  }
  return listed;
}

const Noted = z.object({ wake: wakeSchema });

/** A purchase as the functions of topup_orders*.sql read it. */
export const historyRow = (row: SupplierOrder) => ({
  trxid: row.trxid,
  target: row.target,
  zone: row.zone,
  code: row.code,
  service: row.service,
  quantity: row.quantity,
  price: row.priceIdr,
  start_count: row.startCount,
  outcome: outcomeOf(row),
});

/**
 * For the hourly cron: notes purchases that were made past us. What belongs to an order by now is forgotten; what is
 * nobody's never is, for a list may show it years later.
 */
export async function noteForeignPurchases(ctx: Ctx): Promise<void> {
  await ctx.db.run(
    rows(
      sql`delete from topup_supplier_sightings w where w.seen_at < now() - interval '30 days'
        and exists (select from topup_orders o where o.trxid = w.trxid)`,
      z.unknown(),
    ),
  );
  await listFamilies(
    ctx,
    SUPPLIER_FAMILIES.map((family) => ({ family })),
  );
}

/**
 * For the minute cron: every ten minutes, whether the purchase of an order shows that silence has refunded. The list goes
 * back to when that was tried: a late purchase may show where it belongs, behind all that were made since.
 */
export async function watchForLatePurchases(ctx: Ctx): Promise<void> {
  const now = ctx.now();
  if (now.getUTCMinutes() % LATE_EVERY_MINUTES !== 0) return;
  const input = { now: now.toISOString(), listed: LISTED, most: LISTED_DEEPEST };
  await listFamilies(ctx, await ctx.db.run(call("topup_late_families", input, LateFamilies)));
}

const LateFamilies = z.array(
  z.object({ family: z.enum(["prepaid", "game", "social"]), limit: z.number() }),
);

async function listFamilies(
  ctx: Ctx,
  lists: readonly { family: SupplierFamily; limit?: number }[],
): Promise<void> {
  for (const { family, limit = LISTED } of lists) {
    try {
      await latestPurchases(ctx, family, { limit });
    } catch (error) {
      ctx.log.warn("purchases not listed", { family, ...describeError(error) });
    }
  }
}

/** For the minute cron: unpaid orders that have run out are closed. */
export async function expireOrders(ctx: Ctx): Promise<void> {
  const input = { limit: EXPIRED_AT_ONCE, now: ctx.now().toISOString() };
  await ctx.db.run(call("topup_orders_expire", input, z.object({ ended: z.number() })));
}
