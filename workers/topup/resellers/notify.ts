import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";

/**
 * For the minute cron: tells of every order event that was not told where it happened. `topup_notify` writes the
 * deliveries with the events' own transaction or here, never twice.
 */
export async function tellOpenEvents(ctx: Ctx): Promise<void> {
  const [told] = await ctx.db.run(
    rows(sql`select topup_notify(null) as wake`, z.object({ wake: wakeSchema })),
  );
  wake(ctx, told?.wake ?? []);
}
