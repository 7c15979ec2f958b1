import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { dayOf } from "../../../shared/http/day.ts";
import {
  enqueue,
  extendLease,
  type Job,
  type JobHandler,
  type JobOutcome,
  wake,
  wakeSchema,
} from "../../../shared/jobs/jobs.ts";
import { SUPPLIER_FAMILIES, type SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { followThese } from "../orders/follow.ts";
import { MOST_LISTED } from "../orders/limits.ts";
import { targetKind } from "../orders/order.ts";
import { isSameTarget } from "../orders/targets.ts";
import {
  Compared,
  compare,
  NOTHING,
  type OurOrder,
  type Seen,
  seenAs,
  together,
} from "./compare.ts";

/** Of the supplier's list this much more than our own orders is read: what is not ours must show. */
const MARGIN = 100;
/** Orders a job; the next one goes on from there. */
const PAGE = 1_000;
/** Of these, such as no list shows, or such as it shows to be over, are asked for one by one: at most so many. */
export const PORTION = 200;
/** The lease is extended after so many. */
const STRETCH = 50;
const LEASE_SECONDS = 300;

const payload = z.object({
  day: z.string(),
  /** The last order that was compared so far, and what was found. */
  after: z.uuid().nullable().default(null),
  found: Compared.default(NOTHING),
});
const family = z.enum(["prepaid", "game", "social"]);
const OrdersOfDay = z.object({
  orders: z.array(
    z.object({
      id: z.uuid(),
      number: z.string(),
      family,
      trxid: z.string().nullable(),
      state: z.string(),
      charged: z.number(),
      quoted: z.number(),
      target: z.string(),
      targetKind,
    }),
  ),
  counts: z.record(z.string(), z.number()),
});
const written = z.object({ clean: z.boolean(), wake: wakeSchema });

/**
 * Compares our orders of a Jakarta day with the supplier's list and balance, and writes the day's report. A day with many
 * orders, or with more than a list shows, is compared in portions, each a job of its own.
 */
export const reconcileJob: JobHandler = {
  kind: "topup.reconcile",
  queue: "topup",
  async run(ctx, job): Promise<JobOutcome> {
    const { day, after, found: before } = payload.parse(job.payload);
    const { start, end } = dayOf(day);
    if (!(await extendLease(ctx, job, LEASE_SECONDS))) return { state: "retry", error: "lease" };
    // First, so that whatever comes back meanwhile is heard of after it.
    const { balance } = await ctx.providers.vipReseller.getBalance();
    const balanceAt = ctx.now();
    const page = { start: start.toISOString(), end: end.toISOString(), after, limit: PAGE };
    const { orders, counts } = await ctx.db.run(call("topup_reconcile_orders", page, OrdersOfDay));
    const listed = await supplierOrders(ctx, counts);
    const seen = new Map<string, Seen | null>(listedOf(orders, listed));
    const unseen = orders.filter(({ trxid }) => trxid !== null && !seen.has(trxid));
    const asked = await askedSingly(ctx, job, unseen.slice(0, PORTION));
    for (const [trxid, their] of asked) seen.set(trxid, their);
    const beyond = unseen[PORTION];
    const told = beyond ? orders.slice(0, orders.indexOf(beyond)) : orders;
    const ours = await heard(ctx, job, { page, ours: told, seen });
    const found = together(before, compare(ours, seen));
    const last = ours.at(-1);
    if (last && (ours.length < orders.length || orders.length === PAGE)) {
      await goOn(ctx, job, { day, after: last.id, found });
      return { state: "success", result: { day, compared: found.orders } };
    }
    const { clean } = await writeReport(ctx, day, { found, listed, balance, balanceAt });
    return { state: "success", result: { day, orders: found.orders, clean } };
  },
};

/**
 * Our orders, after what is under way here and over there was asked about: a word not heard yet is no difference. Without
 * those from where it would be too many to ask about.
 */
async function heard(
  ctx: Ctx,
  job: Job,
  told: {
    page: Record<string, unknown>;
    ours: OurOrder[];
    seen: ReadonlyMap<string, Seen | null>;
  },
): Promise<OurOrder[]> {
  const { page, ours, seen } = told;
  const behind = ours.filter(({ trxid, state }) => {
    const status = seen.get(trxid ?? "")?.status ?? "unknown";
    return state === "processing" && !["waiting", "processing", "unknown"].includes(status);
  });
  if (behind.length === 0) return ours;
  const beyond = behind[PORTION];
  for (let n = 0; n < Math.min(behind.length, PORTION); n += STRETCH) {
    await extendLease(ctx, job, LEASE_SECONDS);
    const stretch = behind.slice(n, Math.min(n + STRETCH, PORTION));
    await followThese(
      ctx,
      stretch.map(({ id }) => id),
    );
  }
  const now = await ctx.db.run(call("topup_reconcile_orders", page, OrdersOfDay));
  const byId = new Map(now.orders.map((order) => [order.id, order]));
  return (beyond ? ours.slice(0, ours.indexOf(beyond)) : ours).map((order) => {
    const later = byId.get(order.id);
    return later && later.trxid === order.trxid ? later : order;
  });
}

/** The same key whoever runs this job again, so that it has one successor. */
async function goOn(ctx: Ctx, job: Job, next: z.output<typeof payload>): Promise<void> {
  const dedupeKey = `topup.reconcile/${next.day}/${job.id}`;
  const { kind, queue } = reconcileJob;
  wake(ctx, [await ctx.db.run(enqueue({ kind, queue, dedupeKey, payload: next }))]);
}

async function supplierOrders(ctx: Ctx, counts: Record<string, number>): Promise<SupplierOrder[]> {
  const listed: SupplierOrder[] = [];
  for (const one of SUPPLIER_FAMILIES) {
    const limit = Math.min((counts[one] ?? 0) + MARGIN, MOST_LISTED);
    listed.push(...(await ctx.providers.vipReseller.getOrderStatus(one, { limit })));
  }
  return listed;
}

function listedOf(ours: OurOrder[], listed: SupplierOrder[]): [string, Seen][] {
  const byId = new Map(listed.map((order) => [order.trxid, order]));
  return ours.flatMap((order) => {
    const their = byId.get(order.trxid ?? "");
    return their ? [[their.trxid, seenAs(order, their)]] : [];
  });
}

async function askedSingly(ctx: Ctx, job: Job, ours: OurOrder[]): Promise<[string, Seen | null][]> {
  const asked: [string, Seen | null][] = [];
  for (const [n, order] of ours.entries()) {
    if (n % STRETCH === 0) await extendLease(ctx, job, LEASE_SECONDS);
    const trxid = order.trxid ?? "";
    const [their] = await ctx.providers.vipReseller.getOrderStatus(order.family, { trxid });
    asked.push([trxid, their ? seenAs(order, their) : null]);
  }
  return asked;
}

/**
 * The supplier's purchases but those that may be of an order whose answer is still awaited: the next report tells of
 * them, if they are nobody's by then.
 */
async function beyondDoubt(
  ctx: Ctx,
  listed: SupplierOrder[],
  seenAt: Date,
): Promise<SupplierOrder[]> {
  const at = seenAt.toISOString();
  const doubts = await ctx.db.run(
    rows(
      sql`select o.family, o.target, coalesce(o.target_kind, s.target_kind) as "targetKind"
        from topup_orders o join topup_services s on s.id = o.service_id
        where o.state in ('buying', 'unknown') and o.trxid is null
          and o.attempt_at between ${at}::timestamptz - interval '1 hour' and ${at}::timestamptz + interval '15 minutes'`,
      z.object({ family, target: z.string(), targetKind }),
    ),
  );
  const isDoubted = (their: SupplierOrder) =>
    doubts.some((order) => order.family === their.family && isSameTarget(order, their.target));
  return listed.filter((their) => !isDoubted(their));
}

async function writeReport(
  ctx: Ctx,
  day: string,
  seen: { found: Compared; listed: SupplierOrder[]; balance: number; balanceAt: Date },
): Promise<{ clean: boolean }> {
  const { found, listed, balance, balanceAt } = seen;
  const report = {
    day,
    orders: found.orders,
    matched: found.matched,
    missing_there: found.missingThere,
    price_differences: found.priceDifferences,
    state_differences: found.stateDifferences,
    // No target and no note: a report is kept, and those are customers' and serial numbers.
    listed: (await beyondDoubt(ctx, listed, balanceAt)).map(
      ({ trxid, family: kind, service, statusText, priceIdr }) => ({
        trxid,
        family: kind,
        service: service.slice(0, 200),
        status: statusText,
        price: priceIdr,
      }),
    ),
    balance,
    balance_at: balanceAt.toISOString(),
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const done = await ctx.db.run(call("topup_reconcile_write", report, written));
  wake(ctx, done.wake);
  return done;
}
