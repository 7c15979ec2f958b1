import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { call } from "../../shared/db/statement.ts";

const WEEKS_PER_CALL = 200;
const CALLS_AT_MOST = 50;

/**
 * For the minute's cron: takes out of hosts' rolling weeks what fell off with the hour. Few at a time, as a host's gifts
 * wait meanwhile; what is left is done in the next minute, and rankings are right without it.
 */
export async function turnGiftWeeks(ctx: Ctx): Promise<void> {
  const input = { at: ctx.now().toISOString(), limit: WEEKS_PER_CALL };
  for (let i = 0; i < CALLS_AT_MOST; i += 1) {
    const turned = await ctx.db.run(call("live_weeks_turn", input, z.number()));
    if (turned < WEEKS_PER_CALL) return;
  }
}

/** For the hourly cron: forgets the hours that no ranking shows any more. */
export async function purgeGiftHours(ctx: Ctx): Promise<void> {
  await ctx.db.run(call("live_hours_purge", {}, z.unknown()));
}
