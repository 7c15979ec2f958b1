import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";

/** For the hourly cron: forgets the hours that no ranking shows any more. */
export async function purgeGiftHours(ctx: Ctx): Promise<void> {
  await ctx.db.run(call("live_hours_purge", {}, z.unknown()));
}
