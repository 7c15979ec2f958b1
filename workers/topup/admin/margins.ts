import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../../shared/audit/audit.ts";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError, notFound } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import {
  ListedMargin,
  type MarginChanges,
  MarginEffect,
  type MarginPlan,
  MarginWritten,
  type NewMargin,
  PriceEntry,
} from "../schemas/margins.ts";

/** So many rules are listed whole, and looked through for each price without an index. */
const MOST_RULES = 1_000;
const EXAMPLES = 20;
const MOST_PRICES = 100;

const Written = MarginWritten.extend({ wake: wakeSchema });
const isUuid = (text: string) => z.uuid().safeParse(text).success;

/** All rules, and for how many services each was made: the general ones first, each brand's together. */
export const listMargins = (ctx: Ctx): Promise<ListedMargin[]> =>
  ctx.db.run(call("topup_margin_list", {}, z.array(ListedMargin)));

/** Adds a rule; `conflict` where its scope has one. */
export const createMargin = (ctx: Ctx, { reason, ...rule }: NewMargin & { reason: string }) =>
  write(ctx, reason, { verb: "create", rule: columnsOf(rule) });

/** Changes what a rule adds; its scope is what it is. */
export const changeMargin = (
  ctx: Ctx,
  id: string,
  { reason, ...changes }: MarginChanges & { reason: string },
) => write(ctx, reason, { verb: "change", id: known(id), rule: columnsOf(changes) });

/** Removes a rule; what it held for falls to the next general one. */
export const deleteMargin = (ctx: Ctx, id: string, { reason }: { reason: string }) =>
  write(ctx, reason, { verb: "delete", id: known(id) });

async function write(ctx: Ctx, reason: string, change: Record<string, unknown>) {
  const input = { ...change, most_rules: MOST_RULES, reason, audit: auditContext(ctx) };
  const { wake: wakes, ...written } = await ctx.db.run(call("topup_margin_write", input, Written));
  wake(ctx, wakes);
  return written;
}

/** What a change of the rules would do to the prices; it is not done. */
export async function previewMargins(ctx: Ctx, plan: MarginPlan) {
  const input = { ...changeOf(plan), most_rules: MOST_RULES, examples: EXAMPLES };
  return await ctx.db.run(call("topup_margin_preview", input, MarginEffect));
}

function changeOf(plan: MarginPlan): Record<string, unknown> {
  if ("create" in plan) return { verb: "create", rule: columnsOf(plan.create) };
  if ("change" in plan) return { verb: "change", id: plan.id, rule: columnsOf(plan.change) };
  return { verb: "delete", id: plan.id };
}

/** Undefined fields fall out of the JSON, so the function sees only what is to change. */
const columnsOf = ({ percent, ...rest }: MarginChanges) => ({
  ...rest,
  percent_bp: percent === undefined ? undefined : Math.round(percent * 100),
});

function known(id: string): string {
  if (!isUuid(id)) throw new AppError("not_found", "Rule not found");
  return id;
}

/** The latest changes of a service's price, ours and the supplier's, newest first. */
export async function listPriceHistory(ctx: Ctx, serviceId: string) {
  const missing = () => notFound("Service not found");
  if (!isUuid(serviceId)) throw missing();
  const [found] = await ctx.db.run(
    rows(
      sql`select (select coalesce(jsonb_agg(jsonb_build_object('oldSupplierPrice', h.old_supplier_price,
            'supplierPrice', h.supplier_price, 'oldPrice', h.old_price, 'price', h.price, 'at', h.created_at)
            order by h.created_at desc, h.id desc), '[]') from (
              select * from topup_price_history p where p.service_id = s.id
              order by p.created_at desc, p.id desc limit ${MOST_PRICES}) h) as entries
        from topup_services s where s.id = ${serviceId}`,
      z.object({ entries: z.array(PriceEntry) }),
    ),
  );
  if (!found) throw missing();
  return found.entries;
}
