import { sql } from "drizzle-orm";
import { z } from "zod";
import { auditContext } from "../../shared/audit/audit.ts";
import type { Ctx } from "../../shared/context.ts";
import { call, rows } from "../../shared/db/statement.ts";
import { AppError, notFound } from "../../shared/http/errors.ts";
import { isUuid } from "./orders.ts";
import type { NewPlan, PlanChange, PlanForAdmin, PlanView } from "./schemas/plans.ts";

const planRow = z.object({
  id: z.string(),
  name: z.string(),
  display_name: z.string(),
  description: z.string(),
  type: z.enum(["HOSTING", "VPS"]),
  price: z.number(),
  storage: z.string(),
  bandwidth: z.string(),
  websites: z.string(),
  features: z.array(
    z.object({
      name: z.string(),
      description: z.string().nullable(),
      isIncluded: z.boolean(),
      sortOrder: z.number(),
    }),
  ),
  slots: z.number().nullable(),
  slots_taken: z.number(),
  is_active: z.boolean(),
  is_popular: z.boolean(),
  is_sold_out: z.boolean(),
  sort_order: z.number(),
});
type PlanRow = z.output<typeof planRow>;

/** For everybody: a plan whose slots are all taken is sold out, however many it has. */
function planView(p: PlanRow): PlanView {
  return {
    id: p.id,
    name: p.name,
    displayName: p.display_name,
    description: p.description,
    type: p.type,
    price: p.price,
    priceYearly: p.price * 12,
    storage: p.storage,
    bandwidth: p.bandwidth,
    websites: p.websites,
    isActive: p.is_active,
    isPopular: p.is_popular,
    isSoldOut: p.is_sold_out || (p.slots !== null && p.slots_taken >= p.slots),
    sortOrder: p.sort_order,
    features: p.features.toSorted((a, b) => a.sortOrder - b.sortOrder),
  };
}

const adminView = (p: PlanRow): PlanForAdmin => ({
  ...planView(p),
  isSoldOut: p.is_sold_out,
  slots: p.slots,
  slotsTaken: p.slots_taken,
});

const listed = (type: string | undefined, withInactive: boolean) =>
  rows(
    sql`select to_jsonb(p) as plan from hosting_plans p
      where p.deleted_at is null and (p.is_active or ${withInactive})
        and (${type ?? null}::text is null or p.type = ${type ?? null})
      order by p.sort_order, p.name`,
    z.object({ plan: planRow }),
  );

/** The plans for sale, in the order in which they are shown. */
export async function listPlans(ctx: Ctx, type?: string): Promise<PlanView[]> {
  const found = await ctx.db.run(listed(type, false));
  return found.map(({ plan }) => planView(plan));
}

/** All plans with their slots, for an admin. */
export async function listPlansForAdmin(ctx: Ctx, type?: string): Promise<PlanForAdmin[]> {
  const found = await ctx.db.run(listed(type, true));
  return found.map(({ plan }) => adminView(plan));
}

const missing = () => notFound("Paket tidak ditemukan");

/** One plan that is for sale. Throws `not_found`. */
export async function getPlan(ctx: Ctx, planId: string): Promise<PlanView> {
  if (!isUuid(planId)) throw missing();
  const [found] = await ctx.db.run(
    rows(
      sql`select to_jsonb(p) as plan from hosting_plans p
        where p.id = ${planId} and p.deleted_at is null and p.is_active`,
      z.object({ plan: planRow }),
    ),
  );
  if (!found) throw missing();
  return planView(found.plan);
}

const taken = {
  hosting_plans_name_key: () => new AppError("conflict", "Nama paket sudah dipakai"),
};

async function write(ctx: Ctx, plan: Record<string, unknown>, planId?: string) {
  if (planId !== undefined && !isUuid(planId)) throw missing();
  const input = { ...auditContext(ctx), id: planId ?? null, plan };
  return adminView(await ctx.db.run(call("hosting_plan_write", input, planRow), taken));
}

/** A new plan. Orders that were placed keep the price that they were placed at. */
export const createPlan = (ctx: Ctx, input: NewPlan) => write(ctx, columnsOf(input));

/** Changes a plan. Fewer slots than are taken sells no more of them and takes none away. */
export const changePlan = (ctx: Ctx, planId: string, input: PlanChange) =>
  write(ctx, columnsOf(input), planId);

/** Takes a plan off for good; what was sold of it goes on and may be renewed. */
export const deletePlan = (ctx: Ctx, planId: string) =>
  write(ctx, { deleted_at: ctx.now().toISOString() }, planId);

const columnsOf = (input: PlanChange): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(input).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
