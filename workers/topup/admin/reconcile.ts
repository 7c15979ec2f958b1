import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import {
  extendLease,
  type Job,
  type JobHandler,
  type JobOutcome,
  wake,
  wakeSchema,
} from "../../../shared/jobs/jobs.ts";
import { SUPPLIER_FAMILIES, type SupplierOrder } from "../../../shared/providers/vip-reseller.ts";
import { type Compared, compare, type OurOrder } from "./compare.ts";
import { dayOf } from "./orders.ts";

/** Of the supplier's list this much more than our own orders is read: what is not ours must show. */
const MARGIN = 100;
const LONGEST_LIST = 2000;
/** Orders that a list does not show are asked for one by one, so many at most; the rest counts as missing. */
const MOST_SINGLE = 60;
const LEASE_SECONDS = 300;

const payload = z.object({ day: z.string() });
const family = z.enum(["prepaid", "game", "social"]);
const ordersOfDay = z.object({
  orders: z.array(
    z.object({
      id: z.uuid(),
      number: z.string(),
      family,
      trxid: z.string().nullable(),
      state: z.string(),
      charged: z.number(),
      target: z.string(),
    }),
  ),
  counts: z.record(z.string(), z.number()),
});
const written = z.object({ clean: z.boolean(), wake: wakeSchema });

/** Compares our orders of a Jakarta day with the supplier's list and balance, and writes the day's report. */
export const reconcileJob: JobHandler = {
  kind: "topup.reconcile",
  queue: "topup",
  async run(ctx, job): Promise<JobOutcome> {
    const { day } = payload.parse(job.payload);
    const { start, end } = dayOf(day);
    if (!(await extendLease(ctx, job, LEASE_SECONDS))) return { state: "retry", error: "lease" };
    const input = { start: start.toISOString(), end: end.toISOString() };
    const ours = await ctx.db.run(call("topup_reconcile_orders", input, ordersOfDay));
    const listed = await supplierOrders(ctx, ours.counts);
    const singles = await askedSingly(ctx, job, ours.orders, listed);
    const balanceAt = ctx.now();
    const { balance } = await ctx.providers.vipReseller.getBalance();
    const found = compare(ours.orders, [...listed, ...singles]);
    const { clean } = await writeReport(ctx, day, { found, listed, balance, balanceAt });
    return { state: "success", result: { day, orders: ours.orders.length, clean } };
  },
};

async function supplierOrders(ctx: Ctx, counts: Record<string, number>): Promise<SupplierOrder[]> {
  const listed: SupplierOrder[] = [];
  for (const one of SUPPLIER_FAMILIES) {
    const limit = Math.min((counts[one] ?? 0) + MARGIN, LONGEST_LIST);
    listed.push(...(await ctx.providers.vipReseller.getOrderStatus(one, { limit })));
  }
  return listed;
}

async function askedSingly(
  ctx: Ctx,
  job: Job,
  ours: OurOrder[],
  listed: SupplierOrder[],
): Promise<SupplierOrder[]> {
  const shown = new Set(listed.map(({ trxid }) => trxid));
  const missing = ours.filter(({ trxid }) => trxid !== null && !shown.has(trxid));
  const found: SupplierOrder[] = [];
  for (const { family: kind, trxid } of missing.slice(0, MOST_SINGLE)) {
    found.push(...(await ctx.providers.vipReseller.getOrderStatus(kind, { trxid: trxid ?? "" })));
  }
  if (missing.length > 0) await extendLease(ctx, job, LEASE_SECONDS);
  return found;
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
    listed: listed.map(({ trxid, family: kind, service, statusText, priceIdr }) => ({
      trxid,
      family: kind,
      service: service.slice(0, 200),
      status: statusText,
      price: priceIdr,
    })),
    balance,
    balance_at: balanceAt.toISOString(),
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const done = await ctx.db.run(call("topup_reconcile_write", report, written));
  wake(ctx, done.wake);
  return done;
}
