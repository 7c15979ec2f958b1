import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import type { SupplierFamily, SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { advance, advanceInParts } from "./advance.ts";
import { LISTED_DEEPEST, MOST_LISTED } from "./limits.ts";
import { outcomeOf, silenceOf, type Update, updateOf } from "./purchase.ts";

/** One call of the supplier tells of so many orders. */
export const LISTED = 100;
/** Asked about one by one, because the list does not go back so far. */
const ALONE = 10;
/** The same of delivered ones whose serial number is waited for: they take no turn from those under way. */
const LATE_ALONE = 5;
const EXPIRED_AT_ONCE = 500;

/** An order under way. */
const Followed = z
  .object({
    id: z.uuid(),
    family: z.enum(["prepaid", "game", "social"]),
    trxid: z.string(),
    is_late: z.boolean(),
    ask_at: z.coerce.date().nullable(),
  })
  .transform(({ is_late: isLate, ask_at: askAt, ...order }) => ({ ...order, isLate, askAt }));
type Followed = z.output<typeof Followed>;

const followed = sql`select o.id, o.family, o.trxid, topup_lacks_serial(o) as is_late, o.ask_at from topup_orders o`;

/** Purchases under way, and those that a person is asked about: the supplier may give their money back by itself. */
const dueAt = (now: string) => sql`(state = 'processing' and ask_at <= ${now}
  or state = 'review' and trxid is not null and coalesce(ask_at, '-infinity') <= ${now})`;

/**
 * Delivered ones whose serial number is waited for: by an index of their own, which has also what ended before this was
 * asked so, so `ask_at` is bounded on both sides.
 */
const lateAt = (now: string) => sql`(topup_lacks_serial(o) and o.ask_at <= ${now}
  and o.ask_at > ${now}::timestamptz - topup_serial_patience())`;

const Due = z.object({ family: z.enum(["prepaid", "game", "social"]), late: z.number() });

/**
 * For the minute cron: how purchases under way are doing, so that a lost callback costs a minute, and whether the serial
 * numbers show that delivered ones lack. One call per family tells of the latest hundred; older ones are asked about one by
 * one, ever more seldom, or by a longer list where many wait. A family that fails holds up no other.
 */
export async function followOrders(ctx: Ctx): Promise<void> {
  const now = ctx.now().toISOString();
  const due = await ctx.db.run(
    rows(
      sql`select f.family, l.late from (values ('prepaid'), ('game'), ('social')) f(family),
        lateral (select count(*)::int as late from (select from topup_orders o
          where o.family = f.family and ${lateAt(now)} limit ${LATE_ALONE + 1}) x) l
        where l.late > 0 or exists (select from topup_orders o where o.family = f.family and ${dueAt(now)})`,
      Due,
    ),
  );
  for (const { family, late } of due) {
    try {
      await followFamily(ctx, family, late > LATE_ALONE ? DEPTHS.slice(1) : DEPTHS);
    } catch (error) {
      ctx.log.warn("orders not followed", { family, ...describeError(error) });
    }
  }
}

/** More than can be asked about one by one may show in a longer list, which is one call too. */
const DEPTHS = [LISTED, MOST_LISTED, LISTED_DEEPEST];

/**
 * Reads the list, and a longer one while more are due beyond it than can be asked about one by one: the callbacks of an
 * hour may be lost together. What a list tells is recorded before the next one is read, which may fail.
 */
async function followFamily(ctx: Ctx, family: SupplierFamily, depths: number[]): Promise<void> {
  const shown = new Set<string>();
  for (const [turn, limit] of depths.entries()) {
    const askedFrom = ctx.now();
    const isLonger = turn > 0;
    const listed = await (isLonger ? listedIfTold : latestPurchases)(ctx, family, { limit });
    const fresh = listed.filter(({ trxid }) => !shown.has(trxid));
    const byTrxid = new Map(fresh.map((purchase) => [purchase.trxid, purchase]));
    for (const trxid of byTrxid.keys()) shown.add(trxid);
    const orders = await followedOf(ctx, family, [...byTrxid.keys()]);
    const updates: Update[] = [];
    for (const order of orders) {
      const purchase = byTrxid.get(order.trxid);
      const update = purchase && (await updateOf(ctx, order, purchase));
      if (update && isNews(ctx, order, update, isLonger)) updates.push(update);
    }
    const beyond = orders.filter(({ trxid }) => !byTrxid.has(trxid));
    const isLast = turn === depths.length - 1 || fresh.length === 0;
    const goesDeeper = !isLast && beyond.filter(({ isLate }) => !isLate).length > ALONE;
    if (!goesDeeper) updates.push(...(await askSomeAlone(ctx, beyond)));
    await advanceInParts(ctx, updates, askedFrom);
    if (!goesDeeper) return;
  }
}

/** A longer list that cannot be had is no reason to tell nothing of anybody. */
async function listedIfTold(
  ...asked: Parameters<typeof latestPurchases>
): Promise<SupplierOrder[]> {
  try {
    return await latestPurchases(...asked);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    asked[0].log.warn("longer list not told", describeError(error));
    return [];
  }
}

/** Each in its turn; after so many without an answer in a row the supplier has other worries. */
async function askSomeAlone(ctx: Ctx, orders: Followed[]): Promise<Update[]> {
  const late = orders.filter(({ isLate }) => isLate).slice(0, LATE_ALONE);
  const underWay = orders.filter(({ isLate }) => !isLate).slice(0, ALONE);
  const updates: Update[] = [];
  for (const order of [...underWay, ...late]) {
    updates.push(await askAlone(ctx, order));
    if (updates.length >= PATIENCE && updates.slice(-PATIENCE).every(isUntold)) break;
  }
  return updates;
}

const PATIENCE = 3;
const isUntold = ({ outcome }: Update) => outcome === "untold";

/** The orders that are listed or due: those under way before those that have ended, and who waits longest first. */
async function followedOf(ctx: Ctx, family: SupplierFamily, trxids: string[]): Promise<Followed[]> {
  const now = ctx.now().toISOString();
  const listed = `{${trxids.map((id) => JSON.stringify(id)).join(",")}}`;
  return await ctx.db.run(
    rows(
      sql`${followed} where o.id in (
          select id from topup_orders where trxid = any (${listed}::text[])
          union (select id from topup_orders where family = ${family}
            and ${dueAt(now)} order by ask_at nulls first limit ${LISTED + ALONE})
          union (select o.id from topup_orders o where o.family = ${family} and ${lateAt(now)}
            and o.trxid <> all (${listed}::text[]) order by o.ask_at limit ${LATE_ALONE}))
        and (o.state in ('processing', 'review') or topup_lacks_serial(o)) and o.trxid is not null
        and o.family = ${family}
        order by o.ask_at nulls first`,
      Followed,
    ),
  );
}

/**
 * A list shows every minute what has ended; only a serial number is news, and that its turn has come. Of what is still
 * under way far back in a longer list the turn alone.
 */
const isNews = (
  ctx: Ctx,
  { isLate, askAt }: Followed,
  { sealed_serial, outcome }: Update,
  isLonger: boolean,
) =>
  (isLate ? sealed_serial !== null : !isLonger || outcome !== "open") ||
  (askAt !== null && askAt <= ctx.now());

/**
 * The next minute cron looks at this order, where it is under way or lacks its serial number. One that has just become due
 * may be asked about at this moment and told what was before; one that has been due for longer keeps its place.
 */
export async function followSoon(ctx: Ctx, id: string): Promise<void> {
  const now = ctx.now().toISOString();
  await ctx.db.run(
    rows(
      sql`update topup_orders o set ask_at = ${now} where o.id = ${id} and o.trxid is not null
        and (o.state in ('processing', 'review') or topup_lacks_serial(o))
        and coalesce(o.ask_at, 'infinity') > ${now}::timestamptz - interval '1 minute'`,
      z.unknown(),
    ),
  );
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
      const askedFrom = ctx.now();
      await advance(ctx, [await askAlone(ctx, order)], askedFrom);
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

/** For the minute cron: unpaid orders that have run out are closed. */
export async function expireOrders(ctx: Ctx): Promise<void> {
  const input = { limit: EXPIRED_AT_ONCE, now: ctx.now().toISOString() };
  await ctx.db.run(call("topup_orders_expire", input, z.object({ ended: z.number() })));
}
