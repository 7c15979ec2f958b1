import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { type Dashboard, DashboardShape } from "../schemas/admin.ts";

const DAYS = 30;
const RECENT = 10;

/** Totals, the last 30 days and the latest orders and stores of the market, or of one store, in one round trip. */
export async function getDashboard(ctx: Ctx, storeId?: string): Promise<Dashboard> {
  const input = { days: DAYS, recent: RECENT, store_id: storeId ?? null };
  return await ctx.db.run(call("market_admin_dashboard", input, DashboardShape));
}
