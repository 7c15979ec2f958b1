import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { SUPPLIER_FAMILIES } from "../../../shared/providers/vip-reseller.ts";

/** So many hourly syncs in a row that brought no list of a family are no hiccup of the supplier's any more. */
const STALE_HOURS = 6;

const told = z
  .object({
    family: z.enum(SUPPLIER_FAMILIES),
    read_at: z.coerce.date().nullable(),
    stale: z.boolean(),
    reason: z.string().nullable(),
  })
  .transform(({ read_at: readAt, ...list }) => ({
    ...list,
    readAt: readAt?.toISOString() ?? null,
  }));

/** When each family's price list was last put in force, and why none was since. */
export const listAges = () => call("topup_lists_told", { stale_hours: STALE_HOURS }, z.array(told));

/** For the hourly cron: a mail about each family whose list is older than that, once a Jakarta day. */
export async function alertStaleLists(ctx: Ctx): Promise<void> {
  const input = { stale_hours: STALE_HOURS, alert_to: ctx.config.ALERT_EMAIL };
  const sent = await ctx.db.run(call("topup_lists_alert", input, z.object({ wake: wakeSchema })));
  wake(ctx, sent.wake);
}
